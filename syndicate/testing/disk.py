"""A disk that fails at the n-th operation: before it did anything, or after it did all, as a disk may."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from syndicate.deliver.disk import Disk


class FailingDisk(Disk):
    """Counts its operations; `name` says which one failed."""

    def __init__(self, at: int, *, done: bool = False, stays_full: bool = False) -> None:
        """`done`: the operation is carried out and reports an error all the same; `stays_full`: all later ones fail."""
        self._left = at
        self._done = done
        self._stays_full = stays_full
        #: of the first operation that failed; empty: none did
        self.name = ""

    def _turn(self, name: str) -> bool:
        """Whether this operation fails."""
        self._left -= 1
        fails = self._left == 0 or (self._stays_full and self._left < 0)
        self.name = self.name or (name if fails else "")
        return fails

    def folder(self, path: Path) -> None:
        """As `Disk.folder`."""
        fails = self._turn("folder")
        if not fails or self._done:
            super().folder(path)
        _fail(fails)

    def create(self, path: Path) -> int:
        """As `Disk.create`; a file that was made is left behind."""
        fails = self._turn("create")
        descriptor = super().create(path) if not fails or self._done else -1
        if fails and descriptor >= 0:
            super().close(descriptor)
        _fail(fails)
        return descriptor

    def open(self, path: Path) -> int:
        """As `Disk.open`."""
        _fail(self._turn("open"))
        return super().open(path)

    def lock(self, descriptor: int) -> None:
        """As `Disk.lock`."""
        fails = self._turn("lock")
        if not fails or self._done:
            super().lock(descriptor)
        _fail(fails)

    def append(self, descriptor: int, content: bytes) -> None:
        """As `Disk.append`; one that fails leaves half a line, or the whole one."""
        fails = self._turn("append")
        super().append(descriptor, content if not fails or self._done else content[: len(content) // 2])
        _fail(fails)

    def sync(self, descriptor: int) -> None:
        """As `Disk.sync`."""
        _fail(self._turn("sync"))
        super().sync(descriptor)

    def replace(self, draft: Path, path: Path) -> None:
        """As `Disk.replace`."""
        fails = self._turn("replace")
        if not fails or self._done:
            super().replace(draft, path)
        _fail(fails)

    def read(self, path: Path) -> bytes:
        """As `Disk.read`."""
        _fail(self._turn("read"))
        return super().read(path)

    def remove(self, path: Path) -> None:
        """As `Disk.remove`."""
        fails = self._turn("remove")
        if not fails or self._done:
            super().remove(path)
        _fail(fails)


def _fail(fails: bool) -> None:
    if fails:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
