"""What happens at each "now": the last good configuration, the plan, the couriers, and a line for the operator.

Everything is read anew at each tick, so what is edited is in force within a minute. What cannot be used is said once,
and what stood before stays in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Event

from syndicate.app import App, Clock, assemble, check_accounts, database_url, make_templates, now, stages
from syndicate.config.secrets import file_reference, walk
from syndicate.config.settings import Settings
from syndicate.errors import ConfigError, SyndicateError
from syndicate.model import ChannelPlan, Plan
from syndicate.pipeline import Report, make_plan, run
from syndicate.reminders import remind

#: Notes of a plan that an operator wants to know of; the others say that all is as it should be.
TELLING = {"late-skip", "late-ask", "blackout"}
#: (modification time in nanoseconds, size, inode); an editor that replaces the file changes the last
Stamp = tuple[int, int, int]


def tick(app: App, at: datetime) -> list[Report]:
    """Sends what is due at `at`, and nothing that was sent before."""
    return carry_out(app, make_plan(app, at))


def carry_out(app: App, plan: Plan) -> list[Report]:
    """Enters and delivers what a plan holds, and what earlier runs left unfinished."""
    reports, live = [], []
    for stage, channels in stages(app, app.channels()):
        parts = [part for part in plan.channels if part.channel in channels]
        reports.append(run(stage, parts, actor="scheduler", progress=lambda key, tally: None))
        live += reports[-1:] if stage is app else []
    remind(app, plan, live)
    return reports


@dataclass
class Newsroom:
    """The app of the last good configuration, and what was said about it."""

    config: Path
    #: prints a line for the operator
    say: Callable[[str], None]
    #: prints what went wrong
    warn: Callable[[SyndicateError], None]
    clock: Clock = now
    #: set from any thread: what is in flight is finished, and nothing more is begun
    stop: Event = field(default_factory=Event)
    _app: App | None = field(default=None, init=False)
    _stamps: dict[Path, Stamp] = field(default_factory=dict, init=False)
    #: what the last tick said, by subject
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
            self.warn(ConfigError(f"{self.config}: {error.message}", hint=hint, problems=error.problems))
            return self._app
        old, self._app = self._app, fresh
        self._stamps |= stamps(secret_files(fresh.settings))
        if old is not None:
            self.say(f"{self.config} has changed and is in force.")
            old.close()
        return fresh

    def _read(self) -> App:
        app = replace(assemble(self.config, self.clock), stop=self.stop)
        if problems := check_accounts(app):
            raise ConfigError("an account cannot be used", problems=problems)
        if self._app is not None and database_url(app.settings) != database_url(self._app.settings):
            raise ConfigError(
                "the database cannot change while the scheduler runs", hint="Stop it, and start it again."
            )
        return app

    def tick(self) -> None:
        """One tick; whatever goes wrong is said, and the next tick comes."""
        told: set[object] = set()
        try:
            for subject, line in self._work():
                told.add(subject)
                if subject not in self._said:
                    self.say(line)
        except Exception as error:
            fault = error if isinstance(error, SyndicateError) else unforeseen(error)
            told.add(fault.message)
            if fault.message not in self._said:
                self.warn(fault)
        self._said = told

    def _work(self) -> Iterator[tuple[object, str]]:
        """(subject, line) of all there is to say; a subject that the last tick had is not said again."""
        good = self.app()
        app = replace(good, templates=cache(lambda: make_templates(good.settings)))  # an app compiles them only once
        plan = make_plan(app, self.clock())
        for part in plan.channels:
            yield from notes(part)
        for report in carry_out(app, plan):
            yield from ((line, line) for line in lines(report))


def notes(part: ChannelPlan) -> Iterator[tuple[object, str]]:
    """Why a channel does not speak, and what waits for a person."""
    if part.code in TELLING:
        yield (part.channel.name, part.code, part.occasion), f"{part.channel.name}: {part.note}"
    for key in part.waiting:
        yield key, f"{key}: waits for a person; to send it: {part.answer}"


def lines(report: Report) -> Iterator[str]:
    """What became of the editions of one run."""
    for one in report.done:
        tally = one.tally
        counts = f"sent {tally.sent}, refused {tally.refused}, later {tally.deferred}, unknown {tally.unknown}"
        yield "; ".join(filter(None, (f"{one.key}: {counts}", tally.note, tally.waits)))
    for waits in report.waiting:
        yield f"{waits.key}: waits for approval{f' ({waits.reason})' if waits.reason else ''}: {waits.answer}"
    for problem in (*(failure.problem for failure in report.failures), *report.problems):
        yield f"{problem.where}: {problem.message} {problem.hint}".rstrip()


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
