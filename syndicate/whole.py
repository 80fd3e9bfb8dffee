"""Files that are there whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of the one at `path` when the block ends, and is gone if the block fails.

    Only its owner can read it. `durable`: it outlives a power cut as soon as the block has ended. Raises OSError.
    """
    from tempfile import mkstemp  # costs a command that writes nothing some milliseconds

    descriptor, name = mkstemp(dir=path.parent, prefix=".", suffix=".part")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


@contextmanager
def replacing_text(path: Path) -> Iterator[TextIO]:
    """The same for text: UTF-8, with line ends as they are written."""
    with replacing(path) as file:
        text = TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()  # else it would close the file before that is moved into its place


def sync_folder(folder: Path) -> None:
    """Makes new names in a folder durable (POSIX: a file's fsync does not cover its name)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
