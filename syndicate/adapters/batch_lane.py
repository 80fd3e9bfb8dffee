"""A lane that takes many and yields many: calls with as many recipients as a provider takes, `connections` at once.

A call that is refused as a whole is halved until the one recipient stands alone whose refusal it was. Nothing is tried
again that may have been accepted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from syndicate.adapters.items import batch_key, fits, weight
from syndicate.errors import LedgerError
from syndicate.model import Deferred, Outcome, Paused, Refused, Request, Unknown
from syndicate.model.lane import TOGETHER, Job, Record, Tried

if TYPE_CHECKING:
    from syndicate.adapters.batch import Provider

TICK = 0.25  # seconds without news after which a lane says so
PATIENCE = 1.0  # seconds that the first recipient of a call waits for the last one
#: Keys in `Job.fills`, beside `TOGETHER`: which place in the call, and how many there are.
PLACE, COUNT = "place", "count"

Batch = tuple[Job, ...]


class BatchLane:
    """See `model.lane.Lane`."""

    def __init__(self, provider: Provider, pulse: Callable[[], float] = monotonic) -> None:
        self._provider = provider
        self._pulse = pulse

    def run(self, jobs: Iterator[Job], log: Record) -> Generator[Tried | None, None, None]:
        """Sends."""
        crew = _Crew(self._provider, log)
        batches = gathered(jobs, self._provider, self._pulse)
        failure: LedgerError | None = None
        try:
            while True:
                while failure is None and crew.has_room() and (batch := next(batches, None)):
                    if isinstance(batch, Torn):
                        yield from batch.answers()
                    else:
                        crew.give(batch)
                if not crew.busy:
                    break
                found = crew.news()
                if isinstance(found, LedgerError):
                    failure = failure or found
                elif found is None:
                    yield None
                else:
                    yield from found
        finally:
            crew.dismiss()
        if failure:
            raise failure


@dataclass(frozen=True, slots=True)
class Torn:
    """What is left of an earlier call that cannot be made again as it was, so that nobody would recognise it."""

    jobs: Batch

    def answers(self) -> Iterator[Tried]:
        """Each stays in doubt; nothing is sent."""
        why = Unknown("the others that travelled in the same call are not here, and alone nobody would recognise it")
        return (Tried(job, why) for job in self.jobs)


def gathered(jobs: Iterator[Job], provider: Provider, pulse: Callable[[], float]) -> Iterator[Batch | Torn]:
    """Jobs by calls. What may have arrived in an earlier call waits until all of that call are here."""
    held: list[Job] = []
    size, began = 0, 0.0
    calls: dict[str, list[Job]] = {}
    for job in jobs:
        if job.delivery.doubted and provider.dedupe.repeat:
            yield from _again(calls, job)
            continue
        if held and not fits(held[0].payload, size, job.payload, provider.max_bytes):
            yield tuple(held)
            held = []
        if not held:
            size, began = len(job.payload.content), pulse()
        else:
            size += weight(job.payload)
        held.append(job)
        if len(held) >= provider.batch or pulse() - began > PATIENCE:
            yield tuple(held)
            held = []
    if held:
        yield tuple(held)
    yield from (Torn(tuple(call)) for call in calls.values())


def _again(calls: dict[str, list[Job]], job: Job) -> Iterator[Batch | Torn]:
    """The call of a job in doubt, once it is complete."""
    if TOGETHER not in job.fills:
        yield (job,)
        return
    name = job.fills[TOGETHER]
    call = calls.setdefault(name, [])
    call.append(job)
    if len(call) == int(job.fills[COUNT]):
        found = tuple(sorted(calls.pop(name), key=lambda one: int(one.fills[PLACE])))
        yield found if call_key(found) == name else Torn(found)


def call_key(batch: Batch) -> str:
    """The idempotency key of a call: that of its recipients and their bytes."""
    return batch_key([(job.delivery.key, job.sha256) for job in batch])


def tried(provider: Provider, session: Any, batch: Batch, log: Record) -> Iterator[list[Tried]]:
    """Makes the call, and those that it has to be divided into. Raises what `log.started` raises; nobody is left out.

    An answer that says something of the account or the network ends it: the others share it and are not asked.
    """
    waiting, divided = deque([batch]), False
    shared: Outcome | None = None
    while waiting:
        jobs = _named(waiting.popleft(), provider)
        if shared:
            yield [Tried(job, shared) for job in jobs]
            continue
        try:
            log.started(*jobs)
        except LedgerError:
            if divided:
                yield [Tried(job, _NOT_SENT) for half in (jobs, *waiting) for job in half]
            raise
        outcomes = _outcomes(provider, session, jobs)
        if _divisible(jobs, outcomes, provider):
            _note(log, [Tried(job, _NOT_SENT) for job in jobs])
            middle, divided = len(jobs) // 2, True
            waiting.extendleft((jobs[middle:], jobs[:middle]))
            continue
        found = list(map(Tried, jobs, outcomes))
        _note(log, found)
        yield found
        shared = _for_all(outcomes)


_NOT_SENT = Deferred("the call that carried it was refused because of somebody else")


def _named(batch: Batch, provider: Provider) -> Batch:
    """The jobs with the name of their call, where only the same call again would be recognised."""
    if not provider.dedupe.repeat or (len(batch) == 1 and not batch[0].fills):
        return batch
    name, count = call_key(batch), str(len(batch))
    return tuple(
        replace(job, payload=replace(job.payload, fills={TOGETHER: name, PLACE: str(place), COUNT: count}))
        if isinstance(job.payload, Request)
        else job
        for place, job in enumerate(batch)
    )


def _outcomes(provider: Provider, session: Any, jobs: Batch) -> Sequence[Outcome]:
    try:
        return provider.call(session, [job.payload for job in jobs], call_key(jobs))
    except Exception as error:
        return [Unknown(f"the adapter failed while it was sending: {type(error).__name__}: {error}")] * len(jobs)


def _divisible(jobs: Batch, outcomes: Sequence[Outcome], provider: Provider) -> bool:
    """Whether one refusal of the whole call speaks for all, which may be the fault of one recipient.

    Not for what is in doubt: nobody would recognise it in another call.
    """
    first = outcomes[0]
    refused = isinstance(first, Refused) and all(outcome is first for outcome in outcomes)
    doubted = provider.dedupe.repeat and any(job.delivery.doubted for job in jobs)
    return len(jobs) > 1 and refused and not doubted


def _for_all(outcomes: Sequence[Outcome]) -> Outcome | None:
    """What holds for those too that were not asked yet."""
    last = outcomes[-1]
    if isinstance(last, Unknown):
        return Deferred(f"not sent, because the call before got no answer: {last.reason}")
    return last if isinstance(last, Paused | Deferred) else None


def _note(log: Record, found: Sequence[Tried]) -> None:
    with suppress(LedgerError):  # the answers are known here and will be settled; the next `started` stops the run
        log.all_done(found)


class _Crew:
    """Threads that make one call after the other."""

    def __init__(self, provider: Provider, log: Record) -> None:
        self._provider = provider
        self._log = log
        self._size: int = provider.options.connections
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        #: answers; an error, or an empty list, ends the batch
        self._news: SimpleQueue[list[Tried] | LedgerError] = SimpleQueue()
        self._threads: list[Thread] = []
        #: batches that were given and not ended
        self.busy = 0

    def has_room(self) -> bool:
        """Whether a thread is free, or can still be started."""
        return self.busy < self._size

    def give(self, batch: Batch) -> None:
        """Hands out a call; there is room."""
        self.busy += 1
        self._batches.put(batch)
        if len(self._threads) < self.busy:
            # A daemon, so that a second signal does not have to wait for a network.
            self._threads.append(Thread(target=self._work, name="lane", daemon=True))
            self._threads[-1].start()

    def news(self) -> list[Tried] | LedgerError | None:
        """The next answers; None if there were none for a while."""
        try:
            found = self._news.get(timeout=TICK)
        except Empty:
            return None
        if not found or isinstance(found, LedgerError):
            self.busy -= 1
        return found

    def dismiss(self) -> None:
        """Lets everybody finish."""
        for _ in self._threads:
            self._batches.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with ExitStack() as stack:
            session: list[Any] = []
            while batch := self._batches.get():
                ended: list[Tried] | LedgerError = []
                try:
                    if not session:
                        session.append(stack.enter_context(self._provider.open()))
                    for found in tried(self._provider, session[0], batch, self._log):
                        self._news.put(found)
                except LedgerError as error:
                    ended = error
                except Exception as error:
                    why = Deferred(f"no connection: {type(error).__name__}: {error}", reached=False)
                    self._news.put([Tried(job, why) for job in batch])
                self._news.put(ended)
