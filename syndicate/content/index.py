"""What was read before: a cache of metadata, so that unchanged files are not opened again.

One file: a header line of JSON, then a block for every thousand files, each with its size and its checksum. A block is
columns in Python's own serial form (`marshal`), which loads twice as fast as JSON and four times as fast as rows from
SQLite, and is small enough to stay in the processor's cache. The file is written beside and renamed, so that two
processes never see half of one; whatever is wrong with it, it is as if it were not there.
"""

from __future__ import annotations

import json
import marshal
import sys
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from syndicate.content.source import Stamp
from syndicate.model import Article, Overrides, Problem, Severity
from syndicate.whole import replacing

_FORMAT = 3
_BLOCK = 1000
_LARGE = 2_000_000  # bytes
#: FAT counts in steps of two seconds: what changed within the last step may change again and look the same
_TICK = 2_000_000_000
#: an article's fields that stand in the index; bodies do not
_COLUMNS = tuple(field.name for field in fields(Article) if field.name not in {"path", "body"})
_NO_OVERRIDES = Overrides()


class Row(NamedTuple):  # not a dataclass: 100,000 of them are made on every start
    """What became of one file."""

    #: POSIX path relative to the project folder
    path: str
    stamp: Stamp
    article: Article | None
    problems: tuple[Problem, ...]


class Index:
    """A file of rows that are valid for one reader and one publication."""

    def __init__(self, file: Path | None, key: Sequence[object], zone: ZoneInfo) -> None:
        """`key` is all that the rows depend on besides the files themselves; without `file` nothing is kept."""
        self.file, self.zone = file, zone
        self.key = sha256(repr((_FORMAT, sys.hexversion, _COLUMNS, *key)).encode()).hexdigest()
        #: nanoseconds since 1970; a file that was changed later cannot be trusted, whatever its stamp says
        self.trusted_before = 0

    def load(self) -> dict[str, Row]:
        """Rows by path; none if the file is missing, broken, of another version, or not ours to read."""
        if self.file is None:
            return {}
        rows: dict[str, Row] = {}
        try:
            with self.file.open("rb", buffering=1 << 20) as file:  # about one block
                header = json.loads(file.readline())
                if header["key"] != self.key:
                    return {}
                for block in _blocks(file):
                    rows.update(self._rows(block))
            if len(rows) != header["rows"]:
                return {}
            self.trusted_before = int(header["at"]) - _TICK
        except Exception:  # a cache may hold anything, and is never worth an error
            return {}
        return rows

    def is_large(self) -> bool:
        """Whether it takes longer to read than a process takes to begin: some thousand files."""
        try:
            return self.file is not None and self.file.stat().st_size > _LARGE
        except OSError:
            return False

    def speaks_for(self, files: Sequence[tuple[str, str, Stamp]], known: Mapping[str, Row]) -> bool:
        """Whether every row is current, and there are no other files: as on nearly every start."""
        if list(known) != [path for path, _, _ in files]:
            return False
        stamps = [stamp for _, _, stamp in files]
        latest = max((max(written, changed) for _, written, changed in stamps), default=0)
        return stamps == [row.stamp for row in known.values()] and latest < self.trusted_before

    def is_current(self, row: Row, stamp: Stamp) -> bool:
        """Whether a row still speaks for the file with this stamp.

        As in git, a file that changed in the tick in which it was read is "racy": it can have changed once more
        without another stamp.
        """
        return row.stamp == stamp and self.trusted_before > stamp[1] and self.trusted_before > stamp[2]

    def is_settled(self, stamp: Stamp, at: int) -> bool:
        """Whether a row that is saved now, with this stamp, could be trusted from then on."""
        return max(stamp[1:]) < at - _TICK

    def save(self, rows: Sequence[Row], at: int) -> None:
        """Writes all rows, sorted by path; `at`, nanoseconds since 1970, lies before the first file was read."""
        if self.file is None:
            return
        header = json.dumps({"key": self.key, "rows": len(rows), "at": at})
        blocks = (_encode(rows[start : start + _BLOCK]) for start in range(0, len(rows), _BLOCK))
        with suppress(OSError, ValueError):  # a full or read-only disk costs time, not the plan
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self.file) as file:
                file.writelines([header.encode() + b"\n", *blocks])

    def _rows(self, block: Sequence[Any]) -> Iterable[tuple[str, Row]]:
        """(path, row) for each row of a block."""
        paths, stamps, absent, noted, columns = block
        without = set(absent)
        present = [path for number, path in enumerate(paths) if number not in without] if without else paths
        made = iter(_articles(present, dict(zip(_COLUMNS, columns, strict=True)), self.zone))
        articles = [None if number in without else next(made) for number in range(len(paths))] if without else made
        problems: list[tuple[Problem, ...]] = [()] * len(paths)
        for number, found in noted:
            problems[number] = tuple(Problem(path, text, Severity(how), *rest) for path, text, how, *rest in found)
        # `Row(…)` is a call of Python for each row; this is not
        rows = map(tuple.__new__, repeat(Row), zip(paths, stamps, articles, problems, strict=True))
        return zip(paths, rows)  # noqa: B905  as many as there are paths


def _blocks(file: BinaryIO) -> Iterator[Sequence[Any]]:
    """What follows the header. Raises `ValueError` for a damaged block, before anything looks into it."""
    while head := file.read(16):
        data = file.read(int(head[8:], 16))
        if int(head[:8], 16) != zlib.crc32(data):
            raise ValueError("damaged")
        yield marshal.loads(data)  # our own file, and its checksum is right


def _articles(paths: list[str], columns: dict[str, Any], zone: ZoneInfo) -> list[Article]:
    """Articles, column by column.

    Their own `__init__` sets 22 frozen fields one by one, which takes four times as long as all else here.
    """
    columns["path"] = paths
    columns["body"] = [None] * len(paths)
    columns["overrides"] = map(_overrides, columns["overrides"])
    columns["published"] = [when and _moment(when, zone) for when in columns["published"]]
    columns["created"] = [when and _moment(when, zone) for when in columns["created"]]
    made = [object.__new__(Article) for _ in paths]
    for name, column in columns.items():
        deque(map(getattr(Article, name).__set__, made, column), maxlen=0)
    return made


@lru_cache(maxsize=65_536)  # most articles are dated by day, and share it
def _moment(written: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(written).astimezone(zone)


def _overrides(found: dict[str, Any] | None) -> Overrides:
    if found is None:
        return _NO_OVERRIDES
    return Overrides(
        text=found["text"],
        skip=frozenset(found["skip"]),
        hashtags=tuple(found["hashtags"]),
        mentions={name: tuple(handles) for name, handles in found["mentions"].items()},
        campaign=found["campaign"],
    )


def _encode(rows: Sequence[Row]) -> bytes:
    articles = [row.article for row in rows if row.article]
    block = (
        [row.path for row in rows],
        [row.stamp for row in rows],
        [number for number, row in enumerate(rows) if not row.article],
        [(number, list(map(_flat, row.problems))) for number, row in enumerate(rows) if row.problems],
        [[_plain(getattr(article, name)) for article in articles] for name in _COLUMNS],
    )
    data = marshal.dumps(block)
    return b"%08x%08x%s" % (zlib.crc32(data), len(data), data)


def _flat(problem: Problem) -> tuple[object, ...]:
    return tuple(_plain(getattr(problem, field.name)) for field in fields(Problem))


def _plain(value: object) -> object:
    """A field's value as a block has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Severity):
        return value.value
    if isinstance(value, Overrides):
        return None if value == _NO_OVERRIDES else {**asdict(value), "skip": sorted(value.skip)}
    return value
