"""The file that somebody brings: a table, lines of JSON, or an archive of them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from syndicate.audience.source import NotReadableError

#: Text shrinks to a tenth or a twentieth; what shrinks more is made to fill a disk or an afternoon.
MOST_INFLATED = 200
_TABLES = frozenset({".csv", ".tsv", ".txt"})
_LINES = frozenset({".jsonl", ".ndjson", ".json"})
_EXPORT_AS = "Export the list as CSV (UTF-8) and name that file."


@dataclass(frozen=True, slots=True)
class Part:
    """One table, or one file of JSON lines."""

    #: as messages name it: `people.csv`, `export.zip:subscribed.csv`
    shown: str
    #: opens it at its start; may be called again
    open: Callable[[], IO[bytes]]
    #: bytes, unpacked
    size: int
    #: whether each line is a JSON object
    lines: bool

    @property
    def name(self) -> str:
        """The file's own name."""
        return PurePosixPath(self.shown.rpartition(":")[2]).name

    @property
    def short(self) -> str:
        """As the record of consent names it: without folders, which mean nothing to anybody else."""
        archive, separator, name = self.shown.partition(":")
        return f"{PurePosixPath(archive).name}{separator}{name}"


def parts(path: Path, shown: str) -> tuple[Part, ...]:
    """What is in the file. Raises `NotReadableError` if that is nothing to import, or `OSError`."""
    if path.exists() and not path.is_file():  # a device or a pipe could go on for ever
        raise NotReadableError("this is not a file", "Name a CSV or JSONL file, or the ZIP file of an export.")
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith(b"PK\x03\x04"):
        return _unpacked(path, shown)
    if start.lstrip().startswith(b"["):
        raise NotReadableError("this is one JSON list", "Write one object on each line: jq -c '.[]' FILE > FILE.jsonl")
    lines = start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    return (Part(shown, lambda: path.open("rb"), path.stat().st_size, lines),)


def _unpacked(path: Path, shown: str) -> tuple[Part, ...]:
    """The tables in an archive, as Mailchimp and Substack send it. Nothing of it is written to the disk."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise NotReadableError(f"this ZIP archive is damaged ({error})", "Download it again.") from None
    if any(one.filename == "[Content_Types].xml" for one in members):
        raise NotReadableError("this is an Excel workbook, not CSV", _EXPORT_AS)
    tables = [one for one in members if _suffix(one) in _TABLES | _LINES and not _hidden(one)]
    if not tables:
        raise NotReadableError("there is no CSV or JSONL file in this ZIP archive", _EXPORT_AS)
    for one in tables:
        if one.flag_bits & 1:
            raise NotReadableError(f"{one.filename} in this ZIP archive is encrypted", "Unpack it and name the file.")
        if one.file_size > MOST_INFLATED * max(one.compress_size, 1):
            raise NotReadableError(f"{one.filename} in this ZIP archive is no list of people: it unpacks to more than "
                                   f"{MOST_INFLATED} times its size", _EXPORT_AS)  # fmt: skip
    return tuple(
        Part(f"{shown}:{one.filename}", _opener(path, one.filename), one.file_size, _suffix(one) in _LINES)
        for one in sorted(tables, key=lambda one: one.filename)
    )


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()


def _hidden(member: zipfile.ZipInfo) -> bool:
    """What a Mac adds of its own."""
    parts = PurePosixPath(member.filename).parts
    return "__MACOSX" in parts or parts[-1].startswith(".")


def _opener(path: Path, name: str) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        with zipfile.ZipFile(path) as archive:  # the member holds the file open by itself
            return archive.open(name)

    return opened
