"""How far a send is, on a terminal and elsewhere."""

import io
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta

import pytest
from rich.console import Console

from syndicate.cli.output import Output
from syndicate.cli.progress import PACE, bars, meter, paced_lines, speed
from syndicate.deliver.tally import Tally
from tests.project import Project

HALFWAY = Tally(total=3000, planned=1490, sent=1500, refused=2, deferred=8, rate=120.0)


def test_what_is_left_is_reckoned_from_those_who_were_not_tried() -> None:
    assert HALFWAY.left == timedelta(seconds=1490 / 120)
    assert Tally(total=3, planned=3).left is None
    assert Tally(total=3, sent=3, rate=5.0).left == timedelta(0)


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        (HALFWAY, "120/s  0:00:12 left"),
        (Tally(total=9, planned=9, rate=0.25), "0.2/s  0:00:36 left"),
        (Tally(total=9, planned=9), ""),
        (Tally(total=10**6, planned=10**6, rate=10.0), "10/s  1 day, 3:46:40 left"),
    ],
)
def test_the_rate_and_the_time_that_is_left_are_for_people(tally: Tally, words: str) -> None:
    assert speed(tally) == words


def test_without_a_terminal_there_is_a_line_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    moments = iter([0.0, 1.0, PACE, PACE, PACE + 1, 2 * PACE, 2 * PACE])
    update = paced_lines(Output(), lambda: next(moments))
    for _ in range(4):
        update("weekly/1", HALFWAY)
    assert (
        capsys.readouterr().out.splitlines() == ["weekly/1  1,502/3,000  refused 2  later 8  120/s  0:00:12 left"] * 2
    )


@pytest.mark.parametrize("out", [Output(as_json=True), Output(quiet=True)], ids=["json", "quiet"])
def test_a_program_sees_no_progress(out: Output, capsys: pytest.CaptureFixture[str]) -> None:
    with meter(out) as update:
        update("weekly/1", HALFWAY)
    assert capsys.readouterr().out == ""


def test_on_a_terminal_there_is_a_bar_with_rate_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    with bars(Console(file=shown, force_terminal=True, width=120)) as update:
        update("weekly/1", Tally(total=3000, planned=3000))
        update("weekly/1", HALFWAY)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.getvalue())
    assert "1502/3000" in plain
    assert "refused 2  later 8  120/s  0:00:12 left" in plain


def test_a_command_on_a_real_terminal_leaves_its_result_and_no_bar(project: Project) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "syndicate", "run", "--once", "--at", "2025-03-10T12:00"]
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"}
    child = subprocess.Popen(command, cwd=project.folder, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    said = b""
    with suppress(OSError):  # Linux says so when the other side has ended
        while part := os.read(controller, 1 << 16):
            said += part
    os.close(controller)
    assert child.wait() == 0
    assert b"\x1b[?25h" in said, "the cursor is there again"
    assert b"sent 3   refused 0   later 0   unknown 0" in said
