"""What LinkedIn answers, and what it means. https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from syndicate.adapters import http
from syndicate.model import Deferred, Outcome, Receipt, Refused, Unknown

_URN = re.compile(r"urn:li:(?:share|ugcPost|activity):\d+")
_EXCEPTIONS = {"202511": date(2026, 11, 16)}
#: How the receipt of a post begins that was there already.
ADOPTED = "422 DUPLICATE_POST"


def sunset(version: str) -> date:
    """The last day of an API version: the 15th, a year after it came out; LinkedIn announced one exception.

    After it every call is answered 426. Raises ValueError for what is not YYYYMM.
    """
    if re.fullmatch(r"20\d\d(0[1-9]|1[0-2])", version) is None:
        raise ValueError(f"not a LinkedIn API version (YYYYMM): {version}")
    return _EXCEPTIONS.get(version, date(int(version[:4]) + 1, int(version[4:]), 15))


def words(answer: http.Answer) -> str:
    """Code and message of an error; `errorDetails` is the newer envelope."""
    body = answer.json()
    details = body.get("errorDetails")
    errors = details.get("inputErrors") if isinstance(details, dict) else None
    inner = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return " ".join(str(part) for part in (body.get("code") or inner.get("code"), body.get("message")) if part)


def said(answer: http.Answer) -> str:
    """The reason for people."""
    return http.said(answer, http.Table(explain=words))


def accepted(answer: http.Answer) -> Outcome:
    """201 is published even without an id: it is the only chance to learn the id, not a condition."""
    urn = answer.headers.get("x-restli-id") or answer.headers.get("x-linkedin-id", "")
    if answer.status == 201 or urn:
        return receipt(urn, str(answer.status))
    return Unknown(f"{answer.status} instead of 201, and no id")


def receipt(urn: str, status: str) -> Receipt:
    """A post that is there."""
    return Receipt(urn, f"https://www.linkedin.com/feed/update/{urn}/" if urn else "", status)


def bad_request(answer: http.Answer) -> Outcome:
    """A picture that is not ready yet is the one 400 that time mends."""
    if "MEDIA_ASSET_WAITING_UPLOAD" in words(answer):  # PROCESSING_FAILED stays so: a repeat shows the same picture
        return Deferred(said(answer), timedelta(minutes=1))
    return Refused(said(answer))


def unprocessable(answer: http.Answer) -> Outcome:
    """A duplicate of a post is that post; the URN stands in the message only, and a person's does not count."""
    text = words(answer)
    found = _URN.search(text)
    if found and ("DUPLICATE_POST" in text or "is a duplicate of" in text):
        return receipt(found[0], f"{ADOPTED}: this very post is there already")
    return Refused(said(answer))


def conflict(answer: http.Answer) -> Outcome:
    """Two writes at once; the second one is worth another try."""
    return Deferred(said(answer))


def no_place(answer: http.Answer) -> Outcome:
    """A yes that cannot be used."""
    return Deferred(f"{answer.status}, but no address to upload the picture to")


def throttled(answer: http.Answer, now: http.Clock) -> Outcome:
    """429 has no Retry-After here. The limits are per day and end at midnight UTC, but for one that ends soon."""
    at = http.server_time(answer, now).astimezone(UTC)
    midnight = datetime.combine(at.date() + timedelta(days=1), time(), UTC)
    soon = timedelta(minutes=5) if "infrastructure" in words(answer).lower() else midnight - at
    return Deferred(said(answer), http.retry_after(answer, now) or soon)
