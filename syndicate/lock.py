"""One scheduler at a time on one database: a lock that the kernel frees at the holder's death, however it dies.

`flock` on a file beside the SQLite database, and never a file with a process id that outlives its process. It only
keeps two schedulers from doing the same work: that nothing is sent twice is the ledger's doing. A process that is
frozen (SIGSTOP) is alive, and keeps it.
"""

from __future__ import annotations

import fcntl
import os
import socket
from datetime import datetime
from pathlib import Path

from syndicate.errors import SyndicateError

LONGEST = 200  # bytes of the file that tell who holds it


class FileLock:
    """Not held until `take` says so. A lock for another database has the same methods."""

    def __init__(self, path: Path) -> None:
        """`path` is the lock's own file, made if it is not there and never removed."""
        self.path = path
        self._descriptor: int | None = None

    @classmethod
    def beside(cls, database: Path) -> FileLock:
        """The lock of one database, by whatever path it is reached."""
        real = database.resolve()
        return cls(real.with_name(f"{real.name}.lock"))

    def take(self, now: datetime) -> bool:
        """Whether it is held now; never waits. Raises `SyndicateError` if the file cannot be opened."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            hint = "Check that you may write to its folder."
            raise SyndicateError(f"{self.path} cannot be opened: {error.strerror}", hint=hint) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        who = f"process {os.getpid()} on {socket.gethostname()}, since {now:%Y-%m-%d %H:%M} UTC"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, who.encode()[:LONGEST], 0)
        self._descriptor = descriptor
        return True

    def holder(self) -> str:
        """`process 4711 on news1, since 2025-03-10 03:30 UTC`; for people, who may come a moment too late."""
        try:
            text = self.path.read_bytes()[:LONGEST].decode("utf-8", "replace")
        except OSError:
            text = ""
        return text or "another process"

    def release(self) -> None:
        """Lets go; the file stays, since a lock on a removed file would be one of two."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
