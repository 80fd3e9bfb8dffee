"""The first signal to end drains, the second ends the process at once: the attempt log decides."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def ending() -> tuple[signal.Signals, ...]:
    """Signals that ask a process to end. A closed terminal sends SIGHUP, unless `nohup` has switched it off."""
    asked = (signal.SIGINT, signal.SIGTERM)
    return asked if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*asked, signal.SIGHUP)


@contextmanager
def draining(stop: Callable[[], None]) -> Iterator[None]:
    """Calls `stop` at the first signal; when the block has ended, the signal does what it would have done before.

    Only the main thread gets signals; in any other this does nothing, and whoever runs that thread calls `stop`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    signals = ending()

    def drain(number: int, frame: object) -> None:
        caught.append(number)
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
        stop()

    before = {each: signal.signal(each, drain) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        if caught:
            signal.raise_signal(caught[0])
