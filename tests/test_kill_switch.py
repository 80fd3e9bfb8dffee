"""`editions pause --all` against a send that runs in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from syndicate.testing.smtp import Accepted, SmtpServer
from tests.project import MONDAY, Project

READERS = 400
DIGEST = "weekly-digest/2025-03-10T09:00"


class SlowServer(SmtpServer):
    """Takes a mail every few milliseconds, and tells when some have come."""

    def __init__(self) -> None:
        super().__init__(offers=())
        self.some = threading.Event()

    def accept(self, mail: Accepted) -> None:
        self.stopping.wait(0.02)
        super().accept(mail)
        if len(self.journal) >= 5:
            self.some.set()


@pytest.fixture
def mail(project: Project) -> Iterator[SlowServer]:
    with SlowServer() as server:
        readers = (f"reader{number:03}@example.org" for number in range(READERS))
        project.goes_live(f"adapter: smtp, host: 127.0.0.1, port: {server.port}, tls: none", readers)
        yield server


def test_it_stops_a_running_send_at_once_and_resume_loses_and_repeats_nobody(
    project: Project, mail: SlowServer
) -> None:
    command = [sys.executable, "-m", "syndicate", "run", "--once", "--at", MONDAY]
    with subprocess.Popen(command, cwd=project.folder, stdout=subprocess.PIPE, text=True) as running:
        assert mail.some.wait(60)
        said = project.syndicate("editions", "pause", "--all", "--reason", "wrong picture")
        assert said.status == 0, said
        out, _ = running.communicate(timeout=60)
    assert running.returncode == 3
    assert "every account is paused: wrong picture" in out
    stopped = len(mail.journal)
    assert stopped < READERS
    assert project.syndicate("status").status == 3
    again = project.syndicate("run", "--once", "--at", "2025-03-10T13:00")
    assert again.status == 3
    assert len(mail.journal) == stopped

    assert project.syndicate("editions", "resume", "--all").status == 0
    assert project.syndicate("run", "--once", "--at", "2025-03-10T13:00").status == 0
    assert len(mail.journal) == READERS
    assert len({one.recipient for one in mail.journal}) == READERS
    told = project.syndicate("why", DIGEST, "--json").json["story"]
    lines = [(one["what"], one["actor"], one["reason"]) for one in told if not one["recipient"]]
    assert lines == [
        ("entered", "run", ""),
        ("every account paused", "person", "wrong picture"),
        ("every account resumed", "person", ""),
    ]


def test_what_is_entered_after_it_does_not_go_out_either(project: Project) -> None:
    project.syndicate("editions", "pause", "--all")
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 3
    assert not list(project.folder.rglob("*.eml"))
    assert "Everything is paused" in project.syndicate("editions", "resume", DIGEST).out
    assert "everything" in project.syndicate("status").out


def test_resume_all_leaves_alone_what_was_paused_by_its_own_key(project: Project) -> None:
    project.syndicate("editions", "pause", "--all")
    project.syndicate("run", "--once", "--at", MONDAY)
    project.syndicate("editions", "pause", DIGEST)
    project.syndicate("editions", "resume", "--all")
    project.syndicate("run", "--once", "--at", MONDAY)
    assert project.syndicate("editions", "show", DIGEST, "--json").json["edition"]["state"] == "paused"
    assert list((project.folder / "outbox").rglob("*.txt"))


@pytest.mark.parametrize("arguments", [["pause"], ["resume"], ["pause", DIGEST, "--all"]], ids=" ".join)
def test_either_one_or_all(project: Project, arguments: list[str]) -> None:
    said = project.syndicate("editions", *arguments)
    assert said.status == 2
    assert "either the KEY of one edition or --all" in said.err
