"""The file operations of the attempt log, in one place, so that a test can make each of them fail."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path


class Disk:
    """A real one. Everything raises `OSError`."""

    def folder(self, path: Path) -> None:
        """Makes it, if it is not there."""
        path.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path) -> int:
        """A new file to append to, which only its owner can read; its descriptor."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)

    def open(self, path: Path) -> int:
        """A file to look at; its descriptor."""
        return os.open(path, os.O_RDONLY)

    def lock(self, descriptor: int) -> None:
        """Held until it is closed, or its process ends. Raises `BlockingIOError` if somebody else has it."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def append(self, descriptor: int, content: bytes) -> None:
        """One write, whole or an error: the kernel may write less without calling it one."""
        if os.write(descriptor, content) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self, descriptor: int) -> None:
        """All that was written survives a power cut, once the folder is synced too."""
        os.fsync(descriptor)

    def replace(self, draft: Path, path: Path) -> None:
        """Gives a file its name."""
        draft.rename(path)

    def read(self, path: Path) -> bytes:
        """All of it."""
        return path.read_bytes()

    def remove(self, path: Path) -> None:
        """Takes it away, if it is there."""
        path.unlink(missing_ok=True)

    def close(self, descriptor: int) -> None:
        """Lets go of it, and of its lock."""
        os.close(descriptor)
