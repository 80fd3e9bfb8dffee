"""The proofs page: what `syndicate preview` and `send --dry-run --out DIR` write for people to look at.

`page(sheet)` gives one HTML file. It opens from disk, without a server and without a network, and it is safe to open
whatever the articles hold:

- a letter is shown in `<iframe sandbox="" srcdoc>`: no scripts, no forms, no pop-ups, an origin of its own;
- the policy in the page's head forbids every connection and every script but the page's own, which it knows by its
  hash. A `srcdoc` frame inherits that policy (CSP Level 3, §7.8), so pictures of a letter are shown only where the
  sheet carries them as `data:` URIs;
- the light and dark view of a letter is the CSS property `color-scheme` of its frame: `prefers-color-scheme` inside
  follows it (CSS Color Adjustment Level 1, §2.4).

The markup is complete without its script: links to sections that stand one below the other. The script turns them
into tabs; light and dark, phone and desktop, and the fold of a post are radio buttons and `<details>`, not script.

What would make the page too heavy is left out with a sentence and a link to the file beside it: see the constants.
The template and its style and script are in `pages/`.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import parse_qsl, quote, urlsplit

from markupsafe import Markup, escape

from syndicate.model import Problem

if TYPE_CHECKING:
    from jinja2 import Environment

#: bytes of an HTML part above which Gmail shows "[Message clipped]" instead of the rest
CLIPPED = 102_400
#: characters of one text (text part, request body, header) that stand in the page
TEXT = 50_000
#: characters of one letter's HTML, or of one card's picture, that the page shows
SHOWN = 500_000
#: the same of all editions together; each stands in the page twice, for the phone and the desktop
ROOM = 4_000_000
#: rows of a list: editions, articles left out, problems, links
ROWS = 300
#: readers that are named
READERS = 20
#: files that are linked, of one edition
FILES = 9

_PAGES = Path(__file__).parent / "pages"
#: What a frame may do even if a browser did not hand down the page's policy.
_FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
#: `target` makes a click on a link a pop-up, which the sandbox swallows: the letter stays where it is.
_FRAME_HEAD = (
    f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{_FRAME_POLICY}"><base target="_blank">'
)
#: No content policy governs `rel=preconnect` and its kin, and Chromium connects for an inner frame before it asks one.
_CONNECTS = re.compile(r"<(?:link|i?frame|embed|object)\b[^>]*>", re.IGNORECASE)
_CREDENTIAL = re.compile(r"authorization|cookie|token|secret|password|signature|api-?key", re.IGNORECASE)
_LIVELY = re.compile(r"(https?://\S+|(?<!\w)#\w+)")


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone who gets the letter."""

    #: `local@domain`
    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Readers who were skipped for one and the same reason."""

    #: one word or clause, such as `unsubscribed`
    reason: str
    count: int
    #: the first few addresses
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the letter."""

    #: what the reader sees of it
    text: str
    #: absolute
    url: str

    @property
    def opens(self) -> bool:
        """Whether the page may offer it to be clicked: `javascript:` and its kin are shown as text."""
        return self.url.lower().startswith(("https://", "http://", "mailto:"))

    @property
    def utm(self) -> tuple[tuple[str, str], ...]:
        """Its campaign parameters without their prefix, as (`source`, value), …"""
        try:
            query = urlsplit(self.url).query
        except ValueError:  # `http://[` is no URL, and is listed all the same
            return ()
        return tuple((name[4:], value) for name, value in parse_qsl(query) if name.startswith("utm_"))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An article that no edition has, and why."""

    title: str
    #: as in `Article.path`
    path: str
    #: one clause that completes "left out: …"
    reason: str


@dataclass(frozen=True, slots=True)
class Card:
    """The link card under a post."""

    title: str
    description: str = ""
    #: as the network prints it, such as `magick.ai`
    domain: str = ""
    #: `data:image/…` URI; empty: none
    picture: str = ""
    #: why there is no picture
    note: str = "not fetched"


@dataclass(frozen=True, slots=True)
class Exchange:
    """The request that would go over the wire."""

    method: str
    url: str
    #: those that carry credentials are shown as stars, whatever stands in them
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailProof:
    """One e-mail edition, as its first reader gets it."""

    #: key of the edition
    edition: str
    channel: str
    #: as people know it, such as `mail (smtp.example.com)`
    account: str
    subject: str
    preheader: str = ""
    #: `Name <address>`
    sender: str
    #: how many get it
    readers: int
    #: of whom `READERS` are shown
    first_readers: tuple[Reader, ...] = ()
    skipped: tuple[Group, ...] = ()
    #: both parts, decoded, with the first reader's values in the slots
    html: str = field(repr=False)
    text: str = field(repr=False)
    #: all headers in order, with the first reader's values
    headers: tuple[tuple[str, str], ...] = ()
    #: bytes of the whole message
    size: int
    #: hex, of the first reader's message
    sha256: str
    links: tuple[Link, ...] = ()
    #: picture URL as the letter has it -> `data:image/…` URI that the frames show in its place
    pictures: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: tuple[Problem, ...] = ()
    #: names of the message's files, relative to the page
    files: tuple[str, ...] = ()

    @property
    def html_size(self) -> int:
        """Bytes of the decoded HTML part, which is what Gmail measures."""
        return len(self.html.encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class Further:
    """A further post of a thread."""

    #: as people read it
    text: str
    #: in the network's own count
    used: int
    #: None: the account is no network
    request: Exchange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostProof:
    """One post."""

    #: key of the edition
    edition: str
    channel: str
    #: as people know it, such as `outbox (file)`
    account: str
    #: such as `LinkedIn`
    network: str
    #: the name above the post
    author: str
    #: as people read it
    text: str
    #: the beginning of `text` that shows without "…more"; equal to `text` where nothing is folded
    fold_phone: str
    fold_desktop: str
    #: in the network's own count
    used: int
    #: 0: unlimited
    max: int = 0
    #: None: the network makes none
    card: Card | None = None
    #: None: the account is no network
    request: Exchange | None = None
    #: of a thread, in order
    then: tuple[Further, ...] = ()
    #: hex
    sha256: str
    problems: tuple[Problem, ...] = ()
    #: names of the post's files, relative to the page
    files: tuple[str, ...] = ()


Proof: TypeAlias = MailProof | PostProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything on the page."""

    #: name of the publication
    publication: str
    #: BCP 47, of letters and posts
    language: str = "en"
    #: hash of the plan, hex
    plan: str
    #: moment of the plan as people read it, such as `Monday, 10 March 2025, 12:00 IST`
    local: str
    #: the same in UTC, such as `06:30 UTC`
    utc: str
    #: `rehearsal`, `live` or `dry run`
    mode: str
    proofs: tuple[Proof, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    #: of the articles and the configuration; an edition has its own
    problems: tuple[Problem, ...] = ()
    #: commands to type next
    next: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """A proof and what the page needs to show it."""

    #: prefix of the ids of its sections
    id: str
    proof: Proof
    #: a mail's document for the frames, a post's picture of the card; empty: none, or no room
    shown: str = ""

    @property
    def is_mail(self) -> bool:
        return isinstance(self.proof, MailProof)


def page(sheet: Sheet) -> str:
    """The proofs as one self-contained HTML file, to be written as UTF-8."""
    style, script = _asset("proofs.css"), _asset("proofs.js")
    text = (
        _environment()
        .get_template("proofs.html.j2")
        .render(
            sheet=sheet,
            entries=list(_entries(sheet.proofs[:ROWS])),
            policy=_policy(script),
            style=style,
            script=script,
        )
    )
    # a lone surrogate, which JSON front matter can hold, has no UTF-8 form
    return text.encode("utf-8", "replace").decode("utf-8")


def _entries(proofs: Sequence[Proof]) -> Iterator[_Entry]:
    """Numbers the proofs and hands out the room for letters and pictures, first come first served."""
    room = ROOM
    for number, proof in enumerate(proofs, start=1):
        wanted = _documents(proof) if isinstance(proof, MailProof) else (_picture(proof.card),)
        shown = next((one for one in wanted if len(one) <= min(SHOWN, room)), "")
        room -= len(shown)
        yield _Entry(f"e{number}", proof, shown)


def _documents(proof: MailProof) -> tuple[str, str]:
    """The letter for `srcdoc`, with its pictures and, where they are too heavy, without.

    The HTML parser drops a second doctype and merges a late `<html>`, so what stands first changes nothing else.
    """
    plain = _FRAME_HEAD + _CONNECTS.sub("", proof.html)
    full = plain
    for url, picture in proof.pictures.items():
        full = full.replace(escape(url), escape(_inline(picture)))
    return full, plain


def _policy(script: str) -> str:
    """The page's content security policy: nothing from anywhere, one script."""
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return f"{_FRAME_POLICY}; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _asset(name: str) -> Markup:
    return Markup((_PAGES / name).read_text("utf-8"))


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clip": _clip,
        "href": _href,
        "kilobytes": _kilobytes,
        "lively": _lively,
        "pretty": _pretty,
        "stars": _stars,
    }
    environment.globals |= {"CLIPPED": CLIPPED, "FILES": FILES, "READERS": READERS, "ROWS": ROWS, "TEXT": TEXT}
    return environment


def _clip(text: str) -> str:
    """The beginning of a text that is too long for the page; the template says that it was cut."""
    return text[:TEXT]


def _href(name: str) -> str:
    """A file beside the page; `./` so that no name can be read as a scheme."""
    return f"./{quote(name, errors='replace')}"


def _kilobytes(size: int) -> str:
    """Of 1,000 bytes, as Gmail's "102 KB" counts."""
    return f"{size / 1000:,.1f} KB"


def _lively(text: str) -> Markup:
    """Links and hashtags in the colour in which networks print them."""
    pieces = _LIVELY.split(text)
    return Markup("").join(
        Markup('<span class="lively">{}</span>').format(piece) if odd % 2 else piece for odd, piece in enumerate(pieces)
    )


def _picture(card: Card | None) -> str:
    return _inline(card.picture) if card else ""


def _inline(uri: str) -> str:
    """The URI if it carries its picture with it, else nothing: no other kind is loaded."""
    return uri if uri.startswith("data:image/") else ""


def _pretty(body: bytes) -> str:
    """JSON with line breaks; anything else as it is."""
    text = body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def _stars(header: tuple[str, str]) -> str:
    """A header's value, as stars where it carries a credential; the scheme (`Bearer`) stays."""
    name, value = header
    if not _CREDENTIAL.search(name):
        return value
    scheme, space, _ = value.partition(" ")
    return f"{scheme} ********" if space and name.lower() == "authorization" else "********"
