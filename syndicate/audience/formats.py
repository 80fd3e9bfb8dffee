"""The exports of other services, recognised by their headers, and in what they differ from a plain table.

What their columns mean is in `columns`; here is only what one service does in its own way. Sources: the export pages
and importer fixtures of Mailchimp, Substack, beehiiv, Ghost (`members/csv/unparse.js`), Kit, Buttondown
(`data-exports-subscriber`), listmonk (`cmd/subscribers.go`), Keila and Brevo.
"""

from __future__ import annotations

import ast
import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Split = Callable[[str], Iterable[str]]


def by_comma(cell: str) -> Iterable[str]:
    """`a, "b, c"`: each tag may be quoted, as Mailchimp does; or a JSON list."""
    if cell.startswith("[") and isinstance(found := loose_json(cell), list):
        return [item for item in found if isinstance(item, str)]
    return next(csv.reader([cell], skipinitialspace=True), [])


def by_semicolon(cell: str) -> Iterable[str]:
    """`a;b, c`."""
    return cell.split(";")


def by_either(cell: str) -> Iterable[str]:
    """Tags in a table of nobody's in particular, separated as its author saw fit."""
    return by_semicolon(cell) if ";" in cell and cell[0] not in '["' else by_comma(cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What a service does in its own way."""

    #: as it is said to the user; empty for a table of nobody's in particular
    name: str = ""
    #: sets of columns, of which one is in every export of the service and in nobody else's
    marks: tuple[frozenset[str], ...] = ()
    #: columns that the service never writes
    never: frozenset[str] = frozenset()
    #: how the cell with tags is taken apart
    tags: Split = by_either
    #: words for a state that mean something else than with the others -> the word of the others
    states: Mapping[str, str] = field(default_factory=dict)
    #: the column that holds more columns, as JSON
    unfold: str = ""
    #: an apostrophe stands before what a spreadsheet would take for a formula
    guarded: bool = False
    #: the export itself tells when each person agreed, by a form or a confirmation
    witness: bool = False
    #: nobody in it has agreed to anything
    strangers: bool = False
    #: ours: each of our columns stands there once, and every other one is a field under exactly its name
    own: bool = False


def _marks(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(one.split()) for one in sets)


#: The columns of our own table.
OWN = (
    "email", "name", "list", "status", "suppressed", "tags", "created_at", "joined_at", "consent_date",
    "consent_source", "consent_wording", "consent_evidence", "consent_ip",
)  # fmt: skip
GENERIC = Format()
#: The first whose marks are there; those that others could be taken for come last.
FORMATS = (
    Format(name="Syndicate", marks=(frozenset(OWN),), tags=by_comma, unfold="fields", guarded=True, own=True),
    Format(name="Mailchimp", marks=_marks("email_address member_rating optin_time euid"), tags=by_comma, witness=True),
    Format(
        name="Substack",
        marks=_marks(
            "email active_subscription email_disabled",
            "email email_disabled stripe_connected_customer_id",
            "email type start_date first_paid_date",
        ),
    ),
    Format(
        name="Ghost",
        marks=_marks("email subscribed_to_emails complimentary_plan stripe_customer_id"),
        tags=by_comma,
        guarded=True,
    ),
    Format(
        name="Buttondown",
        marks=_marks("email subscriber_type subscription_date unsubscription_date"),
        tags=by_semicolon,
        unfold="metadata",
        witness=True,
    ),
    Format(name="beehiiv", marks=_marks("email status tier unsubscribed_at")),
    Format(name="listmonk", marks=_marks("uuid email attributes status"), unfold="attributes"),
    Format(name="Keila", marks=_marks("email data status external_id"), unfold="data"),
    Format(name="Brevo", marks=_marks("email email_blacklisted added_time")),
    Format(
        name="Kit",
        marks=_marks("first_name email_address state created_at", "first_name email created_at status"),
        never=frozenset({"last_name"}),
        tags=by_comma,
        states={"inactive": "pending"},  # has not confirmed yet; elsewhere it is somebody who left
    ),
)


def recognise(names: Sequence[str], file: str) -> Format:
    """The format of a file with columns of these names (as `columns.key` gives them). `file` is the file's own name."""
    there = set(names)
    for one in FORMATS:
        if not one.never & there and any(marks <= there for marks in one.marks):
            # Mailchimp also exports buyers and other contacts who never subscribed, under the same header.
            return replace(one, strangers=one.name == "Mailchimp" and file.lower().startswith("nonsubscribed"))
    return GENERIC


def loose_json(cell: str) -> Any:
    """The value of JSON or of a Python literal (which is what Buttondown writes); None if the cell is neither."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return None


def as_text(value: object) -> str:
    """A value of JSON as a field holds it."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
