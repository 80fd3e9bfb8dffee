"""How many connections a mail server bears."""

from __future__ import annotations

#: Seconds until one more is tried.
GROWTH = 60.0


class Allowance:
    """All that are wanted, until the server wants fewer; then one more from time to time, until all stand again.

    Google asks for just that after 4.7.28 (resume slowly), and it also finds the number of a server that answers 421
    to one connection too many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = most
        self._grows = 0.0

    def count(self, now: float) -> int:
        """How many there may be. `now` in seconds of any clock that only goes forward."""
        if self._count < self._most and now >= self._grows:
            self._limit(self._count + 1, now)
        return self._count

    def refused(self, standing: int, now: float) -> None:
        """The server did not want one more than those that stand."""
        self._limit(max(1, standing), now)

    def slow_down(self, now: float) -> None:
        """The server asked for a pause."""
        self._limit(1, now)

    def _limit(self, count: int, now: float) -> None:
        self._count = count
        self._grows = now + GROWTH
