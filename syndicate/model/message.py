"""An edition in words, and what of it goes over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import ClassVar, TypeAlias

from syndicate.model.publication import Mailbox, Recipient
from syndicate.model.value import value


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An e-mail edition in words before it knows its reader: everything but the slots is done and encoded."""

    #: key of the edition
    edition: str
    #: as in List-Id and Feedback-ID
    channel: str
    #: dates the message; aware
    date: datetime
    subject: str
    preheader: str
    sender: Mailbox
    reply_to: str = ""
    #: both parts, decoded, with slot markers; for providers that want parts and not bytes
    html: str
    text: str
    #: all headers in order, with slot markers
    headers: tuple[tuple[str, str], ...]
    #: canonical CRLF bytes of the whole message between the slots; one more than `slots`
    segments: tuple[bytes, ...]
    #: `header:to`, `text:unsubscribe`, `html:name`, …: which value goes after each segment, and how it is encoded
    slots: tuple[str, ...]


@value(kw_only=True)
class Email:
    """One letter to one reader."""

    letter: Letter
    recipient: Recipient
    #: slot name -> plain value
    values: Mapping[str, str]
    #: the values as they stand between the letter's segments
    encoded: tuple[bytes, ...]
    #: envelope sender of this delivery alone, to which its bounce comes; empty: the account's or the letter's
    envelope: str = ""

    @property
    def mark(self) -> str:
        """32 hex digits that name the delivery and that nobody can make up: the local part of its Message-ID.

        What a provider is asked to hand back with each event, where it can. They hang on edition, recipient and secret
        alone, so a dry run shows the same.
        """
        return self.values["message_id"][1:33]

    @property
    def data(self) -> bytes:
        """The whole message: headers and MIME parts, canonical CRLF, before dot-stuffing."""
        return self.joined(self.letter.segments)

    def joined(self, segments: tuple[bytes, ...]) -> bytes:
        """The values between these segments; one more than there are values."""
        pieces = [b""] * (2 * len(self.encoded) + 1)
        pieces[::2], pieces[1::2] = segments, self.encoded
        return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that goes with a post."""

    data: bytes = field(repr=False)
    #: such as `image/jpeg`
    media_type: str
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """Words of a post that name the publication's own page, where the network can make a mention of it."""

    #: offsets in the post's `text`, in code points: `text[start:end]`
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One article in the words of one network."""

    #: key of the edition
    edition: str
    #: the edition's moment, aware; dates the post on networks that let it
    date: datetime | None = None
    #: as people will read it, before the network's own encoding
    text: str
    #: the link, with UTM
    url: str
    #: of the link card
    title: str
    description: str = ""
    image: Image | None = None
    #: BCP 47
    language: str = "en"
    #: without `#`; they stand in `text` already
    hashtags: tuple[str, ...] = ()
    #: in order, none within another; an adapter that knows the page's own name and id may write those there instead
    mentions: tuple[Mention, ...] = ()
    #: texts of the further posts of a thread, each an answer to the one before
    then: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Those of all posts of a thread; one, where it is none."""
        return (self.text, *self.then)


Message: TypeAlias = Email | Post


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRules:
    """What a network counts, and how much of it it takes. The algorithm is `render/fit.py`."""

    #: in `unit`s; 0: unlimited
    max_length: int = 0
    #: of the text in UTF-8, beside `max_length`; 0: unlimited
    max_bytes: int = 0
    #: `utf16`, `codepoint`, `grapheme`, `byte`, `emoji` (bytes of an emoji, else code points), `weighted` as X counts
    unit: str = "codepoint"
    #: every URL counts as so many; 0: as long as it is
    link_length: int = 0
    #: characters that cost one more each, because the adapter escapes them
    escaped: str = ""
    #: (name, how many more it costs) of those that the adapter makes a mention of where they are first named
    named: tuple[tuple[str, int], ...] = ()
    #: hashtags that still look written by a person
    max_hashtags: int = 5
    #: whether `@name` anywhere in a text notifies whoever has that name
    notifies: bool = False
    #: lines shown above the fold, and characters of a line on a phone and on a desktop; 0: no fold
    fold_lines: int = 0
    fold_phone: int = 0
    fold_desktop: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRules:
    """What a network takes as a picture. The algorithm is `render/picture.py`."""

    #: kinds it takes; the first is what others are turned into
    media_types: tuple[str, ...] = ("image/jpeg", "image/png", "image/gif")
    max_bytes: int = 5_000_000
    #: width times height
    max_pixels: int = 36_000_000
    #: pixels of the longer side that it shows
    max_side: int = 4096
    #: width / height of the card that it is cut to; 0: shown as it is
    ratio: float = 0.0
    #: longer side / shorter side; a longer picture is cut; 0: any
    max_ratio: float = 0.0
    #: characters of the description; what is beyond is cut at a word
    max_alt: int = 1500


@dataclass(frozen=True, slots=True)
class Upload:
    """A file the network wants before the message that shows it. `Adapter.prepare` sends it."""

    #: name of the hole in the body that the network's id for the file fills, such as `{{image}}`; empty: it needs none
    hole: str
    data: bytes = field(repr=False)
    media_type: str = "application/octet-stream"
    alt: str = ""


@value()
class Mail:
    """One SMTP transaction."""

    #: envelope, `MAIL FROM`
    sender: str
    #: envelope, `RCPT TO`
    recipient: str
    #: what follows DATA, before dot-stuffing
    data: bytes = field(repr=False)
    #: as a request has them; a mail has none
    fills: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @property
    def content(self) -> bytes:
        """The bytes whose SHA-256 stands in manifest and ledger."""
        return self.data


@value()
class Request:
    """One HTTP request, without credentials: those are added when it is sent and are not part of the content."""

    method: str
    url: str
    body: bytes = field(repr=False)
    #: without any credential
    headers: Mapping[str, str] = field(default_factory=dict)
    #: sent first, by `Adapter.prepare`, which fills the holes of the body
    uploads: tuple[Upload, ...] = ()
    #: hole -> the network's id for its file, from `prepare` or from an earlier attempt: then nothing is uploaded again
    fills: Mapping[str, str] = field(default_factory=dict)
    #: the further posts of a thread, with a hole each for the post that it answers; `Adapter.send` fills it
    then: tuple[Request, ...] = ()

    @property
    def content(self) -> bytes:
        """Method, URL and body: the bytes whose SHA-256 stands in manifest and ledger; those of a thread in turn.

        Where a picture goes with it, the body holds a hole that only the network's own id can fill; see `uploads`.
        """
        own = f"{self.method} {self.url}\n".encode() + self.body
        return b"\n".join((own, *(part.content for part in self.then)))

    @property
    def whole(self) -> bool:
        """Whether its exact bytes are known: every hole has its id."""
        return all(upload.hole in self.fills for upload in self.uploads if upload.hole)


Payload: TypeAlias = Mail | Request


def digest(payload: Payload) -> str:
    """Hex SHA-256 of a payload's content, as manifest and ledger show it."""
    return sha256(payload.content).hexdigest()
