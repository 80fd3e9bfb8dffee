"""A file on its way into the store, read once."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from syndicate.audience.bundle import parts
from syndicate.audience.exporting import field_names, lines, strangers, write_lines, write_table
from syndicate.audience.importing import Import, Remark, Summary
from syndicate.audience.layout import Basis, Read
from syndicate.audience.records import Records
from syndicate.audience.store import Subscribers
from syndicate.database import open_database
from syndicate.model.people import Newcomer
from syndicate.testing.clock import Clock

NOW = datetime(2026, 6, 1, tzinfo=UTC)


class Reading:
    """The rows of a file of one part."""

    def __init__(self, folder: Path, content: str | bytes, name: str = "people.csv", **basis: object) -> None:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        (part,) = parts(path, name)
        self.records = Records(part, Basis(now=NOW, **basis))  # type: ignore[arg-type]
        self.rows = list(self.records)
        self.newcomers = [row.found.newcomer for row in self.rows if isinstance(row.found, Read)]
        self.refused = {row.line: row.found for row in self.rows if isinstance(row.found, str)}
        self.notes = {row.line: row.found.note for row in self.rows if isinstance(row.found, Read) and row.found.note}

    @property
    def only(self) -> Newcomer:
        (one,) = self.newcomers
        return one

    @property
    def service(self) -> str:
        assert self.records.layout is not None
        return self.records.layout.form.name


@cache
def empty_database() -> bytes:
    """Migrated once; a test that needs a hundred copies them."""
    with TemporaryDirectory() as folder:
        open_database("sqlite:///empty.db", Path(folder)).close()
        return (Path(folder) / "empty.db").read_bytes()


class Shop:
    """A store on the disk, and imports into it."""

    def __init__(self, folder: Path, name: str = "store.db") -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(empty_database())
        self.database = open_database(f"sqlite:///{name}", folder)
        self.clock = Clock(NOW)
        self.store = Subscribers(self.database, lambda: [b"k" * 32], self.clock)
        self.remarks: list[Remark] = []

    def take(
        self, content: str | bytes, list_name: str = "weekly", name: str = "people.csv", **basis: object
    ) -> Summary:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.remarks.clear()
        found = parts(path, name)
        return Import(self.store, found, Basis(now=NOW, **basis), list_name, remark=self.remarks.append).run()  # type: ignore[arg-type]

    def states(self, list_name: str = "weekly") -> dict[str, str]:
        """Address -> how it stands on the list."""
        return {
            one.subscriber.address: membership.state.value
            for one in self.store.export(list_name)
            if one.subscriber
            for membership in one.subscriber.memberships
            if membership.list == list_name
        }

    def dump(self) -> list[str]:
        """All that the store holds of people, as SQL without what only says when it was written."""
        with closing(sqlite3.connect(self.folder / "store.db")) as connection:
            return [line for line in connection.iterdump() if line.startswith("INSERT")]

    def exported(self, form: str, list_name: str = "") -> str:
        """What `audience export` writes."""
        target = io.StringIO()
        found = [*lines(self.store.export(list_name), list_name), *strangers(self.database, list_name)]
        if form == "csv":
            write_table(found, field_names(self.database), target)
        else:
            write_lines(found, target)
        return target.getvalue()
