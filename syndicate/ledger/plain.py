"""What `plan` asks of the ledger, in plain SQL: read without SQLAlchemy, whose import costs more than the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from syndicate.database.plain import moment
from syndicate.model import History, Used

#: Every article of every edition, in the order in which they were entered.
USED = """
SELECT e.key, e.channel, e.occasion, a.slug, a.path, a.sha256, a.slug_given
FROM edition_article a JOIN edition e ON e.id = a.edition
ORDER BY e.id, a.position
"""

#: Every edition and its state. `done` is not stored but follows from the counts, so it cannot be wrong.
EDITIONS = """
SELECT e.key, CASE WHEN e.state = 'sending' AND t.planned + t.sending + t.deferred = 0 THEN 'done' ELSE e.state END
FROM edition e JOIN tally t ON t.edition = e.id
ORDER BY e.id
"""


def read(run: Callable[[str], Iterable[Any]]) -> History:
    """The history by way of `run`, which executes one of the queries above."""
    used = tuple(
        Used(key, channel, moment(occasion), slug, path, sha256, bool(slug_given))
        for key, channel, occasion, slug, path, sha256, slug_given in run(USED)
    )
    return History(used, dict(run(EDITIONS)))
