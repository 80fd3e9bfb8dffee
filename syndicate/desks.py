"""Who works at the same time: one courier for each account, so that a slow or dead network holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
#: An account's work, with what came of it.
Job = Callable[[], list[T]]

#: Seconds after which a tick no longer waits: what goes on is told by a later one.
PATIENCE = 30.0
#: Accounts at work at once; a publication has a handful.
MOST = 32


class Hands(Protocol):
    """How the work of several accounts is done."""

    def __call__(self, jobs: Mapping[str, Job[T]]) -> list[T]:
        """What came of those jobs that have ended."""


def in_turn(jobs: Mapping[str, Job[T]]) -> list[T]:
    """One after the other: a dry run says the same in the same order each time."""
    return [one for job in jobs.values() for one in job()]


def together(jobs: Mapping[str, Job[T]]) -> list[T]:
    """At the same time; what came of all of them, in the order in which they were given."""
    if len(jobs) < 2:
        return in_turn(jobs)
    with ThreadPoolExecutor(min(len(jobs), MOST), thread_name_prefix="account") as pool:
        futures = [pool.submit(job) for job in jobs.values()]
    return [one for future in futures for one in future.result()]


class Desks:
    """The accounts of a scheduler: each works on through as many ticks as it needs."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._pool = ThreadPoolExecutor(MOST, thread_name_prefix="account")
        self._busy: dict[str, Future[list[Any]]] = {}

    def __call__(self, jobs: Mapping[str, Job[T]]) -> list[T]:
        """Begins what is not under way for its account; what came of all that ended, of earlier ticks too."""
        for account, job in jobs.items():
            if account not in self._busy:
                self._busy[account] = self._pool.submit(job)
        wait(self._busy.values(), timeout=self._patience)
        ended = [account for account, future in self._busy.items() if future.done()]
        return [one for account in ended for one in self._busy.pop(account).result()]

    def close(self) -> None:
        """Waits for what is under way."""
        self._pool.shutdown(wait=True)
