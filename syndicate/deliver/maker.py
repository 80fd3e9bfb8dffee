"""Payloads, made when the lane asks for them; or ahead of it on all processors, where making one takes a signature."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

from syndicate.deliver.base import Compose, Sender
from syndicate.model import Delivery, Payload

#: Gives the payload, or raises what stood in its way.
Made: TypeAlias = Callable[[], Payload]

#: Payloads that are made ahead, for each processor.
WINDOW = 4


class Maker:
    """Makes the payloads of one run."""

    def __init__(self, sender: Sender, compose: Compose) -> None:
        self._compose = compose
        cores = os.cpu_count() or 1
        # An RSA signature takes three times as long as all else for a mail, and lets go of the interpreter meanwhile.
        self._crew = ThreadPoolExecutor(cores, "composer") if getattr(sender, "signs", False) else None
        #: payloads that are begun before the first of them is asked for
        self.window = WINDOW * cores

    def payloads(self, batch: Sequence[Delivery]) -> Iterator[tuple[Delivery, Made]]:
        """Each delivery with its payload, in their order."""
        if self._crew is None:
            for delivery in batch:
                yield delivery, partial(self._compose, delivery)
            return
        begun: deque[tuple[Delivery, Made]] = deque()
        for delivery in batch:
            begun.append((delivery, self._crew.submit(self._compose, delivery).result))
            if len(begun) >= self.window:
                yield begun.popleft()
        yield from begun

    def close(self) -> None:
        """Makes nothing more."""
        if self._crew:
            self._crew.shutdown(cancel_futures=True)
