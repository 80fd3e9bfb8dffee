"""The clock: once a minute it says "now". What is due is decided by the plan and the ledger, so a tick that is late,
doubled or missed changes nothing but the time at which it happens.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from syndicate.app import App, Clock, database_url, now
from syndicate.database.files import locate
from syndicate.errors import NeedsPerson, SyndicateError
from syndicate.lock import FileLock
from syndicate.newsroom import Newsroom

if TYPE_CHECKING:
    from apscheduler.job import Job

SIGNALS = (signal.SIGINT, signal.SIGTERM)
MINUTE = timedelta(minutes=1)
#: Seconds after which a standby looks again whether the lock is free.
PATIENCE = 0.5


def serve(
    config: Path,
    say: Callable[[str], None],
    warn: Callable[[SyndicateError], None],
    *,
    standby: bool = False,
    clock: Clock = now,
) -> None:
    """Ticks at every full minute until SIGTERM or SIGINT, then finishes what is in flight. Main thread only.

    Raises `NeedsPerson` if another scheduler works on the database, unless `standby`: then it waits, and takes over.
    Raises `ConfigError` if the configuration cannot be used from the start.
    """
    calls = caught()
    newsroom = Newsroom(config, say, warn, clock)
    lock = lock_of(newsroom.app())
    try:
        if lock is None or taken(lock, standby, calls, say, clock):
            run_clock(newsroom, calls, say)
    finally:
        if lock:
            lock.release()


def run_clock(newsroom: Newsroom, calls: SimpleQueue[int], say: Callable[[str], None]) -> None:
    """Ticks until a signal comes, and returns when the tick under way has ended."""
    from apscheduler.schedulers.background import BackgroundScheduler

    # It warns of each minute in which a long send is still under way, which is nothing to worry about.
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    # The default grace of one second would silently drop a tick that the machine slept through.
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    job = scheduler.add_job(newsroom.tick, "cron", second=0, next_run_time=now())
    scheduler.start()
    say("Running; a tick every minute. Ctrl-C stops after what is in flight.")
    while not called(calls, MINUTE.total_seconds()):
        set_right(job, now())
    say("Stopping: what is in flight is finished first; a second signal ends it at once.")
    newsroom.stop.set()
    scheduler.shutdown(wait=True)
    say("Stopped.")


def set_right(job: Job, at: datetime) -> None:
    """Where the machine's clock was set back, the next tick would be that far away: it comes now."""
    if job.next_run_time - at > 2 * MINUTE:
        job.modify(next_run_time=at)


def called(calls: SimpleQueue[int], seconds: float) -> bool:
    """Whether a signal came, or comes within so many seconds."""
    try:
        calls.get(timeout=seconds)
    except Empty:
        return False
    return True


def caught() -> SimpleQueue[int]:
    """From now on the first signal goes into the queue, and the second ends the process: the attempt log decides then.

    A queue of this kind, because its `put` may interrupt its `get`; an `Event` would wait for itself for ever.
    """
    calls: SimpleQueue[int] = SimpleQueue()

    def drain(number: int, frame: object) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        calls.put(number)

    for each in SIGNALS:
        signal.signal(each, drain)
    return calls


def lock_of(app: App) -> FileLock | None:
    """The lock of the app's database; None for one in memory, which no other process can reach."""
    path = locate(database_url(app.settings), app.root)
    return FileLock.beside(path) if path else None


def taken(lock: FileLock, standby: bool, calls: SimpleQueue[int], say: Callable[[str], None], clock: Clock) -> bool:
    """Whether the lock is ours; False if a signal came while it was waited for."""
    if lock.take(clock()):
        return True
    if not standby:
        raise NeedsPerson(
            f"another scheduler works on this database: {lock.holder()}",
            hint="Stop it first, or wait for its end with --standby. `run --once` may run beside it.",
        )
    say(f"Standing by: {lock.holder()}, is the scheduler.")
    while not lock.take(clock()):
        if called(calls, PATIENCE):
            say("Stopped.")
            return False
    say("The other scheduler has ended; this one takes over.")
    return True
