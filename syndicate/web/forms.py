"""What comes in: the fields of a form, and the seal by which a form of ours is told from others."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.exceptions import HTTPException

from syndicate.audience.tokens import Purpose

if TYPE_CHECKING:
    from syndicate.audience.tokens import Keys

Fields = Mapping[str, Sequence[str]]
#: A person needs longer than this to fill in a form, and nobody needs longer than that.
QUICKEST, SLOWEST = timedelta(seconds=2), timedelta(hours=24)
MOST_FIELDS = 50
LONGEST_NAME = 100
_FORM = re.compile(r"(\d{10})\.([\w-]{12})\.([\w-]{16})", re.ASCII)
#: What makes a link of a name in most mail programs, and what would break the line it stands on.
_NO_NAME = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069<>@/\\]|www\.|\w\.\w{2,}", re.IGNORECASE
)


class Age(StrEnum):
    """How long ago a form was shown."""

    FINE = "fine"
    QUICK = "quick"
    STALE = "stale"  #: too long, or it is none of ours


async def fields(request: Request) -> Fields:
    """The text fields of a form, in either encoding of RFC 7578 and the WHATWG URL standard; none of anything else.

    Raises `HTTPException` (400) for a body that cannot be read.
    """
    try:
        form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    except (HTTPException, ValueError):
        raise HTTPException(400) from None
    return {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in form}


def one(form: Fields, name: str) -> str:
    """The value of a field that may be there once; empty if it is not, or stands there more often."""
    values = form.get(name, ())
    return values[0] if len(values) == 1 else ""


def seal(keys: Keys, now: datetime) -> str:
    """What a form of ours carries: when it was shown, which one it is, and that we made it."""
    text = f"{int(now.timestamp()):010}.{secrets.token_urlsafe(9)}"
    return f"{text}.{keys.seal(Purpose.FORM, text)}"


def age(keys: Keys, form: str, now: datetime) -> Age:
    """Whether a form was made by us, neither just now nor long ago."""
    found = _FORM.fullmatch(form)
    if found is None or not keys.sealed(Purpose.FORM, f"{found[1]}.{found[2]}", found[3]):
        return Age.STALE
    since = now.timestamp() - int(found[1])
    if since < QUICKEST.total_seconds():
        return Age.QUICK
    return Age.FINE if since < SLOWEST.total_seconds() else Age.STALE


def name_of(text: str) -> str | None:
    """A person's name as letters may use it; None if it could be more than that."""
    tidy = " ".join(text.split(" ")).strip()
    return None if _NO_NAME.search(tidy) or len(tidy) > LONGEST_NAME else tidy
