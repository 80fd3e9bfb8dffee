"""What is asked of a database without SQLAlchemy, whose import costs more than a plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

#: The revision of `migrations/versions` that this code reads and writes.
HEAD = "0006"

REVISION = "SELECT version_num FROM alembic_version"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """An aware moment as the database stores it: microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(stored: int) -> datetime:
    """The aware moment, in UTC, that `micros` stored."""
    return _EPOCH + timedelta(microseconds=stored)
