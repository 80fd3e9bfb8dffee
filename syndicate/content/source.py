"""The bytes of a file, and the text in them."""

from __future__ import annotations

import codecs
import os
import re
import stat
from pathlib import Path
from typing import TypeAlias

from syndicate.content.notes import Notes
from syndicate.model import Severity

#: the longest real article that was found has 851 KB; whatever is larger is not one
MAX_BYTES = 1_000_000

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),  # before UTF-16, whose mark it begins with
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LINE_END = re.compile(r"\r\n?")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
#: one well-formed UTF-8 sequence beyond ASCII (RFC 3629 §4, without its finer ranges)
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


#: what the file system says of a file without opening it; equal stamps speak for an unchanged file. Size in bytes; last
#: write, which anyone can set back; last change of content or inode, which nobody can set; nanoseconds since 1970
Stamp: TypeAlias = tuple[int, int, int]


def stamp_of(info: os.stat_result) -> Stamp:
    """The stamp in an answer of stat(2)."""
    return info.st_size, info.st_mtime_ns, info.st_ctime_ns


def read_bytes(path: Path | str, notes: Notes) -> tuple[bytes, Stamp]:
    """The bytes of a regular file of at most `MAX_BYTES`, with its stamp from before they were read.

    Raises `Refusal` for whatever else stands there; never waits (FIFO) and never follows a link.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (OSError, ValueError) as error:
        hint = "check the path" if isinstance(error, FileNotFoundError) else "check its permissions"
        notes.refuse("file.unreadable", f"cannot be opened: {_reason(error)}", hint=hint)
    try:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode):
            notes.refuse("file.kind", "is not a regular file", hint="name a Markdown file")
        if info.st_size > MAX_BYTES:
            _too_large(info.st_size, notes)
        data = _read_all(descriptor, info.st_size + 1)
    except OSError as error:
        notes.refuse("file.unreadable", f"cannot be read: {_reason(error)}", hint="check its permissions")
    finally:
        os.close(descriptor)
    return data, stamp_of(info)


def _read_all(descriptor: int, limit: int) -> bytes:
    """At most `limit` bytes: what is appended meanwhile shows in the next stamp."""
    data = os.read(descriptor, limit)
    while 0 < len(data) < limit - 1 and (part := os.read(descriptor, limit - len(data))):
        data += part
    return data


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _too_large(size: int, notes: Notes) -> None:
    notes.refuse(
        "file.too-large",
        f"has {size / 1e6:.1f} MB; an article may have {MAX_BYTES / 1e6:.0f} MB",
        hint="move pictures and attachments out of it, or the file out of the article folder",
    )


def codec(data: bytes) -> tuple[str, bytes]:
    """(codec, byte order mark): what the file says of itself, else UTF-8, else Windows-1252."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name, mark
    try:
        data.decode()
    except UnicodeDecodeError:
        return "cp1252", b""
    return "utf-8", b""


def decode(data: bytes, notes: Notes) -> str:
    """The text of a file, without byte order mark, every line ended by one `\\n`.

    Raises `Refusal` for an empty or binary file. Bytes that are no UTF-8 are read as Windows-1252, and reported.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        text = _decode_otherwise(data, error, notes)
    text = text.removeprefix("\ufeff")
    if not text.strip():
        notes.refuse("file.empty", "is empty", hint="write an article, or remove it", severity=Severity.WARNING)
    if "\x00" in text:
        offset = data.find(b"\x00")
        notes.refuse("file.binary", f"is not text: NUL byte at offset {offset}", hint="save it as UTF-8 text")
    return _LINE_END.sub("\n", text) if "\r" in text else text


def _decode_otherwise(data: bytes, error: UnicodeDecodeError, notes: Notes) -> str:
    name, mark = codec(data)
    line = data.count(b"\n", 0, error.start) + 1
    first = f"byte 0x{data[error.start]:02X} at offset {error.start}"
    try:
        if mark:
            return data[len(mark) :].decode(name)
        mixed = _UTF8_SEQUENCE.search(data) is not None
        text = data.decode("utf-8", "syndicate.stray") if mixed else data.decode("cp1252")
    except UnicodeDecodeError:
        notes.refuse("file.encoding", f"is not UTF-8 text: {first}", (line, 0), hint="save it as UTF-8")
    if _CONTROL.search(text):
        notes.refuse("file.binary", f"is not text: {first}", (line, 0), hint="save it as UTF-8 text")
    what = "the stray bytes were" if mixed else "it was"
    notes.repaired(
        "file.not-utf8", f"is not UTF-8 ({first}); {what} read as Windows-1252", (line, 0), hint="save it as UTF-8"
    )
    return text


def _stray_byte(error: UnicodeError) -> tuple[str, int]:
    """A codec's error handler: one byte of another origin in UTF-8.

    A lone 0xC2 is half a no-break space, as editors leave it when they delete the other half.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    stray = error.object[error.start : error.start + 1]
    return "" if stray == b"\xc2" else stray.decode("cp1252"), error.start + 1


codecs.register_error("syndicate.stray", _stray_byte)
