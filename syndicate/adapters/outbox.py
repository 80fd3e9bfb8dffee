"""`index.html` of an outbox: one page that opens from disk and shows what was written, edition by edition.

It is built when a session closes, from `.index.json`, which keeps the first messages of the latest editions. So a page
costs the same for ten messages and for a million.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import quote

from syndicate.model import Mail
from syndicate.whole import replacing

ROWS = 50  #: messages listed of one edition
EDITIONS = 50  #: editions listed, the latest first
SHOWN = 10  #: editions whose letter is shown in the page itself


@dataclass(frozen=True, slots=True)
class Row:
    """One message as the page lists it."""

    edition: str
    #: path below the outbox
    file: str
    #: subject, or first line of a post
    title: str
    #: address; empty for a post
    recipient: str
    #: bytes
    size: int


def mail_row(edition: str, file: str, mail: Mail) -> Row:
    """The row of a mail."""
    head, _, _ = mail.data.partition(b"\r\n\r\n")
    subject = BytesHeaderParser(policy=default).parsebytes(head + b"\r\n\r\n").get("Subject", "")
    return Row(edition, file, str(subject), mail.recipient, len(mail.data))


def post_row(file: str, post: dict[str, Any], size: int) -> Row:
    """The row of a post, from the request's body."""
    return Row(post["edition"], file, post["text"].partition("\n")[0], "", size)


@dataclass(frozen=True, slots=True)
class Shown:
    """One edition as the page shows it."""

    key: str
    rows: list[Row]
    #: mails of it in the folder; 0 for a post
    count: int = 0
    #: the letter to its first reader
    html: str = ""
    #: the request's body; None for mails
    post: dict[str, Any] | None = None


Editions = list[tuple[str, list[Row]]]


class Page:
    """What one session wrote."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, list[Row]] = {}

    def add(self, row: Row) -> None:
        """Notes a message that is on the disk."""
        rows = self._rows.setdefault(row.edition, [])
        if len(rows) < ROWS:
            rows.append(row)

    def write(self) -> None:
        """Brings the page up to date. A page that cannot be written is no reason to doubt the messages: it waits."""
        if not self._rows:
            return
        try:
            with _alone(self._folder):
                editions = _merged(_still_there(self._folder, _read(self._folder)), self._rows)[:EDITIONS]
                state = [{"key": key, "rows": [asdict(row) for row in rows]} for key, rows in editions]
                _replace(self._folder / ".index.json", json.dumps(state, ensure_ascii=False).encode())
                _replace(self._folder / "index.html", _page(self._folder, editions).encode())
        except (OSError, ValueError, LookupError, TypeError):
            return


def _still_there(folder: Path, editions: Editions) -> Editions:
    """Without what somebody has taken out of the folder since."""
    left = ((key, [row for row in rows if (folder / row.file).exists()]) for key, rows in editions)
    return [(key, rows) for key, rows in left if rows]


def _read(folder: Path) -> Editions:
    """What the page listed until now; nothing if the file is not there or somebody broke it."""
    try:
        state = json.loads((folder / ".index.json").read_bytes())
        return [(part["key"], [Row(**row) for row in part["rows"]]) for part in state]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _merged(before: Editions, new: dict[str, list[Row]]) -> Editions:
    """The editions just written first; each file once."""
    known = dict(before)
    fresh = []
    for key, rows in reversed(new.items()):
        by_file = {row.file: row for row in [*known.get(key, []), *rows]}
        fresh.append((key, list(by_file.values())[:ROWS]))
    return [*fresh, *((key, rows) for key, rows in before if key not in new)]


def _page(folder: Path, editions: Editions) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("syndicate.adapters", ""), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["href"] = quote
    shown = [_shown(folder, key, rows, in_full=place < SHOWN) for place, (key, rows) in enumerate(editions)]
    return environment.get_template("outbox.html.j2").render(editions=shown, folder=folder.name)


def _shown(folder: Path, key: str, rows: list[Row], *, in_full: bool) -> Shown:
    path = folder / rows[0].file
    if not rows[0].recipient:
        return Shown(key, rows, post=json.loads(path.read_bytes()))
    return Shown(key, rows, _files(path.parent, ".eml"), _html_part(path) if in_full else "")


def _files(folder: Path, ending: str) -> int:
    """How many messages of an edition lie there, by whichever run they came."""
    with os.scandir(folder) as entries:
        return sum(entry.name.endswith(ending) for entry in entries)


def _html_part(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), EmailMessage, policy=default)
    part = message.get_body(("html",))
    return str(part.get_content()) if part else ""


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two sessions may close at once; the lock goes with the process that holds it."""
    with (folder / ".index.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(path: Path, data: bytes) -> None:
    with replacing(path, durable=True) as file:
        file.write(data)
