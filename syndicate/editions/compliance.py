"""What a mail to strangers needs before it may leave this machine; each lack says which key mends it.

Postal address and sender (CAN-SPAM §7704(a)(5)), a visible way out in both parts, one-click unsubscribing (RFC 8058;
asked for by Gmail and Yahoo of whoever sends in bulk), and consent (GDPR Art. 7(1), CASL s. 6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from syndicate.audience.columns import CONFIRMED, CREATED, GIVEN, SOURCE
from syndicate.errors import ConfigError
from syndicate.model import Channel, Kind, Letter, Problem, Recipient

if TYPE_CHECKING:
    from syndicate.app import App

CODE = "compliance"
#: On this machine nobody listens in between.
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ONE_CLICK = "List-Unsubscribe=One-Click"
#: Columns of a file that say when somebody said yes, and where.
WHEN = (*GIVEN, *CONFIRMED, *CREATED)
WHERE = (*SOURCE, "source")
#: Why a reader is left out whose row does not say so.
UNDOCUMENTED = "nothing says when and where this reader asked for mail"
_TAGS = re.compile(r"<[^>]*>")


def leaves(app: App, channel: Channel) -> bool:
    """Whether the channel mails, and through an account that does not stay on this disk."""
    from syndicate.adapters import load

    if channel.kind is not Kind.DIGEST:
        return False
    try:
        return not load(app.settings.accounts[channel.account].adapter).local
    except ConfigError:
        return False  # an adapter that there is not sends nothing; `check_accounts` says so


def lacks(app: App, channel: Channel) -> Iterator[Problem]:
    """What the configuration of a channel lacks to be sent; nothing for one that stays on this disk."""
    if not leaves(app, channel):
        return
    publication = app.settings.publication
    if not publication.postal_address.strip():
        yield lack(
            app,
            ("publication", "sender"),
            "publication.sender.postal_address is missing: a mail to a list has to show a street address",
            'Write `postal_address: "…"`, where post reaches you.',
        )
    if not secure(publication.links):
        yield lack(
            app,
            ("publication", "links") if has(app, ("publication", "links")) else ("publication", "url"),
            "unsubscribe links have to be https: mail programs offer no one-click unsubscribing otherwise (RFC 8058)",
            "Set publication.links to an https address.",
        )


def asks_for_grounds(app: App, channel: Channel) -> bool:
    """Whether each reader of the channel has to be documented in his own row.

    A file of addresses says nothing of how they came to be in it, unless the configuration does for all of them. The
    subscriber store keeps a record of each; the addresses of `send --test` were written by whoever looks at the mail.
    """
    audience = app.settings.audiences.get(channel.audience)
    if audience is None or audience.csv is None or audience.consent.strip() or app.named:
        return False
    return leaves(app, channel)


def documented(reader: Recipient) -> bool:
    """Whether the row says when the reader said yes, and where."""
    return any(reader.fields.get(key) for key in WHEN) and any(reader.fields.get(key) for key in WHERE)


def no_grounds(app: App, channel: Channel) -> Problem:
    """That no row does."""
    return lack(
        app,
        ("audiences", channel.audience),
        f"audiences.{channel.audience}: nothing says that these people asked for mail",
        "Give the file the columns consent_date and consent_source, or write for all of them how they said yes, such "
        "as `consent: sign-up form on example.com, double opt-in`.",
    )


def faults(app: App, channel: Channel, letter: Letter) -> Iterator[Problem]:
    """What an edition lacks to be sent: what its channel does, and what its templates have left out."""
    yield from lacks(app, channel)
    if not leaves(app, channel):
        return
    for part, text in (("text", letter.text), ("HTML", letter.html)):
        if f"{part.lower()}:unsubscribe" not in letter.slots:
            yield of_template(app, channel, f"the {part} part has no unsubscribe link", '{{ slot("unsubscribe") }}')
        if not shows(text, app.settings.publication.postal_address):
            yield of_template(
                app, channel, f"the {part} part does not show the postal address", "{{ publication.postal_address }}"
            )
    headers = dict(letter.headers)
    if not headers.get("List-Unsubscribe") or headers.get("List-Unsubscribe-Post") != _ONE_CLICK:
        yield of_template(app, channel, "the headers List-Unsubscribe and List-Unsubscribe-Post are missing", "")


def of_template(app: App, channel: Channel, message: str, wanted: str) -> Problem:
    """What the words of an edition lack."""
    hint = f"Write {wanted} into the template {channel.template}." if wanted else "Enter the edition anew."
    return lack(app, ("channels", channel.name, "template"), f"channels.{channel.name}: {message}", hint)


def lack(app: App, key: tuple[str, ...], message: str, hint: str) -> Problem:
    """A problem at a key of the configuration, or at the block that should have it."""
    while key and not has(app, key):
        key = key[:-1]
    line, column = app.loaded.document.key_position(key) if key else (0, 0)
    return Problem(app.loaded.shown, message, line=line, column=column, hint=hint, code=CODE)


def has(app: App, key: tuple[str, ...]) -> bool:
    """Whether the file has this key."""
    return key in app.loaded.document.values


def secure(links: str) -> bool:
    """Whether links that start so may stand in `List-Unsubscribe`."""
    parts = urlsplit(links)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def shows(text: str, wanted: str) -> bool:
    """Whether a part holds these words, however its lines are broken and its characters escaped."""
    return letters(wanted) in letters(unescape(_TAGS.sub(" ", text)))


def letters(text: str) -> str:
    """Without all that a layout may change."""
    return "".join(character for character in text.casefold() if character.isalnum())
