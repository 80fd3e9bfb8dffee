"""Who is left alone after failures: an account that cannot be reached, a busy domain. `policy.py` has the table.

A rest stands in the ledger, so all couriers keep it, and a restart too. When it is over, one failure is enough for a
longer one, and one answer ends it for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from syndicate.deliver.base import LedgerLike
from syndicate.deliver.policy import Policy
from syndicate.model import Deferred, Outcome, Receipt, Refused
from syndicate.model.limits import Rest, domain_of


class Breaker:
    """Listens to the answers of one account's network."""

    def __init__(self, ledger: LedgerLike, account: str, policy: Policy, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._account = account
        self._policy = policy
        self._clock = clock
        #: by domain; `""` is the account
        self._rests = {one.domain: one for one in ledger.rests(account)}
        #: failures in a row
        self._failed: Counter[str] = Counter()
        #: domains that asked for a wait, since the last that did not
        self._asked: set[str] = set()

    def rest_of(self, recipient: str = "") -> Rest | None:
        """Why, and until when, this recipient's domain is left alone; without one, the account."""
        if not self._rests:  # asked for each recipient, and nearly always so
            return None
        found = self._rests.get(domain_of(recipient))
        return found if found and found.until > self._clock() else None

    def heard(self, recipient: str, outcome: Outcome) -> None:
        """An answer, or that there was none."""
        if isinstance(outcome, Receipt) and not (self._rests or self._failed or self._asked):
            return
        domain = domain_of(recipient)
        if isinstance(outcome, Deferred):
            self._trouble(domain, outcome)
        elif isinstance(outcome, Receipt | Refused):
            self._asked.clear()
            self._works("")
            self._works(domain)

    def gave_up(self, outcome: Deferred) -> None:
        """The lane says that the network cannot be reached; it has tried more than once."""
        self._failure("", outcome, 1)

    def _trouble(self, domain: str, outcome: Deferred) -> None:
        if not outcome.reached:
            return self._failure("", outcome, self._policy.unreached)
        self._failed.pop("", None)
        if not domain:  # a post: what its network asks for, it asks of the account; a mere "not now" is of this post
            return self._failure("", outcome, 1) if outcome.after is not None else None
        if outcome.after is None:
            return self._failure(domain, outcome, self._policy.busy)
        self._asked.add(domain)
        if len(self._asked) >= self._policy.asked:
            self._failure("", outcome, 1)
        return self._failure(domain, outcome, 1)

    def _failure(self, domain: str, outcome: Deferred, in_a_row: int) -> None:
        now, before = self._clock(), self._rests.get(domain)
        self._failed[domain] += 1
        if (before and before.until > now) or (before is None and self._failed[domain] < in_a_row):
            return
        failures = before.failures + 1 if before else 1
        until = now + (outcome.after or self._policy.rest(failures))
        self._rests[domain] = Rest(self._account, domain, until, failures, outcome.reason)
        self._ledger.rest(self._rests[domain])

    def _works(self, domain: str) -> None:
        """A late answer does not end a rest that has begun meanwhile."""
        self._failed.pop(domain, None)
        before = self._rests.get(domain)
        if before and before.until <= self._clock():
            del self._rests[domain]
            self._ledger.wake(self._account, domain)
