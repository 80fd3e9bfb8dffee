"""Work for a second processor: what the file system has to say takes as long as what the index has to say."""

from __future__ import annotations

import marshal
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def aside(work: Callable[[], T], *, wanted: bool) -> Callable[[], T]:
    """Begins `work` in a fork of this process, where that is wanted and safe; what came of it, when it is called.

    The result has to be of types that `marshal` knows. Where there is no fork, or whatever went wrong in it, the work
    is done here, when its result is called for. A process with threads is not forked: what one of them holds would be
    held for ever in the copy.
    """
    if not wanted or threading.active_count() > 1 or not hasattr(os, "fork") or (os.cpu_count() or 1) < 2:
        return work
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        _answer(work, sender)
    os.close(sender)

    def result() -> T:
        with os.fdopen(receiver, "rb") as pipe:
            data = pipe.read()
        os.waitpid(child, 0)
        try:
            found: T = marshal.loads(data)
        except (EOFError, ValueError, TypeError):
            return work()
        return found

    return result


def _answer(work: Callable[[], Any], sender: int) -> None:
    """In the fork: writes the result and ends, without what an end of the real process would do (flush, clean up)."""
    try:
        with os.fdopen(sender, "wb") as pipe:
            marshal.dump(work(), pipe)
    finally:
        os._exit(0)
