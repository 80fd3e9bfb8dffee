"""The clock: once a minute it says "now". What is due is decided by the plan and the ledger, so a tick that is late,
doubled or missed changes nothing but the time at which it happens.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from syndicate.app import App, Clock, database_url, now
from syndicate.database.files import locate
from syndicate.deliver.metrics import Meter
from syndicate.deliver.signals import ending
from syndicate.errors import NeedsPerson
from syndicate.lock import FileLock
from syndicate.newsroom.tick import Newsroom

if TYPE_CHECKING:
    from apscheduler.job import Job

    from syndicate.log import Log

Beside = Callable[[Newsroom], AbstractContextManager[object]]
MINUTE = timedelta(minutes=1)
#: Seconds after which a standby looks again whether the lock is free.
PATIENCE = 0.5


def serve(
    config: Path,
    log: Log,
    *,
    standby: bool = False,
    clock: Clock = now,
    metrics: str = "",
    beside: Beside | None = None,
    ticking: bool = True,
) -> None:
    """Ticks at every full minute until SIGTERM, SIGINT or SIGHUP, then finishes what is in flight. Main thread only.

    `metrics`: `[HOST:]PORT` where Prometheus may read how it goes; empty: nowhere. What is `beside` it lasts from the
    first good configuration to the end; with `ticking` off, that is all there is.
    Raises `NeedsPerson` if another scheduler works on the database, unless `standby`: then it waits, and takes over.
    Raises `ConfigError` if the configuration cannot be used from the start.
    """
    calls = caught()
    newsroom = Newsroom(config, log, clock, Meter() if metrics or beside else None)
    newsroom.app()
    with beside(newsroom) if beside else nullcontext():
        if ticking:
            alone(newsroom, calls, standby, metrics)
        else:
            attend(newsroom, calls)


def alone(newsroom: Newsroom, calls: SimpleQueue[int], standby: bool, metrics: str) -> None:
    """Ticks under the lock of the database. Raises `NeedsPerson`."""
    lock = lock_of(newsroom.app())
    try:
        if lock is None or taken(lock, standby, calls, newsroom.log, newsroom.clock):
            with observed(newsroom, metrics):
                run_clock(newsroom, calls)
    finally:
        if lock:
            lock.release()


def attend(newsroom: Newsroom, calls: SimpleQueue[int]) -> None:
    """Looks at the configuration once a minute, and at nothing else, until a signal comes."""
    while not called(calls, MINUTE.total_seconds()):
        newsroom.app()
    newsroom.log.info("stopping", says="Stopping: what was asked is answered first; a second signal ends it at once.")
    newsroom.stop.set()


@contextmanager
def observed(newsroom: Newsroom, where: str) -> Iterator[None]:
    """Serves the numbers, if they were asked for."""
    if newsroom.meter is None or not where:
        yield
        return
    from syndicate.newsroom.exposition import served

    with served(newsroom.meter, newsroom.present, where) as address:
        newsroom.log.info("metrics served", says=f"Metrics: {address}", address=address)
        yield


def run_clock(newsroom: Newsroom, calls: SimpleQueue[int]) -> None:
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
    log = newsroom.log
    log.info("scheduler started", says="Running; a tick every minute. Ctrl-C stops after what is in flight.")
    while not called(calls, MINUTE.total_seconds()):
        set_right(job, now())
    says = "Stopping: what is in flight is finished first; a second signal ends it at once."
    log.info("scheduler stopping", says=says)
    newsroom.stop.set()
    scheduler.shutdown(wait=True)
    newsroom.close()
    log.info("scheduler stopped", says="Stopped.")


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
    signals = ending()

    def drain(number: int, frame: object) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
        calls.put(number)

    for each in signals:
        signal.signal(each, drain)
    return calls


def lock_of(app: App) -> FileLock | None:
    """The lock of the app's database; None for one in memory, which no other process can reach."""
    path = locate(database_url(app.settings), app.root)
    return FileLock.beside(path) if path else None


def taken(lock: FileLock, standby: bool, calls: SimpleQueue[int], log: Log, clock: Clock) -> bool:
    """Whether the lock is ours; False if a signal came while it was waited for."""
    if lock.take(clock()):
        return True
    if not standby:
        raise NeedsPerson(
            f"another scheduler works on this database: {lock.holder()}",
            hint="Stop it first, or wait for its end with --standby. `run --once` may run beside it.",
        )
    log.info("standing by", says=f"Standing by: {lock.holder()}, is the scheduler.")
    while not lock.take(clock()):
        if called(calls, PATIENCE):
            log.info("scheduler stopped", says="Stopped.")
            return False
    log.info("taking over", says="The other scheduler has ended; this one takes over.")
    return True
