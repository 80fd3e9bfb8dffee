"""The clock says "now", never "what"."""

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syndicate.app import assemble
from syndicate.errors import ConfigError
from syndicate.scheduler import Newsroom, tick
from tests.project import Project

NOON = datetime(2025, 3, 10, 12, tzinfo=ZoneInfo("Asia/Kolkata"))


def newsroom(project: Project, said: list[str]) -> Newsroom:
    return Newsroom(project.folder / "config" / "syndicate.yaml", said.append, clock=lambda: NOON)


def test_a_second_tick_of_the_same_time_sends_nothing(project: Project) -> None:
    app = assemble(project.folder / "config" / "syndicate.yaml", clock=lambda: NOON)
    first = [done.key for report in tick(app, NOON) for done in report.done]
    assert len(first) == 3
    assert [done.key for report in tick(app, NOON) for done in report.done] == []


def test_late_and_missed_ticks_come_to_the_same_editions(project: Project) -> None:
    app = assemble(project.folder / "config" / "syndicate.yaml", clock=lambda: NOON)
    for hours in (0, 1, 2, 24, 25):
        tick(app, NOON + timedelta(hours=hours))
    keys = sorted(row.key.split("/")[0] for row in app.ledger().editions())
    assert keys == ["linkedin", "linkedin", "weekly-digest"]


def test_a_broken_edit_keeps_the_last_good_configuration_and_says_so(project: Project) -> None:
    said: list[str] = []
    room = newsroom(project, said)
    good = room.app()
    path = project.folder / "config" / "syndicate.yaml"
    whole = path.read_text("utf-8")
    path.write_text("channels: [", "utf-8")
    assert room.app() is good
    assert "the last good configuration stays in force" in said[0]
    path.write_text(whole.replace("max: 10", "max: 9"), "utf-8")
    assert room.app().settings.channels["weekly-digest"].select.max == 9


def test_a_configuration_that_was_never_good_is_an_error(project: Project) -> None:
    (project.folder / "config" / "syndicate.yaml").write_text("channels: [", "utf-8")
    with pytest.raises(ConfigError):
        newsroom(project, []).app()


def test_an_edition_that_fails_is_said_and_the_others_go_on(project: Project) -> None:
    (project.folder / "templates" / "linkedin.txt.j2").write_text("{{ nothing }}", "utf-8")
    said: list[str] = []
    newsroom(project, said).tick()
    assert any(line.startswith("weekly-digest/2025-03-10T09:00: sent 3") for line in said)
    assert any("linkedin.txt.j2" in line for line in said)


def test_the_scheduler_runs_until_it_is_told_to_stop(project: Project) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "syndicate", "run"],
        cwd=project.folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Running; a tick every minute.")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
