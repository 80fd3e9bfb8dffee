"""What was read before: a cache of metadata, so that unchanged files are not opened again.

One file: a header line, then one line of JSON for every thousand files, each with its checksum. Columns stand
together, because that is what makes 100,000 articles load in 0.4 s: the same rows took 0.9 s from SQLite and 0.6 s as
one JSON document, while a block is small enough to stay in the processor's cache. The file is written beside and
renamed, so that two processes never see half of one; whatever is wrong with it, it is as if it were not there.
"""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from syndicate.content.source import Stamp
from syndicate.model import Article, Overrides, Problem, Severity

_FORMAT = 1
_BLOCK = 1000
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
        self.key = sha256(repr((_FORMAT, _COLUMNS, *key)).encode()).hexdigest()
        #: nanoseconds since 1970; a file that was changed later cannot be trusted, whatever its stamp says
        self.trusted_before = 0

    def load(self) -> dict[str, Row]:
        """Rows by path; none if the file is missing, broken, of another version, or not ours to read."""
        if self.file is None:
            return {}
        rows: dict[str, Row] = {}
        try:
            with self.file.open("rb", buffering=1 << 20) as lines:  # about one block
                header = json.loads(next(lines))
                if header["key"] != self.key:
                    return {}
                for line in lines:
                    rows.update(self._block(line))
            if len(rows) != header["rows"]:
                return {}
            self.trusted_before = int(header["at"]) - _TICK
        except Exception:  # a cache may hold anything, and is never worth an error
            return {}
        return rows

    def is_current(self, row: Row, stamp: Stamp) -> bool:
        """Whether a row still speaks for the file with this stamp.

        As in git, a file that changed in the tick in which it was read is "racy": it can have changed once more
        without another stamp.
        """
        return row.stamp == stamp and max(stamp.mtime_ns, stamp.ctime_ns) < self.trusted_before

    def is_settled(self, stamp: Stamp, at: int) -> bool:
        """Whether a row that is saved now, with this stamp, could be trusted from then on."""
        return max(stamp.mtime_ns, stamp.ctime_ns) < at - _TICK

    def save(self, rows: Sequence[Row], at: int) -> None:
        """Writes all rows, sorted by path; `at`, nanoseconds since 1970, lies before the first file was read."""
        if self.file is None:
            return
        header = json.dumps({"key": self.key, "rows": len(rows), "at": at})
        blocks = (_encode(rows[start : start + _BLOCK]) for start in range(0, len(rows), _BLOCK))
        with suppress(OSError, ValueError):  # a full or read-only disk costs time, not the plan
            self.file.parent.mkdir(parents=True, exist_ok=True)
            _replace(self.file, [header.encode() + b"\n", *blocks])

    def _block(self, line: bytes) -> Iterable[tuple[str, Row]]:
        """(path, row) for each row of a line."""
        if int(line[:8], 16) != zlib.crc32(data := line[9:]):
            raise ValueError("damaged")
        paths, sizes, mtimes, ctimes, absent, noted, columns = json.loads(data)
        without = set(absent)
        present = [path for number, path in enumerate(paths) if number not in without] if without else paths
        made = iter(_articles(present, dict(zip(_COLUMNS, columns, strict=True)), self.zone))
        articles = [None if number in without else next(made) for number in range(len(paths))] if without else made
        problems: list[tuple[Problem, ...]] = [()] * len(paths)
        for number, found in noted:
            problems[number] = tuple(Problem(path, text, Severity(how), *rest) for path, text, how, *rest in found)
        return zip(paths, map(Row, paths, map(Stamp, sizes, mtimes, ctimes), articles, problems), strict=True)


def _articles(paths: list[str], columns: dict[str, Any], zone: ZoneInfo) -> list[Article]:
    """Articles, column by column.

    Their own `__init__` sets 22 frozen fields one by one, which takes four times as long as all else here.
    """
    columns["path"] = paths
    columns["body"] = [None] * len(paths)
    columns["authors"] = map(tuple, columns["authors"])
    columns["tags"] = map(tuple, columns["tags"])
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
        campaign=found["campaign"],
    )


def _encode(rows: Sequence[Row]) -> bytes:
    articles = [row.article for row in rows if row.article]
    data = [
        [row.path for row in rows],
        *([row.stamp[part] for row in rows] for part in range(3)),
        [number for number, row in enumerate(rows) if not row.article],
        [(number, list(map(_flat, row.problems))) for number, row in enumerate(rows) if row.problems],
        [[_plain(getattr(article, name)) for article in articles] for name in _COLUMNS],
    ]
    line = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return b"%08x %s" % (zlib.crc32(line), line)


def _flat(problem: Problem) -> tuple[object, ...]:
    return tuple(getattr(problem, field.name) for field in fields(Problem))


def _plain(value: object) -> object:
    """A field's value as JSON has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Overrides):
        return None if value == _NO_OVERRIDES else {**asdict(value), "skip": sorted(value.skip)}
    return value


def _replace(file: Path, parts: Iterable[bytes]) -> None:
    """Writes a file as a whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as temporary:
            temporary.writelines(parts)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
