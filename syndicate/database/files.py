"""The database as a file: where it is, whether it can be trusted, and how to read it without touching it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from syndicate.database.faults import damaged, not_a_ledger, translated
from syndicate.errors import LedgerError

T = TypeVar("T")

_MAGIC = b"SQLite format 3\0"
_HEADER = 100  # bytes, https://sqlite.org/fileformat2.html#the_database_header
#: device, folder and kind of each file system, https://man7.org/linux/man-pages/man5/proc_pid_mounts.5.html
MOUNTS = Path("/proc/self/mounts")
_REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "fuse.glusterfs", "glusterfs"})
_SMALL = 4 << 20  # bytes that are checked whole in a few milliseconds


def locate(url: str, root: Path) -> Path | None:
    """The file behind `sqlite:///relative`, `sqlite:////absolute` or None for `sqlite://`, which lives in memory.

    Raises `LedgerError` for any other database.
    """
    scheme, separator, rest = url.partition("://")
    if scheme != "sqlite" or not separator:
        raise LedgerError(f"database: {scheme} is not supported", hint="Use sqlite:///var/syndicate.db, a file.")
    return root / rest[1:] if rest.strip("/") else None


def refuse_network(path: Path, mounts: Path = MOUNTS) -> None:
    """Raises `LedgerError` where the folder lies on a file system of another machine: a write-ahead log needs memory
    that all its processes share (https://sqlite.org/wal.html), and some of those file systems only play at locking.
    """
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return  # a system that does not tell
    folder = path.resolve().parent
    rows = [line.split() for line in lines]
    above = [row for row in rows if len(row) > 2 and folder.is_relative_to(row[1].replace("\\040", " "))]
    kind = max(above, key=lambda row: len(row[1]), default=["", "", ""])[2]
    if kind in _REMOTE:
        hint = "Put it on a disk of this machine, such as `database: sqlite:////var/lib/syndicate/syndicate.db`."
        raise LedgerError(f"{path} lies on a network file system ({kind}), which a ledger cannot trust", hint=hint)


def check(path: Path) -> None:
    """Raises `LedgerError` unless the file is a whole ledger: better to stop than to forget what was sent."""
    size = path.stat().st_size
    if not size:
        raise damaged(str(path), "the file is empty, and a ledger never is")
    if not wal(path).exists():
        _check_header(path, size)
    with translated(str(path)):
        ours, verdict = steady(path, lambda uri: _look(uri, thoroughly=size <= _SMALL))
    if verdict != "ok":
        raise damaged(str(path), verdict)
    if not ours:
        raise not_a_ledger(str(path), "it holds the tables of another program")


def _check_header(path: Path, size: int) -> None:
    """Only of a database that nobody has open: to close a file takes away every lock that this process has on it, those
    of SQLite too (https://sqlite.org/howtocorrupt.html §2.2), and then another process would remove the log from under
    its feet, with all that is committed after that.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if not header.startswith(_MAGIC):
        raise damaged(str(path), "the file is no SQLite database")
    page = int.from_bytes(header[16:18], "big")
    expected = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    if size < expected:
        raise damaged(str(path), f"it has {size} bytes where {expected} belong")


def _look(uri: str, *, thoroughly: bool) -> tuple[bool, str]:
    """Whether the database is a ledger, and `ok` or what SQLite finds wrong with it."""
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if thoroughly else "ok"
        ours = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()[0]
        return bool(ours), str(verdict)


def wal(path: Path) -> Path:
    """The write-ahead log beside a database; there while somebody has it open, or after a crash."""
    return path.with_name(path.name + "-wal")


def steady(path: Path, read: Callable[[str], T]) -> T:
    """What `read` gets from a consistent state of the database, of which no byte is changed.

    `read` is called with an SQLite URI. Even a reader of a WAL database makes files beside it, unless it declares
    the database immutable (https://sqlite.org/wal.html#readonly). That is right while nobody writes; if somebody
    began to meanwhile, it is read again with the locks that a live database has.
    """
    plain = f"file:{quote(str(path))}?mode=ro"
    if not wal(path).exists():
        before = path.stat()
        try:
            found = read(f"{plain}&immutable=1")
        except sqlite3.DatabaseError:
            if not _changed(path, before.st_mtime_ns):
                raise
        else:
            if not _changed(path, before.st_mtime_ns):
                return found
    return read(plain)


def _changed(path: Path, mtime: int) -> bool:
    return wal(path).exists() or path.stat().st_mtime_ns != mtime
