"""Files in a folder instead of a network: mails as `.eml`, posts as text and as the request they would be.

The path is the key: the same message twice is one file, and another message never takes the place of one that is
there. A folder of a run opens at its `index.html` (`outbox.py`).
"""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from pydantic import Field

from syndicate.adapters import base, outbox
from syndicate.model import (
    Dedupe,
    Deferred,
    Email,
    Mail,
    Message,
    Outcome,
    Paused,
    Payload,
    Post,
    Receipt,
    Refused,
    Request,
    TextRules,
    Upload,
)
from syndicate.whole import sync_folder

_SCHEME = "file:"
_CLEAN = re.compile(r"[a-z0-9][a-z0-9@._+=-]{0,99}(?<![.])")
_OCCASION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # names that Windows keeps for itself
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}


class FileOptions(base.Options):
    """A folder that takes messages."""

    folder: Path = Field(
        default=Path("outbox"), description="where the files go; a relative path begins at the project's folder"
    )


class File(base.Adapter):
    """Writes messages to this disk. `options.folder` is absolute: the app resolves it against the project's folder."""

    name = "file"
    Options = FileOptions
    rules = TextRules()
    dedupe = Dedupe(repeat=timedelta(days=36500))  # a file does not forget
    supports = frozenset({"email", "post", "image", "thread"})
    local = True
    options: FileOptions

    def compose(self, message: Message) -> Payload:
        """A mail as it would leave; a post as a `PUT` of its parts to a name made from its edition."""
        if isinstance(message, Email):
            return Mail(message.letter.sender.address, message.recipient.address, message.data)
        stem = "/".join(safe_name(part) for part in message.edition.split("/"))
        picture = f"{stem}{_ENDINGS.get(message.image.media_type, '.bin')}" if message.image else ""
        body = json.dumps(_parts(message, picture), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        # The picture's name is known before it is written, so there is no hole to fill.
        uploads = (Upload("", message.image.data, message.image.media_type),) if message.image else ()
        return Request("PUT", f"{_SCHEME}{stem}.json", body.encode(), {"Content-Type": "application/json"}, uploads)

    @contextmanager
    def open(self) -> Iterator[outbox.Page]:
        """Collects what was written; when it closes, it brings `index.html` up to date."""
        page = outbox.Page(self.options.folder)
        try:
            yield page
        finally:
            page.write()

    def prepare(self, session: outbox.Page, payload: Payload) -> Payload | Outcome:
        """Writes the picture beside the post."""
        if isinstance(payload, Request):
            for upload in payload.uploads:
                name = json.loads(payload.body)["image"]["file"]
                outcome = self._put({name: upload.data})
                if not isinstance(outcome, Receipt):
                    return outcome
        return payload

    def send(self, session: outbox.Page, payload: Payload, key: str) -> Outcome:
        """Writes one message, whole or not at all."""
        if isinstance(payload, Mail):
            edition = key.removesuffix(f":{payload.recipient}")
            folder = "/".join(safe_name(part) for part in edition.split("/"))
            name = f"{folder}/{safe_name(payload.recipient)}.eml"
            files, row = {name: payload.data}, outbox.mail_row(edition, name, payload)
        else:
            name = payload.url.removeprefix(_SCHEME)
            post = json.loads(payload.body)
            words = "\n\n".join([post["text"], *post.get("then", [])])
            text = {f"{name.removesuffix('.json')}.txt": f"{words}\n".encode()}
            files, row = {**text, name: payload.body}, outbox.post_row(name, post, len(payload.body))
        outcome = self._put(files)
        if isinstance(outcome, Receipt):
            session.add(row)
        return outcome

    def _put(self, files: dict[str, bytes]) -> Outcome:
        """Writes files in turn, the one that counts last."""
        path = self.options.folder
        try:
            for name, data in files.items():
                path = self.options.folder / name
                if not write_once(path, data):
                    return Refused(f"{path} holds another message; move it away to write this one")
        except OSError as error:
            return _fault(path, error)
        return Receipt(
            str(path.relative_to(self.options.folder)), path.absolute().as_uri(), f"written, {len(data)} bytes"
        )


def write_once(path: Path, data: bytes) -> bool:
    """Writes a file that survives a power cut as soon as this returns; False if another one is there already.

    Raises OSError. A kill at any instant leaves the whole file or none (but for a `.part` that nobody reads).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(suffix=".part", prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(temporary, path)  # unlike a rename, it fails where a file is
        except FileExistsError:
            if path.read_bytes() != data:
                return False
        sync_folder(path.parent)
    finally:
        os.unlink(temporary)  # noqa: PTH108 -- the name came from `tempfile`
    return True


def safe_name(name: str) -> str:
    """A file name for any text; different texts get different names, in upper or lower case and on every system.

    Plain names stay as they are; others keep what can be kept and get a piece of their SHA-256.
    """
    if _CLEAN.fullmatch(name) and not _DEVICES.fullmatch(name):
        return name
    if _OCCASION.fullmatch(name):
        return name.replace(":", "-")  # a colon is not for Windows; nothing else has a `T` and no `~`
    kept = re.sub(r"[^a-z0-9@+=]+", "-", name.lower()).strip("-")[:60]
    return f"{kept}~{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _parts(post: Post, picture: str) -> dict[str, object]:
    image = post.image and {
        "file": picture,
        "media_type": post.image.media_type,
        "alt": post.image.alt,
        "sha256": sha256(post.image.data).hexdigest(),
    }
    return {
        "edition": post.edition,
        "text": post.text,
        "url": post.url,
        "title": post.title,
        "description": post.description,
        "language": post.language,
        "hashtags": post.hashtags,
        "image": image,
        **({"then": post.then} if post.then else {}),
    }


def _fault(path: Path, error: OSError) -> Outcome:
    """A full disk or a folder that may not be written is the account's trouble; it hits every message alike."""
    reason = f"{path}: {error.strerror or error}"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Paused(reason, "Make room on the disk, or set another `folder`.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR}:
        return Paused(reason, "Set `folder` to a folder that may be written.")
    return Deferred(reason)
