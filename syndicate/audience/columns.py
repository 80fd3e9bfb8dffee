"""What the columns of a readers' file mean, whoever exported it.

The names and states are those of the exports of Mailchimp, Substack, Ghost, beehiiv, Kit, Buttondown, listmonk, Keila
and Brevo, and of files that people write by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from syndicate.audience.cells import MOST_COLUMNS, clean, is_address
from syndicate.audience.source import NotReadableError

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
#: When somebody confirmed, gave consent, or came; in this order the best witness of when he said yes.
CONFIRMED = _words("confirmed_at confirm_time confirmation_date confirmation_time subscription_date")
GIVEN = _words("consent_date consent_at consent_time consent_given optin_time opt_in_time optin_date opt_in_date")
CREATED = _words(
    "joined_at joined created_at creation_date date_created created created_on date_added added_time date_subscribed"
    " subscribed_at subscribed_on signup_date sign_up_date signed_up_at start_date"
)
LEFT = _words(
    "unsub_time unsubscribed_at unsubscribed_on unsubscription_date clean_time bounced_at deleted_at date_unsubscribed"
)
SOURCE = _words("consent_source")
IP = _words("confirm_ip optin_ip consent_ip ip_address signup_ip ip")
TAGS = _words("tags labels tag label")

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

    def name(self, row: Sequence[str]) -> str:
        """The name in a row, from its parts."""
        return " ".join(clean(row[index]) for index in self.names if index < len(row) and row[index])

    def overflow(self, row: Sequence[str]) -> str:
        """What is odd about a row with more cells than the header; empty if it has none, or blank ones."""
        if len(row) <= self.count or not any(row[self.count :]):
            return ""
        return f"{len(row)} cells where the header has {self.count}; is a separator not in quotes?"

    def reason(self, row: Sequence[str]) -> str:
        """Why the reader of this row is not to be mailed; empty if nothing in it says so."""
        for index, rule in self.rules:
            if index < len(row) and (reason := rule(row[index].strip().lower())):
                return reason
        return ""


@dataclass(frozen=True, slots=True)
class Header:
    """What the first row of a file says."""

    columns: Columns
    #: if not, the row is the first reader
    is_header: bool
    #: (message, hint)
    warnings: tuple[tuple[str, str], ...] = ()


def read_header(row: Sequence[str]) -> Header:
    """What the first row that holds something means. Raises `NotReadableError` if no column is for addresses."""
    if len(row) > MOST_COLUMNS:
        raise NotReadableError(f"the header has {len(row):,} columns", f"Keep at most {MOST_COLUMNS}.")
    meaning = columns(row)
    if meaning is None:
        return _without_header(row)
    twice = tuple(repeated(row))
    if wrong := [name for name in twice if name in EMAIL]:
        raise NotReadableError(f"two columns are named {wrong[0]}", "Remove one of them.")
    return Header(meaning, True, tuple((f"two columns are named {name}; the last is used", "") for name in twice))


def _without_header(row: Sequence[str]) -> Header:
    meaning = headerless(row, is_address)
    if meaning is None:
        shown = ", ".join(clean(cell)[:30] for cell in row)
        raise NotReadableError(f"no column is named email (found: {shown})", "Name the column of addresses email.")
    message = f"there is no header; addresses were looked for in column {meaning.email + 1}"
    return Header(meaning, False, ((message, "Write `email` above the addresses."),))


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
