"""Couriers in processes of their own, where one processor is not enough for an account.

Any number of couriers may work on one ledger, so these need no more than a command each. They share the account's
connections, and end with the edition, or with whoever has started them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from syndicate.model import State

if TYPE_CHECKING:
    from syndicate.adapters.base import Adapter
    from syndicate.app import App
    from syndicate.ledger.base import EditionRow

#: Deliveries for which it pays to start a process, which takes half a second.
WORTHWHILE = 2000


@contextmanager
def assisted(app: App, row: EditionRow) -> Iterator[App]:
    """The app of one courier among as many as the account wants; the others begin with it, and are awaited."""
    count = _processes(app, row)
    config = app.root / app.loaded.shown
    ours = ("--share", str(count), "--beside", str(os.getpid()))
    command = [sys.executable, "-m", "syndicate", "--config", str(config), "worker", row.key, *ours]
    # Nothing of it is for stdout; what goes wrong stands in the ledger, and on stderr.
    others = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) for _ in range(1, count)]
    try:
        yield sharing(app, count)
    finally:
        for other in others:
            if app.stop.is_set():
                other.terminate()
        for other in others:
            other.wait()


def sharing(app: App, parts: int) -> App:
    """The same app with its part of the connections of each account."""
    return replace(app, adapter=lambda name: _part(app.adapter(name), parts)) if parts > 1 else app


def left_alone(starter: int) -> bool:
    """Whether the process that has started this one has ended; 0: nobody is to be waited for."""
    return starter > 0 and os.getppid() != starter


def _processes(app: App, row: EditionRow) -> int:
    """How many couriers: one, where others would only wait, or could not see the ledger."""
    if app.attempts() is None or app.limits(row.account).account or row.counts[State.PLANNED] < WORTHWHILE:
        return 1
    return getattr(app.adapter(row.account).options, "processes", 1)


@lru_cache(maxsize=64)  # an adapter remembers how many connections its server bears
def _part(adapter: Adapter, parts: int) -> Adapter:
    options = adapter.options
    return type(adapter)(options.model_copy(update={"connections": max(1, options.connections // parts)}))
