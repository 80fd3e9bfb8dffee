"""A worker that dies at the n-th thing it does, before it did it or right after, in a process of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, cast

from syndicate.deliver.attempts import Attempts
from syndicate.deliver.base import LedgerLike
from syndicate.deliver.courier import Courier
from syndicate.deliver.disk import Disk
from syndicate.ledger import attempts_folder, open_ledger
from syndicate.testing.adapters_scripted import mail_for
from syndicate.testing.clock import Clock
from syndicate.testing.crash import SENDERS

#: Operations of the disk that change something; closing is what the kernel does for the dead anyway.
DISK = ("folder", "create", "open", "lock", "append", "sync", "replace", "read", "remove")


@dataclass
class Death:
    """Counts what is done of one kind, and dies at the n-th."""

    #: such as `ledger.claim`; empty: of any kind
    step: str
    at: int
    #: dies right after it, and not before
    done: bool
    _numbers: Iterator[int] = field(default_factory=partial(count, 1), init=False)

    def around(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same, as one of the things that are counted."""
        if self.step not in {"", name}:
            return act

        def call(*arguments: Any, **more: Any) -> Any:
            last = next(self._numbers) == self.at  # a courier has two threads
            if last and not self.done:
                _die()
            found = act(*arguments, **more)
            if last:
                _die()
            return found

        return call


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Ledger:
    """Every call counts."""

    def __init__(self, ledger: LedgerLike, death: Death) -> None:
        self._ledger = ledger
        self._death = death

    def __getattr__(self, name: str) -> Any:
        return self._death.around(f"ledger.{name}", getattr(self._ledger, name))


def mortal(url: str, root: Path, death: Death, batch: int) -> Courier:
    """A courier whose every ledger call and every change of its log is counted."""
    disk = Disk()
    for name in DISK:
        setattr(disk, name, death.around(f"log.{name}", getattr(disk, name)))
    ledger = cast(LedgerLike, _Ledger(open_ledger(url, root), death))
    return Courier(ledger, Clock(), attempts=Attempts(attempts_folder(url, root), disk=disk), batch=batch)


def deliver(
    network: str, url: str, root: Path, port: int, key: str, connections: int, batch: int, death: Death
) -> None:
    """Delivers an edition; until it is done, or dies as it was told."""
    compose = death.around("compose", mail_for)
    mortal(url, root, death, batch).deliver(key, SENDERS[network](port, connections), compose)


def recover(url: str, root: Path, death: Death) -> None:
    """Settles what others left; until it is done, or dies as it was told."""
    mortal(url, root, death, 100).recover()
