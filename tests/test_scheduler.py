"""The scheduler as a process: it starts alone, stops when asked, and is replaced when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from syndicate.app import assemble
from syndicate.deliver.attempts import Attempts
from syndicate.deliver.courier import Courier
from syndicate.scheduler import set_right
from syndicate.testing.smtp import Fault, SmtpServer
from tests.project import Project

RUNNING = "Running; a tick every minute."
READERS = [f"reader{number:02}@example.org" for number in range(20)]
DIGEST = 'schedule: {cron: "0 9 * * MON", late: {grace: 6h, then: skip}}'
POSTS = 'schedule: {cron: "30 10 * * MON-FRI"}'
#: Each process ticks at moments of its own over a month; argv: folder, seed.
TICKER = """
import random, sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo
from syndicate.app import assemble
from syndicate.newsroom.tick import tick
start = datetime(2025, 3, 10, 9, tzinfo=ZoneInfo("Asia/Kolkata"))
now = start
app = assemble(Path(sys.argv[1]) / "config" / "syndicate.yaml", clock=lambda: now)
chance = random.Random(int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    now = start + timedelta(days=number // 4, minutes=chance.randrange(300))
    tick(app, now)
"""


class Running:
    """A command in a process of its own, and what it has said."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "syndicate", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Lines have to come when they are said, without help from the environment.
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        )
        self.said: list[str] = []

    def until(self, part: str) -> str:
        """The next line that holds `part`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if part in line:
                return line
        raise AssertionError(f"it ended without {part!r}: {self.said}")

    def end(self) -> int:
        """Its exit status, when it has ended by itself."""
        output, _ = self.process.communicate(timeout=60)
        self.said.append(output)
        return self.process.returncode


@contextmanager
def running(project: Project, *arguments: str) -> Iterator[Running]:
    """Killed at the end, if it still runs."""
    child = Running(project.folder, *arguments)
    try:
        yield child
    finally:
        child.process.kill()
        child.process.communicate()


def wait_for(what: Callable[[], object]) -> None:
    """Looks every few milliseconds."""
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "it did not come to pass in a minute"
        time.sleep(0.005)


@pytest.fixture
def mail(project: Project) -> Iterator[SmtpServer]:
    """A digest that is due at any time, to twenty readers, through a server that tells what it got."""
    readers = "".join(f"{reader},,2025-01-01,test\n" for reader in READERS)
    (project.folder / "config" / "readers.csv").write_text("email,name,consent_at,consent_source\n" + readers, "utf-8")
    with SmtpServer(offers=()) as server:
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"accounts:\n  mail: {{adapter: smtp, host: 127.0.0.1, port: {server.port}, tls: none}}\n"),
            ("account: outbox\n    audience", "account: mail\n    audience"),
            (DIGEST, "schedule: {every: minute}"),
            (POSTS, ""),
        )
        yield server


def test_it_ticks_at_once_and_runs_until_it_is_told_to_stop(project: Project) -> None:
    """F-60: while it is idle."""
    project.configure((POSTS, "schedule: {every: minute}"))
    with running(project, "run") as scheduler:
        scheduler.until(RUNNING)
        scheduler.until("linkedin/mlops-training-in-hyderabad")
        scheduler.process.send_signal(signal.SIGTERM)
        assert scheduler.end() == 0
    assert scheduler.said[-1].endswith("Stopped.\n")


def test_a_second_scheduler_says_who_holds_the_database_and_leaves(project: Project) -> None:
    with running(project, "run") as first:
        first.until(RUNNING)
        second = project.syndicate("run")
        assert second.status == 3
        assert f"another scheduler works on this database: process {first.process.pid} on " in second.err
        assert ", since 2" in second.err
        assert project.syndicate("run", "--once", "--at", "2025-03-10T12:00").status == 0, "one tick needs no lock"


def test_a_standby_takes_over_from_a_scheduler_that_was_killed(project: Project) -> None:
    with running(project, "run") as first:
        first.until(RUNNING)
        with running(project, "run", "--standby") as second:
            assert f"process {first.process.pid} on " in second.until("Standing by: ")
            first.process.kill()
            second.until("this one takes over")
            second.until(RUNNING)
            second.process.send_signal(signal.SIGTERM)
            assert second.end() == 0


def test_a_standby_that_is_told_to_stop_stops(project: Project) -> None:
    """F-61: SIGINT is SIGTERM by another name."""
    with running(project, "run") as first:
        first.until(RUNNING)
        with running(project, "run", "--standby") as second:
            second.until("Standing by: ")
            second.process.send_signal(signal.SIGINT)
            assert second.end() == 0


def test_a_clock_that_was_set_back_does_not_stop_the_ticks() -> None:
    clock = BackgroundScheduler(timezone="UTC")
    noon = datetime(2025, 3, 10, 12, tzinfo=UTC)
    job = clock.add_job(print, "cron", second=0, next_run_time=noon)
    clock.start(paused=True)
    set_right(job, noon - timedelta(minutes=1))
    assert job.next_run_time == noon
    set_right(job, noon - timedelta(hours=2))
    assert job.next_run_time == noon - timedelta(hours=2)
    clock.shutdown()


@pytest.mark.parametrize("arguments", [("--standby", "--once"), ("--json",)])
def test_what_makes_no_sense_together_is_refused(project: Project, arguments: tuple[str, ...]) -> None:
    assert project.syndicate("run", *arguments).status == 2


def test_a_configuration_that_cannot_be_used_from_the_start_is_refused(project: Project) -> None:
    project.configure(("folder: outbox", "foldr: outbox"))
    said = project.syndicate("run")
    assert said.status == 2
    assert "did you mean 'folder'?" in said.err


def states(project: Project) -> Counter[str]:
    """Of the one digest that there is."""
    (edition,) = project.syndicate("editions", "list", "--json").json["editions"]
    return Counter({state: count for state, count in edition["counts"].items() if count})


def test_a_first_sigterm_finishes_what_is_in_flight_and_gives_the_rest_back(project: Project, mail: SmtpServer) -> None:
    """F-60: while a mail waits for its answer."""
    # An answer of 28 bytes, one every 10 ms: the signal comes while a mail waits for it.
    mail.fault("dot", Fault(b"250 2.0.0 queued as 0000001\r\n", keep=True, drip=0.01), after=2)
    with running(project, "run") as scheduler:
        wait_for(lambda: len(mail.journal) >= 2)
        scheduler.process.send_signal(signal.SIGTERM)
        assert scheduler.end() == 0
    assert "finished first" in "".join(scheduler.said)
    before = states(project)
    assert before["sent"] == len(mail.journal) < len(READERS)
    assert set(before) <= {"sent", "planned", "deferred"}
    assert sum(before.values()) == len(READERS)
    project.syndicate("run", "--once")
    assert states(project) == {"sent": len(READERS)}
    assert sorted(one.recipient for one in mail.journal) == READERS


def test_a_second_sigterm_ends_it_at_once_and_what_was_in_flight_is_unknown(project: Project, mail: SmtpServer) -> None:
    """F-60: the log decides."""
    for _ in READERS:
        mail.fault("dot", Fault(b"", "hang", keep=True))
    with running(project, "run") as scheduler:
        wait_for(lambda: mail.journal)
        scheduler.process.send_signal(signal.SIGTERM)
        scheduler.until("finished first")
        scheduler.process.send_signal(signal.SIGTERM)
        assert scheduler.end() == -signal.SIGTERM
    arrived = {one.recipient for one in mail.journal}
    app = assemble(project.folder / "config" / "syndicate.yaml")
    Courier(app.ledger(), app.clock, attempts=Attempts(app.attempts())).recover()
    waits = project.syndicate("status", "--json").json["waits"]
    in_doubt = {one["what"].rpartition(":")[2] for one in waits if one["why"] == "unknown"}
    assert in_doubt == arrived


def test_many_processes_that_tick_at_once_make_one_edition_of_each_occasion(project: Project, mail: SmtpServer) -> None:
    for day in range(1, 29):
        text = f"---\ntitle: Article {day}\npublish_date: 2025-03-{day:02}\n---\nText.\n"
        (project.folder / "seeds" / f"{day}.md").write_text(text, "utf-8")
    project.configure(
        ("every: minute", "every: day 09:00"), ("max: 10", "max: 3"), ("linkedin\n", f"linkedin\n    {POSTS}\n")
    )
    crew = [
        subprocess.Popen(
            [sys.executable, "-c", TICKER, str(project.folder), str(seed), "16"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(4)
    ]
    for one in crew:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in crew:
        assert one.communicate("go\n", timeout=120)[0] == ""
    assert [one.returncode for one in crew] == [0] * len(crew)
    editions = project.syndicate("editions", "list", "--json").json["editions"]
    digests = sorted(one["key"] for one in editions if one["channel"] == "weekly-digest")
    assert digests == [f"weekly-digest/2025-03-{day}T09:00" for day in range(10, 14)]
    used = Counter((one["channel"], use["slug"]) for one in editions for use in one["articles"])
    assert set(used.values()) == {1}
    arrived = Counter((BytesParser().parsebytes(one.data)["Message-ID"], one.recipient) for one in mail.journal)
    assert set(arrived.values()) == {1}
    assert len(arrived) == len(READERS) * len(digests)


@pytest.fixture
def hangups() -> Iterator[None]:
    """Whoever runs the tests under `nohup` has processes that do not hear SIGHUP, and so have their children."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangups")
def test_a_closed_terminal_is_a_word_to_end_and_a_reader_that_is_gone_is_none(
    project: Project, mail: SmtpServer
) -> None:
    """F-61: nobody reads what it says any more, and it goes on; SIGHUP then drains it as SIGTERM does."""
    with running(project, "run") as scheduler:
        assert scheduler.process.stdout
        scheduler.process.stdout.close()  # from here on nobody reads, and each line that it writes fails
        scheduler.process.stdout = None
        wait_for(lambda: len(mail.journal) == len(READERS))
        scheduler.process.send_signal(signal.SIGHUP)
        assert scheduler.process.wait(60) == 0
    assert states(project) == {"sent": len(READERS)}
