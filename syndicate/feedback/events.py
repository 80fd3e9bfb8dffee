"""JSON from strangers: refused where it is too deep, ambiguous or no Unicode; read field by field with strict types."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from syndicate.feedback.base import Malformed
from syndicate.model.feedback import Report, ReportKind

#: Bytes of one request, and levels of brackets in it.
LARGEST = 5_000_000
DEEPEST = 32
#: Characters that are kept of a provider's own words.
WORDS = 500
LONGEST_ID = 200
LONGEST_ADDRESS = 320  # RFC 5321 §4.5.3.1: 64 for the local part, 255 for the domain
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[{]|[\]}]")

E_ = TypeVar("E_", bound="Event")


class Event(BaseModel):
    """Those fields of an event that we read, each of exactly its type; the others are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, hide_input_in_errors=True)


def parse(body: bytes) -> Any:
    """The JSON of a body. Raises `Malformed` for what is no JSON, deeper than 32, or says one key twice.

    Depth is measured before anything is parsed: a parser that recurses is stopped by the stack, not by us. A lone
    surrogate (`"\\ud800"`) is no text: no database takes it.
    """
    if len(body) > LARGEST:
        raise Malformed(f"the body is larger than {LARGEST} bytes")
    if depth(body) > DEEPEST:
        raise Malformed(f"the body is nested deeper than {DEEPEST} levels")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the body is no JSON: {type(error).__name__}") from error
    return value


def depth(body: bytes) -> int:
    """Levels of brackets outside of strings."""
    deepest = level = 0
    for found in _BRACKETS.finditer(_STRINGS.sub(b"", body)):
        level += 1 if found[0] in b"[{" else -1
        deepest = max(deepest, level)
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def is_any(raw: Any, names: tuple[str, ...]) -> bool:
    """Whether an event has one of these names, whatever else it may be."""
    return isinstance(raw, dict) and raw.get("event") in names


def read(kind: type[E_], raw: Any, make: Callable[[E_], Report]) -> Report:
    """The report that `make` writes of an event, with the event itself; parked where a field is not as documented."""
    written = json.dumps(raw, ensure_ascii=False, sort_keys=True).encode()
    try:
        report = make(kind.model_validate(raw))
    except (ValidationError, ValueError) as error:
        report = Report(id=digest(written), kind=ReportKind.OTHER, text=f"not as documented: {type(error).__name__}")
    return _with_raw(report, written)


def named(report: Report, event: str) -> Report:
    """The same under another name."""
    return replace(report, id=event[:LONGEST_ID])


def _with_raw(report: Report, raw: bytes) -> Report:
    return replace(
        report,
        id=report.id[:LONGEST_ID] or digest(raw),
        recipient=words(report.recipient)[:LONGEST_ADDRESS],
        mark=words(report.mark)[:LONGEST_ID],
        receipt=words(report.receipt)[:LONGEST_ID],
        status=words(report.status)[:LONGEST_ID],
        text=words(report.text),
        raw=raw,
    )


def digest(data: bytes) -> str:
    """A name for an event that has none: the same bytes, the same name."""
    return f"sha256:{sha256(data).hexdigest()}"


def words(text: str) -> str:
    """A stranger's words in one line without control characters, at most 500 of them."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:WORDS]


def moment(seconds: float | None) -> datetime | None:
    """A Unix time as an aware moment. Raises `ValueError` for one outside of 2000 to 2100."""
    if seconds is None:
        return None
    if not 946_684_800 <= seconds <= 4_102_444_800:
        raise ValueError("no time that can be meant")
    return datetime.fromtimestamp(seconds, UTC)


def instant(text: str) -> datetime | None:
    """An ISO 8601 time as an aware moment; without a zone it is UTC. Raises `ValueError` like `moment`."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return moment((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def fresh(stamp: str, now: datetime, tolerance: timedelta) -> bool:
    """Whether a Unix time in digits is within so long of now, before or after."""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 10):
        return False
    return abs(now - datetime.fromtimestamp(int(stamp), UTC)) <= tolerance
