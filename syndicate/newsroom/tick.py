"""What happens at each "now": the last good configuration, the plan, the couriers, and a line for the operator.

Everything is read anew at each tick, so what is edited is in force within a minute. What cannot be used is said once,
and what stood before stays in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Event
from time import monotonic
from traceback import format_exc
from typing import TYPE_CHECKING

from syndicate.app import App, Clock, assemble, check_accounts, database_url, make_templates, now, stages
from syndicate.config.secrets import file_reference, walk
from syndicate.config.settings import Settings
from syndicate.desks import Desks, Hands, together
from syndicate.errors import ConfigError, SyndicateError
from syndicate.model import Channel, Plan
from syndicate.newsroom.news import Milestones, News, of_accounts, of_fault, of_feedback, of_plan, of_report
from syndicate.newsroom.reminders import remind
from syndicate.pipeline import Progress, Report, make_plan, run
from syndicate.returns.intake import listen

if TYPE_CHECKING:
    from syndicate.deliver.metrics import Meter
    from syndicate.log import Log

#: (modification time in nanoseconds, size, inode); an editor that replaces the file changes the last
Stamp = tuple[int, int, int]


def tick(app: App, at: datetime) -> list[Report]:
    """Sends what is due at `at`, and nothing that was sent before."""
    return carry_out(app, make_plan(app, at), lambda key, tally: None)


def carry_out(app: App, plan: Plan, progress: Progress, hands: Hands = together) -> list[Report]:
    """Enters and delivers what a plan holds, and what earlier runs left unfinished.

    What came back is acted on first: who has complained since gets none of it.
    """
    from syndicate.returns.acting import act

    act(app)
    reports = []
    for stage, channels in stages(app, app.channels()):
        keep_alive(stage, channels)
        parts = [part for part in plan.channels if part.channel in channels]
        report = run(stage, parts, actor="scheduler", progress=progress, hands=hands)
        reports.append(replace(report, rehearsed=stage is not app))
    remind(app, plan, [report for report in reports if not report.rehearsed])
    return reports


def keep_alive(app: App, channels: Iterable[Channel]) -> None:
    """Renews what has to be renewed before it ends, also where nothing is to be sent for weeks."""
    for account in {channel.account for channel in channels}:
        with suppress(ConfigError):  # whoever sends with it says why
            app.renew(account, idle=True)


@dataclass
class Newsroom:
    """The app of the last good configuration, and what was said about it."""

    config: Path
    log: Log
    clock: Clock = now
    #: counts what happens; None: nobody asked
    meter: Meter | None = None
    #: set from any thread: what is in flight is finished, and nothing more is begun
    stop: Event = field(default_factory=Event)
    _app: App | None = field(default=None, init=False)
    _stamps: dict[Path, Stamp] = field(default_factory=dict, init=False)
    #: what may go on from one tick to the next
    _desks: Desks = field(default_factory=Desks, init=False)
    #: subjects of what the last tick said
    _said: set[object] = field(default_factory=set, init=False)

    def app(self) -> App:
        """Raises `ConfigError` only while there has been no good configuration yet."""
        if self._app is not None and stamps(self._stamps) == self._stamps:
            return self._app
        self._stamps = stamps({self.config, *self._stamps})  # before it is read: what changes meanwhile is read again
        try:
            fresh = self._read()
        except SyndicateError as error:
            if self._app is None:
                raise
            hint = f"The last good configuration stays in force. {error.hint or 'syndicate check says more.'}"
            fault = ConfigError(f"{self.config}: {error.message}", hint=hint, problems=error.problems)
            of_fault(fault, "configuration unusable").tell(self.log)
            return self._app
        old, self._app = self._app, fresh
        self._stamps |= stamps(secret_files(fresh.settings))
        if old is not None:
            self.log.info("configuration changed", says=f"{self.config} has changed and is in force.")
            old.close()
        return fresh

    def present(self) -> App:
        """The app that is in force, without a look at the files. For other threads; there has been one."""
        return self._app or self.app()

    def _read(self) -> App:
        app = replace(assemble(self.config, self.clock), stop=self.stop, meter=self.meter)
        if problems := check_accounts(app):
            raise ConfigError("an account cannot be used", problems=problems)
        if self._app is not None and database_url(app.settings) != database_url(self._app.settings):
            raise ConfigError(
                "the database cannot change while the scheduler runs", hint="Stop it, and start it again."
            )
        return app

    def tick(self) -> None:
        """One tick; whatever goes wrong is said, and the next tick comes."""
        began, told, failed = monotonic(), set[object](), False
        try:
            for news in self._work():
                told.add(news.subject)
                self._tell(news)
        except Exception as error:
            failed = True
            self.log.debug("traceback", says=format_exc())
            fault = of_fault(error if isinstance(error, SyndicateError) else unforeseen(error), "tick failed")
            told.add(fault.subject)
            self._tell(fault)
        self._said = told
        self.log.debug("tick", seconds=round(monotonic() - began, 3), failed=failed)
        if self.meter:
            self.meter.ticked(self.clock(), failed=failed)

    def close(self) -> None:
        """Waits for what goes on; `stop` makes that short."""
        self._desks.close()

    def _tell(self, news: News) -> None:
        """Unless the last tick has."""
        if news.subject not in self._said:
            news.tell(self.log)

    def _work(self) -> Iterator[News]:
        """All there is to say of one tick."""
        good = self.app()
        app = replace(good, templates=cache(lambda: make_templates(good.settings)))  # an app compiles them only once
        plan = make_plan(app, self.clock())
        for part in plan.channels:
            yield from of_plan(part)
        for report in carry_out(app, plan, Milestones(self.log), self._desks):
            yield from of_report(report, app.ledger)
        yield from of_feedback(listen(app))
        if app.has_ledger():
            yield from of_accounts(app.ledger(), app.settings.accounts, self.clock())


def stamps(files: Iterable[Path]) -> dict[Path, Stamp]:
    """What tells whether a file has changed; a missing file has a stamp too."""
    return {file: stamp(file) for file in files}


def stamp(file: Path) -> Stamp:
    """See `Stamp`."""
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def secret_files(settings: Settings) -> Iterator[Path]:
    """The files that hold secrets of accounts: a token that was renewed is a change of the configuration."""
    for account in settings.accounts.values():
        for _, value in walk(account.options):
            if isinstance(value, str) and (file := file_reference(value, settings.root)):
                yield file


def unforeseen(error: Exception) -> SyndicateError:
    """What is not a user's doing, in one line: a scheduler goes on where a command would end."""
    hint = "The next tick tries again. If it stays, this is a fault of Syndicate: please report it."
    return SyndicateError(f"{type(error).__name__}: {error}", hint=hint)
