"""The attempt log: what a worker did between its claim and its settlement, one line before the wire and one after it.

    {"boot": …, "pid": …}        the header; the worker holds a lock on the file as long as it lives
    S id epoch sha256 size {}    from here on the network may accept; at the end its ids for the files, if there are any
    D id epoch {outcome}         the network answered

A record is one `write` to a file opened with O_APPEND, so it survives the death of the process. It need not survive a
power cut: a changed boot id widens the doubt to all that the worker held. Only ids of files are worth an fsync: without
them the network would not recognise a repeat, and there are few.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from syndicate.deliver.base import Job, Tried
from syndicate.deliver.disk import Disk
from syndicate.errors import LedgerError
from syndicate.model import Deferred, Delivery, Outcome, Paused, Receipt, Refused, Unknown

#: Bytes after which the log is written anew with what is still open in it.
LIMIT = 1 << 20
#: Characters of a network's own words.
WORDS = 300
#: A string in JSON; `json.dumps` makes itself an encoder for each record.
_in_json = json.encoder.encode_basestring_ascii

_KINDS: Mapping[str, type[Outcome]] = {kind.__name__: kind for kind in (Receipt, Refused, Deferred, Paused, Unknown)}


class LogBroken(LedgerError):
    """The attempt log cannot be written. Nothing is sent without it."""


def boot_id() -> str:
    """Changes with every start of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


class AttemptLog:
    """Remembers what is on the wire, and writes nothing: for a ledger in memory, which ends with its process."""

    def __init__(self, worker: str) -> None:
        self.worker = worker
        #: lines of what was started and is not settled, by delivery
        self._open: dict[int, bytes] = {}
        self._lock = Lock()

    def started(self, *jobs: Job) -> None:
        """From here on the network may accept: one write for all, and one fsync where there are ids to keep."""
        lines = {job.delivery.id: _started(job) for job in jobs}
        with self._lock:
            self._write(b"".join(lines.values()))
            if any(job.fills for job in jobs):
                self._sync()
            self._open.update(lines)

    def done(self, delivery: Delivery, outcome: Outcome) -> None:
        """The network answered."""
        self._note({delivery.id: _done(delivery, outcome)})

    def all_done(self, tried: Sequence[Tried]) -> None:
        """The network answered all that travelled in one call: one write."""
        self._note({one.job.delivery.id: _done(one.job.delivery, one.outcome) for one in tried})

    def _note(self, lines: Mapping[int, bytes]) -> None:
        with self._lock:
            for number, line in lines.items():
                self._open[number] = self._open.get(number, b"") + line
            self._write(b"".join(lines.values()))

    def settled(self, deliveries: Iterable[Delivery]) -> None:
        """The ledger knows: their lines are no longer needed."""
        with self._lock:
            for delivery in deliveries:
                self._open.pop(delivery.id, None)
            self._shrink()

    def is_open(self, delivery: Delivery) -> bool:
        """Whether it was started and is not settled."""
        return delivery.id in self._open

    def close(self, *, finished: bool) -> None:
        """The worker ends. `finished`: the ledger knows all, so there is nothing to recover."""

    def _write(self, line: bytes) -> None:
        """Makes it last as long as the machine is up."""

    def _sync(self) -> None:
        """Makes all that was written survive a power cut."""

    def _shrink(self) -> None:
        """Forgets what is settled."""


class AttemptFile(AttemptLog):
    """The log of one living worker, in a file of its name."""

    def __init__(self, folder: Path, worker: str, boot: str, disk: Disk) -> None:
        super().__init__(worker)
        self._disk = disk
        self._path = folder / f"{worker}.log"
        self._header = json.dumps({"boot": boot, "pid": os.getpid()}).encode() + b"\n"
        self._broken: LogBroken | None = None
        self._size = 0
        try:
            disk.folder(folder)
            self._descriptor = self._fresh()
        except OSError as error:
            raise _broken(self._path, error) from error

    def close(self, *, finished: bool) -> None:
        """Lets go of the lock. The file stays for recovery, unless everything is settled."""
        with suppress(OSError):  # the ledger knows all: what is left here says nothing new
            if finished and not self._open:
                self._disk.remove(self._path)
        self._disk.close(self._descriptor)
        self._descriptor = -1  # the number may belong to another file from now on

    def _fresh(self) -> int:
        """A file with the header and what is open. Nobody sees it without its lock; it replaces the old one whole."""
        draft = self._path.with_suffix(f".{secrets.token_hex(4)}")
        content = self._header + b"".join(self._open.values())
        descriptor = self._disk.create(draft)
        try:
            self._disk.lock(descriptor)
            self._disk.append(descriptor, content)
            self._disk.replace(draft, self._path)
        except OSError:
            self._disk.close(descriptor)
            with suppress(OSError):
                self._disk.remove(draft)
            raise
        self._size = len(content)
        return descriptor

    def _write(self, line: bytes) -> None:
        if self._broken:  # a torn line spoils what would be appended to it
            raise self._broken
        try:
            self._disk.append(self._descriptor, line)
        except OSError as error:
            self._broken = _broken(self._path, error)
            raise self._broken from error
        self._size += len(line)

    def _sync(self) -> None:
        try:
            self._disk.sync(self._descriptor)
            folder = self._disk.open(self._path.parent)
            try:
                self._disk.sync(folder)  # the file's name too, or nobody finds it
            finally:
                self._disk.close(folder)
        except OSError as error:
            self._broken = _broken(self._path, error)
            raise self._broken from error

    def _shrink(self) -> None:
        if self._size < LIMIT or self._broken:
            return
        try:
            fresh = self._fresh()
        except OSError as error:
            if not _named(self._descriptor, self._path):  # a rename that failed and was made all the same
                self._broken = _broken(self._path, error)
            return  # else the old file still says everything
        self._disk.close(self._descriptor)
        self._descriptor = fresh


def _named(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that has this name."""
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


def _broken(path: Path, error: OSError) -> LogBroken:
    return LogBroken(
        f"the attempt log {path} cannot be used: {error}",
        hint="Free some space, or give yourself the right to write there, and run the command again.",
    )


@dataclass(frozen=True, slots=True)
class Trace:
    """What a dead worker's log says about one delivery."""

    #: None: it was never started
    outcome: Outcome | None
    #: of what was sent, or tried
    sha256: str = ""
    size: int = 0
    #: hole -> the network's id for the file in it
    fills: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeadLog:
    """The log of a worker that has died. Nobody else reads it as long as it is held."""

    #: the worker's name in the ledger
    worker: str
    #: whether the machine has been up since: only then is the log complete
    complete: bool
    #: (delivery, epoch) -> what became of it
    traces: Mapping[tuple[int, int], Trace] = field(repr=False)

    def of(self, delivery: Delivery) -> Trace:
        """What became of a delivery that the worker held."""
        never = None if self.complete else Unknown("the machine went down, and with it what was noted of this attempt")
        return self.traces.get((delivery.id, delivery.epoch), Trace(never))


class Attempts:
    """The folder in which the couriers of one database keep their logs; None: a ledger in memory, which needs none."""

    def __init__(self, folder: Path | None = None, boot: str | None = None, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or Disk()
        self._boot = boot_id() if boot is None else boot

    def begin(self, worker: str) -> AttemptLog:
        """The log of a new worker. Raises `LogBroken`."""
        return AttemptFile(self._folder, worker, self._boot, self._disk) if self._folder else AttemptLog(worker)

    def dead(self) -> Iterator[DeadLog]:
        """The logs of workers that have died; each is removed when the caller comes back for the next one.

        Raises `LogBroken` for one that cannot be read: what it says must not be guessed.
        """
        for path in sorted(self._folder.glob("*.log")) if self._folder else ():
            try:
                descriptor = self._disk.open(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _broken(path, error) from error
            try:
                if self._abandoned(descriptor, path):
                    yield self._read(path)
                    self._disk.remove(path)
            except OSError as error:
                raise _broken(path, error) from error
            finally:
                self._disk.close(descriptor)

    def _abandoned(self, descriptor: int, path: Path) -> bool:
        """Whether the writer is dead, and nobody else has recovered from this file meanwhile."""
        try:
            self._disk.lock(descriptor)
        except BlockingIOError:
            return False
        return _named(descriptor, path)

    def _read(self, path: Path) -> DeadLog:
        header, *lines = self._disk.read(path).split(b"\n")
        boot = _parse(header).get("boot")
        return DeadLog(path.stem, bool(boot) and boot == self._boot, dict(_traces(lines)))


def _traces(lines: Iterable[bytes]) -> Iterator[tuple[tuple[int, int], Trace]]:
    """Later lines count more: `D` after `S`. A torn line says nothing."""
    started: dict[tuple[int, int], Trace] = {}
    silence = Unknown("the sender died before it had the network's answer")
    for line in lines:
        kind, _, rest = line.partition(b" ")
        words = rest.split(b" ", 2 if kind == b"D" else 4)
        try:
            key = int(words[0]), int(words[1])
            if kind == b"S":
                fills = json.loads(words[4]) if len(words) > 4 else {}
                started[key] = Trace(silence, words[2].decode("ascii"), int(words[3]), fills)
                yield key, started[key]
            elif kind == b"D":
                before = started.get(key, Trace(None))
                yield key, replace(before, outcome=_load(words[2]))
        except (ValueError, IndexError, KeyError, TypeError):
            continue


def _started(job: Job) -> bytes:
    delivery, ids = job.delivery, job.fills
    fills = f" {json.dumps(dict(ids))}" if ids else ""
    return f"S {delivery.id} {delivery.epoch} {job.sha256} {job.size}{fills}\n".encode()


def _done(delivery: Delivery, outcome: Outcome) -> bytes:
    return f"D {delivery.id} {delivery.epoch} {_dump(outcome)}\n".encode()


def _dump(outcome: Outcome) -> str:
    """JSON, written by hand: it is two thirds of a record's cost, and nearly all are receipts."""
    if isinstance(outcome, Receipt):
        words = f'"id": {_in_json(outcome.id)}, "permalink": {_in_json(outcome.permalink)}'
        return f'{{"is": "Receipt", {words}, "status": {_in_json(outcome.status[:WORDS])}}}'
    hint = f', "hint": {_in_json(outcome.hint[:WORDS])}' if isinstance(outcome, Paused) else ""
    return f'{{"is": "{type(outcome).__name__}", "reason": {_in_json(outcome.reason[:WORDS])}{hint}}}'


def _load(record: bytes) -> Outcome:
    """Raises `ValueError` or `KeyError` for a torn record."""
    values = json.loads(record)
    return _KINDS[values.pop("is")](**values)


def _parse(header: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(header)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
