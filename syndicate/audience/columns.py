"""What the columns of a readers' file mean, whoever exported it.

The names and states are those of the exports of Mailchimp, Substack, Ghost, beehiiv, Kit, Buttondown, listmonk, Keila
and Brevo, and of files that people write by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_words = str.split
EMAIL = _words(
    "email email_address e_mail e_mail_address emailaddress mail mail_address e_post eメール メールアドレス courriel"
    " adresse_e_mail adresse_email correo correo_electrónico address"
)
NAME = _words("name full_name fullname display_name")
FIRST = _words("first_name firstname given_name first fname vorname prénom prenom")
LAST = _words("last_name lastname surname family_name last lname nachname nom")
#: Any value but a no means: not to be mailed.
OUT_IF_SET = frozenset(
    _words(
        "unsubscribed unsubscribed_at unsubscribed_on unsubscription_date unsub_time clean_time deleted_at bounced"
        " bounced_at email_disabled email_blacklisted blacklisted complained opted_out opt_out suppressed do_not_email"
    )
)
#: A no means: not to be mailed.
OUT_IF_NO = frozenset(_words("subscribed_to_emails subscribed opted_in opt_in"))
STATUS = frozenset(_words("status subscription_status email_status subscriber_type state"))
NO = frozenset(_words("false no n f 0 none null"))
ACTIVE = frozenset(_words("active subscribed enabled confirmed valid regular premium gifted trialed past_due churning"))
OUT = frozenset(
    _words(
        "unsubscribed inactive cancelled canceled bounced complained blocked blocklisted blacklisted disabled removed"
        " undeliverable unreachable cleaned churned deleted suppressed archived"
    )
)
PENDING = frozenset(_words("pending unactivated unconfirmed validating"))

Rule = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row things stand, by index."""

    email: int
    #: one column, or first and last name
    names: tuple[int, ...]
    #: index -> name under which templates find the value
    fields: Mapping[int, str]
    #: (index, rule), each rule giving why a row with this value is left out, or nothing
    rules: tuple[tuple[int, Rule], ...]
    #: how many the header has
    count: int

    def reason(self, row: Sequence[str]) -> str:
        """Why the reader of this row is not to be mailed; empty if nothing in it says so."""
        for index, rule in self.rules:
            if index < len(row) and (reason := rule(row[index].strip().lower())):
                return reason
        return ""


def columns(header: Sequence[str]) -> Columns | None:
    """What a header means; None if no column of it is for addresses."""
    names = [key(cell) for cell in header]
    email = find(names, EMAIL)
    if email is None:
        return None
    whole = find(names, NAME)
    parts = (find(names, FIRST), find(names, LAST)) if whole is None else (whole,)
    rules = tuple((index, rule) for index, name in enumerate(names) if (rule := rule_of(name)))
    taken = {email, whole} | {index for index, _ in rules if names[index] != "state"}
    fields = {index: name for index, name in enumerate(names) if name and index not in taken}
    return Columns(email, tuple(part for part in parts if part is not None), fields, rules, len(names))


def headerless(row: Sequence[str], is_address: Callable[[str], bool]) -> Columns | None:
    """The columns of a file that starts with its first reader; None if no cell is an address."""
    email = next((index for index, cell in enumerate(row) if is_address(cell)), None)
    if email is None:
        return None
    return Columns(email, (1 - email,) if len(row) == 2 else (), {}, (), len(row))


def repeated(header: Sequence[str]) -> Iterator[str]:
    """Names that more than one column has."""
    names = [key(cell) for cell in header]
    yield from dict.fromkeys(name for name in names if name and names.count(name) > 1)


def key(cell: str) -> str:
    """`E-Mail Address` -> `e_mail_address`."""
    return re.sub(r"\W+", "_", cell.strip().lower()).strip("_")


def find(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    """The column with the first of the wanted names that there is."""
    return next((names.index(name) for name in wanted if name in names), None)


def rule_of(name: str) -> Rule | None:
    """The rule of a column, if it has one."""
    if name in OUT_IF_SET:
        return lambda value: name.replace("_", " ") if value and value not in NO else ""
    if name in OUT_IF_NO:
        return lambda value: "unsubscribed" if value in NO else ""
    if name == "state":  # also a part of a postal address
        return lambda value: status(value) if value in OUT | PENDING else ""
    return status if name in STATUS else None


def status(value: str) -> str:
    """Why a reader in this state is left out. A state that nobody knows is no consent."""
    if not value or value in ACTIVE:
        return ""
    return f"status {value[:40]}" if value in OUT else f"status {value[:40]}, which is not known to mean consent"
