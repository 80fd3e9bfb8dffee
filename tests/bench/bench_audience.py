"""What a large audience costs: taking it in, an edition for all of it, claims beside a list of the suppressed, lookups.

    python tests/bench/bench_audience.py [--size 1000000] [--claims 20000] [--folder DIR] [--out audience.json]

Run by hand; writes one JSON document. Wall and CPU seconds of each step, rows a second of CPU time, and by how much the
process's peak memory grew during the step. `claim_us` is microseconds of CPU for each delivery, in batches of 10 and
500, with nobody and with 100,000 people suppressed (none of them in the edition); `lookup_us` the same for one call.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from syndicate.audience.store import Subscribers
from syndicate.database import open_database, rehearsal_copy
from syndicate.ledger.base import Entry, Selection
from syndicate.ledger.sql import SqlLedger
from syndicate.model.people import Grounds, Newcomer

URL = "sqlite:///syndicate.db"
NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
SECRET = b"k" * 32
CHUNK = 1000
SUPPRESSED = 100_000
SEGMENT = 'tag:python and country = "IN" and joined > 2024-01-01'

Report = dict[str, Any]


def main() -> None:
    found = argparse.ArgumentParser()
    found.add_argument("--size", type=int, default=1_000_000)
    found.add_argument("--claims", type=int, default=20_000)
    found.add_argument("--folder", type=Path, help="where the database is made: the disk that is measured")
    found.add_argument("--out", type=Path)
    arguments = found.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        report = measure(Path(folder), arguments.size, arguments.claims)
    text = json.dumps(report, indent=2)
    arguments.out.write_text(text, "utf-8") if arguments.out else print(text)


def measure(root: Path, size: int, claims: int) -> Report:
    report: Report = {"size": size, "cores": os.cpu_count()}
    with closing(open_database(URL, root)) as database:
        store, ledger = Subscribers(database, lambda: (SECRET,), lambda: NOW), SqlLedger(database)
        with step(report, "import", size):
            take_in(store, size)
        report["database_mb"] = round((root / "syndicate.db").stat().st_size / 1e6)
        with step(report, "count", size):
            store.selection("weekly").count()
        with step(report, "count of a segment", size):
            store.selection("weekly", SEGMENT).count()
        with step(report, "snapshot", size):
            snapshot(store, ledger, "weekly/all", "")
        with step(report, "snapshot of a segment", size):
            snapshot(store, ledger, "weekly/segment", SEGMENT)
        with step(report, "stream", size):
            sum(1 for _ in store.selection("weekly"))
        with step(report, "export", size):
            sum(1 for _ in store.export("weekly"))
        with step(report, "copy for a rehearsal", size), closing(rehearsal_copy(URL, root)):
            pass
        report["claim_us"] = {
            f"suppressed {number:,}": claim(store, ledger, number, claims) for number in (0, SUPPRESSED)
        }
        report["lookup_us"] = lookups(store, size)
        with step(report, "show", 1):
            store.show(address(size // 2))
        with step(report, "erase", 1):
            store.erase(address(size // 2))
    report["peak_rss_mb"] = peak()
    return report


@contextmanager
def step(report: Report, name: str, rows: int) -> Iterator[None]:
    wall, cpu, memory = time.perf_counter(), time.process_time(), peak()
    yield
    spent = time.process_time() - cpu
    report[name] = {
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(spent, 3),
        "rows_per_cpu_s": round(rows / spent),
        "peak_rss_growth_mb": round(peak() - memory, 1),
    }


def peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def address(number: int) -> str:
    return f"reader.{number}@mail{number % 50}.example.org"


def take_in(store: Subscribers, size: int) -> None:
    people = map(newcomer, range(size))
    while rows := list(islice(people, CHUNK)):
        store.import_chunk(rows, "weekly")


def newcomer(number: int) -> Newcomer:
    grounds = Grounds("sign-up form of the site", "Send me the weekly.", f"people.csv:{number}", given=NOW)
    fields = {"country": ("IN", "DE", "US", "LK")[number % 4], "city": f"City {number % 1000}"}
    tags = ("python",) if number % 3 else ()
    return Newcomer(address=address(number), name=f"Reader {number}", fields=fields, tags=tags, grounds=grounds)


def snapshot(store: Subscribers, ledger: SqlLedger, key: str, segment: str) -> None:
    people = store.selection("weekly", segment)
    ledger.enter(edition(key, Selection(people.recipients, people.groups, lambda count: None)), NOW)


def edition(key: str, recipients: Selection) -> Entry:
    return Entry(
        key=key,
        channel="weekly",
        kind="digest",
        account="mail",
        occasion=NOW,
        title="This week",
        frozen=b"the message",
        recipients=recipients,
        list="weekly",
    )


def claim(store: Subscribers, ledger: SqlLedger, suppressed: int, claims: int) -> dict[str, float]:
    """Microseconds of CPU for each claimed delivery."""
    people = [(f"gone.{number}@example.net",) for number in range(suppressed)]
    if people:
        with store.database.writing() as connection:
            statement = "INSERT INTO suppression (person, list, reason, at) VALUES (?, '', 'bounced', 0)"
            connection.exec_driver_sql(statement, people)

    def take(batch: int) -> None:
        for _ in range(claims // batch):
            ledger.claim("weekly/all", "w", batch, NOW, timedelta(hours=1))

    return {f"batch {batch}": round(cpu_of(partial(take, batch)) / claims * 1e6, 2) for batch in (10, 500)}


def lookups(store: Subscribers, size: int) -> dict[str, float]:
    """Microseconds of CPU for one call."""
    number = 500
    some = range(0, size, max(1, size // number))
    calls: dict[str, Callable[[int], object]] = {
        "find by address": lambda one: store.find(address(one)),
        "find by reader": lambda one: store.find(one + 1),
        "suppressions": lambda one: store.suppressions(address(one)),
        "unsubscribe": lambda one: store.unsubscribe(one + 1, "weekly", source="one-click"),
    }
    return {
        name: round(cpu_of(lambda: [call(one) for one in some]) / len(some) * 1e6, 1)  # noqa: B023  (called at once)
        for name, call in calls.items()
    }


def cpu_of(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


if __name__ == "__main__":
    main()
