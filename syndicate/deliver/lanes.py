"""A lane for any sender with a plain `send`: one thread, and one session, for each connection."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from syndicate.deliver.attempts import LogBroken
from syndicate.deliver.base import Job, Lane, Record, Sender, Tried
from syndicate.errors import SyndicateError
from syndicate.model import Deferred, Paused, Receipt, Refused, Unknown

#: Seconds without news after which a lane says so.
TICK = 0.25

_OUTCOMES = (Receipt, Refused, Deferred, Paused, Unknown)


def lane_of(sender: Sender) -> Lane:
    """A sender may bring its own lane (`lane()`); any other gets threads for nothing."""
    own: Callable[[], Lane] | None = getattr(sender, "lane", None)
    return own() if own else ThreadLane(sender)


class ThreadLane:
    """See `base.Lane`. No more jobs are taken than there are threads, so that nothing waits in a queue."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def run(self, jobs: Iterator[Job], log: Record) -> Generator[Tried | None, None, None]:
        """Sends, `options.connections` at once."""
        crew = _Crew(self._sender, log)
        failure: LogBroken | None = None
        try:
            while True:
                while failure is None and crew.has_room() and (job := next(jobs, None)):
                    crew.give(job)
                if not crew.busy:
                    break
                found = crew.news()
                if isinstance(found, LogBroken):
                    failure = failure or found
                else:
                    yield found
        finally:
            crew.dismiss()
        if failure:
            raise failure


class _Crew:
    """Threads that try one job after the other."""

    def __init__(self, sender: Sender, log: Record) -> None:
        self._sender = sender
        self._log = log
        self._size: int = sender.options.connections
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._news: SimpleQueue[Tried | LogBroken] = SimpleQueue()
        self._threads: list[Thread] = []
        #: jobs that were given and not answered
        self.busy = 0

    def has_room(self) -> bool:
        """Whether a thread is free, or can still be started."""
        return self.busy < self._size

    def give(self, job: Job) -> None:
        """Hands out a job; there is room."""
        self.busy += 1
        self._jobs.put(job)
        if len(self._threads) < self.busy:
            # A daemon, so that a second signal does not have to wait for a network.
            self._threads.append(Thread(target=self._work, name="lane", daemon=True))
            self._threads[-1].start()

    def news(self) -> Tried | LogBroken | None:
        """The next answer; None if there was none for a while."""
        try:
            found = self._news.get(timeout=TICK)
        except Empty:
            return None
        self.busy -= 1
        return found

    def dismiss(self) -> None:
        """Lets everybody finish."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with ExitStack() as stack:
            session: list[Any] = []
            while job := self._jobs.get():
                try:
                    if not session:
                        session.append(stack.enter_context(self._sender.open()))
                    self._news.put(attempt(self._sender, session[0], job, self._log))
                except LogBroken as error:
                    self._news.put(error)
                except Exception as error:
                    self._news.put(Tried(job, Deferred(f"no connection: {_words(error)}", reached=False)))


def attempt(sender: Sender, session: Any, job: Job, log: Record) -> Tried:
    """Prepares and sends one job. Raises `LogBroken` if it was not sent because that could not be noted."""
    prepared = _prepared(sender, session, job)
    if isinstance(prepared, _OUTCOMES):
        return Tried(job, prepared)
    job = replace(job, payload=prepared)
    log.started(job)
    try:
        outcome = sender.send(session, prepared, job.delivery.key)
    except Exception as error:
        outcome = Unknown(f"the adapter failed while it was sending: {_words(error)}")
    with suppress(LogBroken):  # the answer is known here and will be settled; the next `started` stops the run
        log.done(job.delivery, outcome)
    return Tried(job, outcome)


def _prepared(sender: Sender, session: Any, job: Job) -> Any:
    """The payload to send, or an outcome. Nothing public has happened, so silence is no doubt."""
    try:
        prepared = sender.prepare(session, job.payload)
    except SyndicateError as error:
        return Refused(_words(error))
    except Exception as error:
        return Deferred(f"the adapter failed while it prepared the message: {_words(error)}")
    return Deferred(prepared.reason) if isinstance(prepared, Unknown) else prepared


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
