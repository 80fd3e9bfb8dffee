"""Forgetting a person everywhere: in the database, and in the files that Syndicate keeps beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from syndicate.model.people import Erasure
from syndicate.whole import replacing_text

if TYPE_CHECKING:
    from syndicate.app import App

#: Bytes of a file that are looked at at once; an address on the border of two pieces stands in one of them whole.
PIECE, LONGEST = 1 << 20, 254


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What became of a request to be forgotten."""

    #: whose it was; shown to whoever asked, and kept nowhere
    address: str
    erasure: Erasure
    #: under `var/`, relative to the project: files that name the address and are not Syndicate's to change
    files: tuple[str, ...] = ()


def erase(app: App, address: str) -> Forgotten:
    """Removes a person from the store, the ledger and the reports of imports. Raises `NeedsPerson` while a mail to them
    is on the wire.
    """
    erased = app.subscribers().erase(address)
    left = [path for path in naming(app.root / "var", address) if not cleared(app, path, address)]
    return Forgotten(address, erased, tuple(path.relative_to(app.root).as_posix() for path in left))


def naming(folder: Path, address: str) -> Iterator[Path]:
    """Files below a folder that hold an address, in whatever case."""
    wanted = address.lower().encode()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and holds(path, wanted):
            yield path


def holds(path: Path, wanted: bytes) -> bool:
    """Whether a file has these bytes, read piece by piece."""
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            if wanted in (tail + piece).lower():
                return True
            tail = piece[-LONGEST:]
    return False


def cleared(app: App, path: Path, address: str) -> bool:
    """Takes the lines out of a report of an import that name the address; whether this is one."""
    if path.parent != app.root / "var" / "imports":
        return False
    wanted = address.lower()
    with path.open(encoding="utf-8", newline="") as old, replacing_text(path) as new:
        new.writelines(line for line in old if wanted not in line.lower())
    return True
