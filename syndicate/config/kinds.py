"""The kinds of value that a configuration has: each a type with its check, in words that say what to write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from syndicate.config import durations, times
from syndicate.config.nearest import did_you_mean
from syndicate.config.secrets import is_reference, references
from syndicate.model import Cron
from syndicate.model.address import normalise

LONGEST_LINE = 255  # octets; a header that is to fit on one line of 998 has room for three of them
LONGEST_URL = 400
SHORTEST_KEY = 16  # bytes; 128 bits, the strength of the shortest MAC that is still advised (RFC 2104 §5)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?|[0-9a-f:.]+", re.IGNORECASE)
#: RFC 5646 §2.1: language, extlangs, script, region, variants, extensions and private use, by shape only.
_LANGUAGE = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{3}){0,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def one_line(text: str) -> str:
    """Text that may stand in a mail header: no control character, no line break, no encoded word (CVE-2024-6923)."""
    text = unicodedata.normalize("NFC", text.strip())
    if not text:
        raise ValueError("must not be empty")
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"} for character in text) or "=?" in text:
        raise ValueError("must be one line of plain text, without control characters and without `=?`")
    if len(text.encode()) > LONGEST_LINE:
        raise ValueError(f"is longer than {LONGEST_LINE} bytes")
    return text


def url(text: str) -> str:
    """An absolute http(s) URL, as written."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is not a URL: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is not a URL that starts with https://")
    if not text.isascii() or any(character <= " " or character in '<>"\\^`{|}\x7f' for character in text):
        raise ValueError("a URL has no blanks, line breaks or letters beyond ASCII: write those as %20 and the like")
    if parts.username is not None or port == 0 or not _HOST.fullmatch(parts.hostname) or len(text) > LONGEST_URL:
        raise ValueError(f"{text[:60]!r} is not the address of a page: https://host/path")
    return text


def links_base(text: str) -> str:
    """Base of the unsubscribe links: https, because one-click unsubscribing asks for it (RFC 8058 §3.1)."""
    parts = urlsplit(url(text))
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ValueError("must start with https://, else mail programs offer no one-click unsubscribing (RFC 8058)")
    if parts.query or parts.fragment:
        raise ValueError("must end with its path: the links are made by adding to it")
    return text.rstrip("/")


def language(text: str) -> str:
    """BCP 47, by shape."""
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f"{text!r} is not a language tag such as en, pt-BR or zh-Hant")
    return text


def zone(text: str) -> str:
    """An IANA zone that this machine knows."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        advice = did_you_mean(text, available_timezones()) or "write it like Europe/Berlin or UTC"
        raise ValueError(f"{text!r} is not a time zone{advice if advice[0] == ',' else ': ' + advice}") from None
    return text


def cron(text: str) -> str:
    """A crontab line that strikes at least once."""
    schedule = Cron.parse(text)
    if next(schedule.after(datetime(2024, 1, 1, tzinfo=UTC), "UTC"), None) is None:
        raise ValueError(f"{text!r} never comes: there is no such day")
    return text.strip()


def checked(parse: Callable[[str], object]) -> AfterValidator:
    """Text that `parse` understands, as it was written."""

    def check(text: str) -> str:
        parse(text)
        return text.strip()

    return AfterValidator(check)


def name(text: str) -> str:
    """A word that can stand in keys, URLs, file names and mail headers."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a name: use letters, digits, - and _, at most 64")
    return text


def path(text: str) -> str:
    """A path of the file system."""
    if not text.strip() or "\0" in text:
        raise ValueError("must be a path")
    return text


def database(text: str) -> str:
    """A database that keeps what was written, even when the power fails."""
    if is_reference(text):
        return text
    scheme, found, rest = text.partition("://")
    dialect = scheme.partition("+")[0]
    if not found or dialect not in {"sqlite", "postgresql"}:
        raise ValueError("must start with sqlite:/// or postgresql://")
    if dialect == "sqlite" and (not rest.strip("/") or ":memory:" in rest or rest.startswith(("//dev/", "//proc/"))):
        raise ValueError("must name a file, such as sqlite:///var/syndicate.db: what was sent has to be remembered")
    if "synchronous_commit" in rest:
        raise ValueError("must not weaken synchronous_commit: a crash would forget what was sent")
    return text


def key_material(text: str) -> str:
    """A secret that cannot be guessed, or a reference to it."""
    if not references(text) and len(text.encode()) < SHORTEST_KEY:
        raise ValueError(f"must have at least {SHORTEST_KEY} bytes, so that nobody can guess unsubscribe links")
    return text


def as_list(value: object) -> object:
    """One value stands for a list of one."""
    return [value] if isinstance(value, (str, int)) else value


def network(text: str) -> str:
    """An IP address or a network of them."""
    try:
        ip_network(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not an address or network such as 10.0.0.7, 10.0.0.0/8 or ::1") from None
    return text.strip()


def host(text: str) -> str:
    """The name of a host, without port or path."""
    if not _HOST.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a host, such as news.example.com")
    return text.lower()


def email(text: str) -> str:
    """An address for a mail header."""
    try:
        return normalise(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is not an e-mail address: {error}") from None


def lookback(text: str) -> timedelta | None:
    """How far back, or `all`."""
    if text.strip().lower() == "all":
        return None
    length = durations.parse(text)
    if not length:
        raise ValueError("must be longer than nothing; `all` means any age")
    return length


def only_text(parse: Callable[[str], timedelta | None]) -> Callable[[object], object]:
    """Before pydantic's own parser, which knows ISO 8601 only. A number reaches `parse` as it was written."""

    def before(value: object) -> object:
        if isinstance(value, timedelta) or value is None:  # a default of the schema
            return value
        if isinstance(value, (bool, list, dict)):
            raise ValueError(f"expected a length of time: {durations.EXAMPLES}")  # noqa: TRY004  (pydantic's protocol)
        return parse(str(value))

    return before


def written(length: timedelta | None) -> str:
    """Back to text."""
    return "all" if length is None else durations.write(length)


Line: TypeAlias = Annotated[str, AfterValidator(one_line)]
Url: TypeAlias = Annotated[str, AfterValidator(url), WithJsonSchema({"type": "string", "format": "uri"})]
LinksBase: TypeAlias = Annotated[str, AfterValidator(links_base), WithJsonSchema({"type": "string", "format": "uri"})]
Email: TypeAlias = Annotated[str, AfterValidator(email), WithJsonSchema({"type": "string", "format": "email"})]
Language: TypeAlias = Annotated[str, AfterValidator(language)]
Zone: TypeAlias = Annotated[str, AfterValidator(zone)]
CronLine: TypeAlias = Annotated[str, AfterValidator(cron)]
Rhythm: TypeAlias = Annotated[
    str,
    checked(times.crontab),
    WithJsonSchema({"type": "string", "examples": ["monday 09:00", "weekday 09:00", "day 18:30", "2 hours"]}),
]
Days: TypeAlias = Annotated[
    str,
    checked(times.blackout),
    WithJsonSchema({"type": "string", "examples": ["2025-08-15", "2025-12-24..2026-01-02"]}),
]
Hours: TypeAlias = Annotated[
    str, checked(times.quiet), WithJsonSchema({"type": "string", "examples": ["22:00-07:00", "12:00-14:00"]})
]
Name: TypeAlias = Annotated[str, AfterValidator(name)]
FilePath: TypeAlias = Annotated[str, AfterValidator(path)]
Database: TypeAlias = Annotated[str, AfterValidator(database)]
KeyMaterial: TypeAlias = Annotated[str, AfterValidator(key_material)]
Secrets: TypeAlias = Annotated[
    list[KeyMaterial],
    Field(min_length=1),
    BeforeValidator(as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
Network: TypeAlias = Annotated[str, AfterValidator(network)]
Host: TypeAlias = Annotated[str, AfterValidator(host)]
_LENGTH = WithJsonSchema({"type": "string", "examples": ["45m", "6h", "30d", "1w", "PT6H"]})
Duration: TypeAlias = Annotated[
    timedelta, BeforeValidator(only_text(durations.parse)), PlainSerializer(written), _LENGTH
]
Lookback: TypeAlias = Annotated[
    timedelta | None,
    BeforeValidator(only_text(lookback)),
    PlainSerializer(written),
    WithJsonSchema({"type": "string", "examples": ["all", "30d", "52w"]}),
]
