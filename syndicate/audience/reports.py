"""The report of an import: one line for each row that was not taken, in a file that can be mended and imported."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from syndicate.audience.cells import guarded
from syndicate.audience.importing import Remark

#: Remarks that are kept at hand.
SHOWN = 10


class Report:
    """Writes remarks to a file as they come; there is no file where there is no remark, or no path.

    JSON lines if the file is named so, else a table. What stood there before is replaced.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        #: the first remarks, to be shown
        self.first: list[Remark] = []
        self._file: IO[str] | None = None
        self._write: Callable[[Remark], None]

    def __call__(self, remark: Remark) -> None:
        """Writes one line. Raises `OSError`."""
        if len(self.first) < SHOWN:
            self.first.append(remark)
        if self._path is None:
            return
        if self._file is None:
            self._open(self._path)
        self._write(remark)

    @property
    def path(self) -> Path | None:
        """The file, if there is one."""
        return self._path if self._file else None

    def __enter__(self) -> Report:
        if self._path:
            self._path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def _open(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it holds addresses
        self._file = file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        if path.suffix in {".jsonl", ".ndjson", ".json"}:
            self._write = lambda remark: print(json.dumps(remark._asdict(), ensure_ascii=False), file=file)
            return
        table = csv.writer(file, quoting=csv.QUOTE_ALL)
        table.writerow(Remark._fields)
        self._write = lambda remark: table.writerow([guarded(str(cell)) for cell in remark])
