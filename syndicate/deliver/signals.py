"""The first SIGINT or SIGTERM drains, the second ends the process at once: the attempt log decides."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def draining(stop: Callable[[], None]) -> Iterator[None]:
    """Calls `stop` at the first signal; when the block has ended, the signal does what it would have done before.

    Only the main thread gets signals; in any other this does nothing, and whoever runs that thread calls `stop`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []

    def drain(number: int, frame: object) -> None:
        caught.append(number)
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        stop()

    before = {each: signal.signal(each, drain) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if caught:
            signal.raise_signal(caught[0])
