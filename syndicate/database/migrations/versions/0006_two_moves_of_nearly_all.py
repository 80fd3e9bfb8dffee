"""The two moves that nearly every delivery makes have triggers of their own, which know what to write."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

STATES = ("planned", "sending", "sent", "refused", "deferred", "unknown", "skipped", "cancelled", "expired")
CLAIMED = "old.state = 'planned' AND new.state = 'sending'"
SENT = "old.state = 'sending' AND new.state = 'sent'"
NINE = ", ".join(f"{s} = {s} - (old.state = '{s}') + (new.state = '{s}')" for s in STATES)

#: A line of the history, and the counts. To work out all nine counts takes as long as the move itself.
MOVED = """
CREATE TRIGGER {name} AFTER UPDATE OF state ON delivery WHEN {move} BEGIN
    INSERT INTO event (at, edition, delivery, what, reason, actor)
    VALUES (new.moved, new.edition, new.id, {what}, new.reason, new.actor);
    UPDATE tally SET {counts} WHERE edition = new.edition;
END
"""


def upgrade() -> None:
    for name in ("delivery_story", "delivery_tally"):
        op.execute(sa.text(f"DROP TRIGGER {name}"))
    others = f"NOT ({CLAIMED} OR {SENT})"
    moved("delivery_claimed", CLAIMED, "'planned -> sending'", "planned = planned - 1, sending = sending + 1")
    moved("delivery_sent", SENT, "'sending -> sent'", "sending = sending - 1, sent = sent + 1")
    moved("delivery_moved", others, "old.state || ' -> ' || new.state", NINE)


def moved(name: str, move: str, what: str, counts: str) -> None:
    op.execute(sa.text(MOVED.format(name=name, move=move, what=what, counts=counts)))
