"""Couriers in several processes: they share an edition and its connections, and nobody gets a mail twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from syndicate.crew import WORTHWHILE
from syndicate.testing.smtp import Accepted, SmtpServer
from tests.project import MONDAY, Project

READERS = [f"reader{number:04}@example.org" for number in range(WORTHWHILE + 200)]
DIGEST = "weekly-digest/2025-03-10T09:00"
RUN = [sys.executable, "-m", "syndicate", "run", "--once", "--at", MONDAY]


class SteadyServer(SmtpServer):
    """Takes a few milliseconds for a mail, so that a second process has something left to do."""

    def __init__(self) -> None:
        super().__init__()
        self.some = threading.Event()

    def accept(self, mail: Accepted) -> None:
        self.stopping.wait(0.005)
        super().accept(mail)
        if len(self.journal) >= WORTHWHILE // 2:
            self.some.set()


@pytest.fixture
def mail(project: Project) -> Iterator[SteadyServer]:
    with SteadyServer() as server:
        place = f"adapter: smtp, host: 127.0.0.1, port: {server.port}, tls: none, connections: 4, processes: 2"
        project.goes_live(place, READERS)
        yield server


def workers(project: Project) -> set[str]:
    """Who has claimed anything."""
    with closing(sqlite3.connect(project.folder / "var" / "syndicate.db")) as database:
        return {
            actor for (actor,) in database.execute("SELECT DISTINCT actor FROM event WHERE what LIKE '% -> sending'")
        }


def others_at_work(project: Project) -> list[str]:
    """Processes that help with this project's editions."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_text("utf-8").split("\0")
        except OSError:  # it has just ended
            continue
        if "worker" in words and str(project.folder / "config" / "syndicate.yaml") in words:
            found.append(path.parent.name)
    return found


def test_two_processes_send_one_edition_and_everybody_gets_it_once(project: Project, mail: SteadyServer) -> None:
    said = project.syndicate("run", "--once", "--at", MONDAY, "--json")
    assert said.status == 0, said
    assert Counter(one.recipient for one in mail.journal) == dict.fromkeys(READERS, 1)
    assert len({worker.rpartition("-")[0] for worker in workers(project)}) == 2
    assert mail.most_at_once <= 4
    (done,) = [one["tally"] for one in said.json["done"] if one["key"] == DIGEST]
    assert (done["sent"], done["planned"]) == (len(READERS), 0), "the last word is of all, not of one"
    assert others_at_work(project) == []


def test_when_the_first_is_killed_the_other_ends_too_and_the_next_run_finishes(
    project: Project, mail: SteadyServer
) -> None:
    with subprocess.Popen(RUN, cwd=project.folder, stdout=subprocess.DEVNULL) as running:
        assert mail.some.wait(60)
        assert others_at_work(project)
        running.kill()
    for _ in range(100):
        if not others_at_work(project):
            break
        time.sleep(0.1)
    assert others_at_work(project) == []
    stopped = len(mail.journal)
    assert stopped < len(READERS)

    nobody = os.getpid()  # has not started what begins now, as if it had ended meanwhile
    assert project.syndicate("worker", DIGEST, "--share", "2", "--beside", str(nobody)).status in {0, 3}
    assert len(mail.journal) == stopped

    again = project.syndicate("run", "--once", "--at", "2025-03-10T13:00", "--json")
    assert again.status in {0, 3}, again  # 3: a mail of the killed one is in doubt
    nobody_is_lost_or_has_it_twice(project, mail)


def test_when_the_other_is_killed_the_first_finishes_what_it_left(project: Project, mail: SteadyServer) -> None:
    with subprocess.Popen(RUN, cwd=project.folder, stdout=subprocess.DEVNULL) as running:
        assert mail.some.wait(60)
        (other,) = others_at_work(project)
        os.kill(int(other), signal.SIGKILL)
        assert running.wait(60) in {0, 3}
    nobody_is_lost_or_has_it_twice(project, mail)


def nobody_is_lost_or_has_it_twice(project: Project, mail: SteadyServer) -> None:
    """At most one mail for each connection of the one that was killed is in doubt, and shown as that."""
    found = Counter(states(project))
    assert found["sent"] + found["unknown"] == len(READERS)
    assert found["unknown"] <= 2
    assert max(Counter(one.recipient for one in mail.journal).values()) == 1
    assert len(mail.journal) >= found["sent"]


def states(project: Project) -> list[str]:
    with closing(sqlite3.connect(project.folder / "var" / "syndicate.db")) as database:
        return [state for (state,) in database.execute("SELECT state FROM delivery")]


def test_a_helper_by_hand_needs_an_edition_that_is_being_sent(project: Project, mail: SteadyServer) -> None:
    assert project.syndicate("worker", DIGEST).status == 1
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
    said = project.syndicate("worker", DIGEST)
    assert said.status == 2
    assert "nothing to help with" in said.err


def test_each_process_needs_a_connection(project: Project, mail: SteadyServer) -> None:
    project.configure(("processes: 2", "processes: 5"))
    said = project.syndicate("check")
    assert said.status == 1
    assert "5 `processes` need as many `connections`, not 4" in said.out + said.err
