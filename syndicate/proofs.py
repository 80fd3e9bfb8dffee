"""What a rehearsal leaves behind for people and programs: message files, `manifest.jsonl`, and the proofs page.

The folder is the sink of a rehearsal: it gets every payload, hashes it, and keeps the files of the first recipients.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import groupby, islice, zip_longest
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from syndicate.editions.drafts import Proof, network_rules
from syndicate.editions.fingerprints import plan_hash
from syndicate.model import ChannelPlan, Letter, Mail, Payload, Plan, Post, Request, TextRules
from syndicate.model.message import digest
from syndicate.pipeline import Report
from syndicate.render import proofs as sheets
from syndicate.render.opened import links_of, open_letter

if TYPE_CHECKING:
    from syndicate.app import App

#: Recipients of an edition whose message files are written without `--all`.
FIRST = 3


class Folder:
    """A folder of proofs; a context manager, so that the manifest is complete when it is closed."""

    def __init__(self, folder: Path, *, everyone: bool = False) -> None:
        self.folder = folder
        self.manifest = folder / "manifest.jsonl"
        self._everyone = everyone
        self._lock = Lock()
        self._taken: dict[str, int] = {}
        self._files: dict[str, list[str]] = {}
        self._first: dict[str, Payload] = {}
        self._lines: TextIO

    def __enter__(self) -> Folder:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lines = self.manifest.open("w", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()

    def take(self, key: str, payload: Payload) -> None:
        """The rehearsal's sink: one line of the manifest, and files for the first recipients."""
        edition, _, recipient = key.rpartition(":")
        content = payload.content
        line: dict[str, Any] = {"key": key, "edition": edition, "recipient": recipient, "size": len(content)}
        line["sha256"] = sha256(content).hexdigest()
        if isinstance(payload, Request) and payload.uploads:
            # The network names a picture only when it has it: the body has a hole there, and the picture its own hash.
            line["uploads"] = [{"hole": one.hole, "sha256": sha256(one.data).hexdigest()} for one in payload.uploads]
        with self._lock:
            self._lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            count = self._taken[edition] = self._taken.get(edition, 0) + 1
            self._first.setdefault(edition, payload)
            if count <= FIRST or self._everyone:
                self._files.setdefault(edition, []).extend(self._write(edition, recipient, payload))

    def _write(self, edition: str, recipient: str, payload: Payload) -> Iterator[str]:
        """The files of one message; yields their names relative to the folder."""
        stem = f"{safe(edition)}/{safe(recipient)}"
        for suffix, content in files_of(payload):
            path = self.folder / f"{stem}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            yield f"{stem}{suffix}"

    def page(self, app: App, at: datetime, parts: Sequence[ChannelPlan], report: Report) -> Path:
        """Writes `index.html`; `report` is that of the rehearsal `app`, which has just run."""
        path = self.folder / "index.html"
        path.write_text(sheets.page(self._sheet(app, at, parts, report)), "utf-8")
        return path

    def _sheet(self, app: App, at: datetime, parts: Sequence[ChannelPlan], report: Report) -> sheets.Sheet:
        failed = [one.problem for one in report.failures]
        shown = [self._proof(app, one) for one in report.proofs if one.edition.key in self._first]
        skipped = {(one.article.path, one.reason): one for part in parts for one in part.skipped}
        return sheets.Sheet(
            publication=app.settings.publication.name,
            language=app.settings.publication.language,
            plan=plan_hash(app, Plan(at=at, channels=tuple(parts))),
            local=f"{at:%A, %-d %B %Y, %H:%M %Z}",
            utc=f"{at.astimezone(ZoneInfo('UTC')):%H:%M} UTC",
            mode="dry run",
            proofs=tuple(shown),
            left_out=tuple(sheets.LeftOut(one.article.title, one.article.path, one.reason) for one in skipped.values()),
            problems=(*failed, *app.library().load().problems),
            next=(f"syndicate run --once --at {at:%Y-%m-%dT%H:%M}",),
        )

    def _proof(self, app: App, proof: Proof) -> sheets.Proof:
        payload = self._first[proof.edition.key]
        if isinstance(proof.message, Letter):
            return self._mail(app, proof, proof.message, payload)
        return self._post(app, proof, proof.message, payload)

    def _mail(self, app: App, proof: Proof, letter: Letter, payload: Payload) -> sheets.MailProof:
        key, channel = proof.edition.key, proof.edition.channel
        first = open_letter(payload.content)
        ledger = app.ledger()
        return sheets.MailProof(
            edition=key,
            channel=channel.name,
            account=account_name(app, channel.account),
            subject=letter.subject,
            preheader=letter.preheader,
            sender=f"{letter.sender.name} <{letter.sender.address}>",
            readers=self._taken[key],
            first_readers=tuple(
                sheets.Reader(one.recipient, one.name) for one in islice(ledger.deliveries(key), sheets.READERS)
            ),
            skipped=tuple(skipped_readers(app, key)),
            html=first.html,
            text=first.text,
            headers=first.headers,
            size=len(payload.content),
            sha256=digest(payload),
            links=tuple(sheets.Link(text, url) for text, url in links_of(first.html)),
            problems=proof.problems,
            files=tuple(self._files[key]),
        )

    def _post(self, app: App, proof: Proof, post: Post, payload: Payload) -> sheets.PostProof:
        from syndicate.render.fit import fold, measure

        key, channel = proof.edition.key, proof.edition.channel
        rules = network_rules(app, channel)
        words = f"{safe(key)}/{safe(channel.account)}.txt"
        (self.folder / words).write_text("\n\n".join(post.texts), "utf-8")
        phone, desktop = fold(post.text, rules)
        return sheets.PostProof(
            edition=key,
            channel=channel.name,
            account=account_name(app, channel.account),
            network={"linkedin": "LinkedIn"}.get(channel.template, channel.template.capitalize() or channel.account),
            author=app.settings.publication.name,
            text=post.text,
            fold_phone=phone,
            fold_desktop=desktop,
            used=measure(post.text, rules),
            max=rules.max_length,
            card=card_of(post),
            request=exchange_of(payload),
            then=tuple(further(post, payload, rules)),
            sha256=digest(payload),
            problems=proof.problems,
            files=(words, *self._files[key]),
        )


def safe(name: str) -> str:
    """A file name that every system takes; what had to change is told apart by a piece of the name's hash."""
    plain = re.sub(r"[^A-Za-z0-9@._+-]+", "-", name).strip(".-")[:100]
    return plain if plain == name else f"{plain}-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:6]}"


def files_of(payload: Payload) -> Iterator[tuple[str, bytes]]:
    """(suffix, content) of each file that shows a message."""
    if isinstance(payload, Mail):
        opened = open_letter(payload.data)
        yield ".eml", payload.data
        yield ".html", opened.html.encode()
        yield ".txt", opened.text.encode()
    else:
        for number, part in enumerate((payload, *payload.then), start=1):
            kind = part.headers.get("Content-Type", "")
            ending = ".request.json" if kind.startswith("application/json") else ".request"
            yield f".{number}{ending}" if payload.then else ending, part.body


def account_name(app: App, account: str) -> str:
    """`outbox (file)`."""
    return f"{account} ({app.settings.accounts[account].adapter})"


def skipped_readers(app: App, key: str) -> Iterator[sheets.Group]:
    """Readers who were left out, by reason."""
    rows = sorted((one for one in app.ledger().left_out(key) if one.kind == "recipient"), key=lambda one: one.reason)
    for reason, group in groupby(rows, key=lambda one: one.reason):
        who = [one.who for one in group]
        yield sheets.Group(reason, len(who), tuple(who[:FIRST]))
    for one in app.ledger().left_out(key):
        if one.kind == "recipients":  # of a list they are counted, and not named
            yield sheets.Group(one.reason, int(one.who), ())


def card_of(post: Post) -> sheets.Card:
    """The link card under a post."""
    picture = f"data:{post.image.media_type};base64,{b64encode(post.image.data).decode()}" if post.image else ""
    return sheets.Card(post.title, post.description, urlsplit(post.url).hostname or "", picture)


def further(post: Post, payload: Payload, rules: TextRules) -> Iterator[sheets.Further]:
    """The further posts of a thread, each with its request where it has one of its own."""
    from syndicate.render.fit import measure

    parts = payload.then if isinstance(payload, Request) else ()
    for text, part in zip_longest(post.then, parts):
        yield sheets.Further(text, measure(text, rules), exchange_of(part) if part else None)


def exchange_of(payload: Payload) -> sheets.Exchange | None:
    """The request of an HTTP payload."""
    if not isinstance(payload, Request):
        return None
    return sheets.Exchange(payload.method, payload.url, tuple(payload.headers.items()), payload.body)
