"""The clock: once a minute it says "now". What is due is decided by the plan and the ledger, so a tick that is late,
doubled or missed changes nothing but the time at which it happens.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from syndicate.app import App, Clock, assemble, now, stages
from syndicate.errors import SyndicateError
from syndicate.pipeline import Report, make_plan, run


def tick(app: App, at: datetime) -> list[Report]:
    """Sends what is due at `at`, and nothing that was sent before."""
    plan = make_plan(app, at)
    reports = []
    for stage, channels in stages(app, app.channels()):
        parts = [part for part in plan.channels if part.channel in channels]
        reports.append(run(stage, parts, actor="scheduler", progress=lambda key, tally: None))
    return reports


@dataclass
class Newsroom:
    """The app of the last good configuration, read again when the file has changed."""

    config: Path
    #: prints a line for the operator
    say: Callable[[str], None]
    clock: Clock = now
    _app: App | None = field(default=None, init=False)
    _stamp: tuple[int, int] = field(default=(0, 0), init=False)

    def app(self) -> App:
        """Raises `ConfigError` only while there has been no good configuration yet."""
        found = self.config.stat() if self.config.exists() else None
        stamp = (found.st_mtime_ns, found.st_size) if found else (0, 0)
        if self._app is None or stamp != self._stamp:
            try:
                self._app = assemble(self.config, self.clock)
            except SyndicateError as error:
                if self._app is None:
                    raise
                self.say(f"{error.message}; the last good configuration stays in force (syndicate check)")
            self._stamp = stamp
        return self._app

    def tick(self) -> None:
        """One tick; whatever goes wrong is said, and the next tick comes."""
        try:
            reports = tick(self.app(), self.clock())
        except SyndicateError as error:
            self.say(f"error: {error.message} {error.hint}".strip())
            return
        for report in reports:
            for one in report.done:
                self.say(f"{one.key}: sent {one.tally.sent}, refused {one.tally.refused}, unknown {one.tally.unknown}")
            for failure in report.failures:
                self.say(f"{failure.key}: {failure.problem.where}: {failure.problem.message} {failure.problem.hint}")


def serve(config: Path, say: Callable[[str], None]) -> None:
    """Ticks at every full minute until SIGTERM or SIGINT; a tick under way is finished first."""
    from apscheduler.schedulers.background import BackgroundScheduler

    newsroom = Newsroom(config, say)
    newsroom.app()
    # The default grace of one second would silently drop a tick that the machine slept through.
    scheduler = BackgroundScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    scheduler.add_job(newsroom.tick, "cron", second=0, next_run_time=now())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    scheduler.start()
    say("Running; a tick every minute. Ctrl-C stops after what is in flight.")
    stop.wait()
    scheduler.shutdown(wait=True)
