"""What the ledger costs for one delivery, and whether it costs more among many. Run by hand; writes one JSON document.

    python tests/bench/bench_ledger.py [--sizes 1000 100000 1000000] [--rounds 5] [--out ledger.json]

Wall and CPU microseconds for each delivery, median [min, max] over the rounds, each on a fresh database. `commit` is
the cost of one empty durable commit on this disk, to which the others are to be related.
"""

import argparse
import json
import os
import resource
import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from syndicate.ledger import open_ledger
from syndicate.ledger.base import Entry, Ledger
from syndicate.model import Receipt, Recipient, Settlement

URL = "sqlite:///var/syndicate.db"
NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)
LEASE = timedelta(minutes=15)
BATCH = 500

Samples = dict[str, list[tuple[float, float]]]


def main() -> None:
    arguments = parser().parse_args()
    found: dict[int, Samples] = {size: defaultdict(list) for size in arguments.sizes}
    for _ in range(arguments.rounds):
        for size, samples in found.items():
            with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
                one_round(Path(folder), size, samples)
    report = {
        "batch": BATCH,
        "cores": os.cpu_count(),
        "rounds": arguments.rounds,
        "load": os.getloadavg(),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "us_each": {
            size: {name: summary(values) for name, values in samples.items()} for size, samples in found.items()
        },
    }
    text = json.dumps(report, indent=2)
    arguments.out.write_text(text, "utf-8") if arguments.out else print(text)


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser()
    found.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    found.add_argument("--rounds", type=int, default=5)
    found.add_argument("--folder", type=Path, help="where the databases are made: the disk that is measured")
    found.add_argument("--out", type=Path)
    return found


def one_round(root: Path, size: int, samples: Samples) -> None:
    with measured(samples, "commit", 200):
        commits(root / "commits.db", 200)
    with closing(open_ledger(URL, root)) as ledger:
        with measured(samples, "enter", size):
            enter(ledger, "weekly/1", size)
        claim_and_settle(ledger, size, samples)
        with measured(samples, "counts of an edition", 100):
            for _ in range(100):
                ledger.edition("weekly/1")
        enter(ledger, "weekly/2", size)
        ledger.claim("weekly/2", "dead", BATCH, NOW, LEASE)
        with measured(samples, "recover a lost claim", BATCH):
            ledger.recover(NOW + LEASE)
        with measured(samples, "recover where nothing was in flight", 1):
            ledger.recover(NOW + LEASE)


@contextmanager
def measured(samples: Samples, name: str, count: int) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    samples[name].append(((time.perf_counter() - wall) / count * 1e6, (time.process_time() - cpu) / count * 1e6))


def commits(path: Path, count: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE t (n)")
        for number in range(count):
            connection.execute("INSERT INTO t VALUES (?)", (number,))


def enter(ledger: Ledger, key: str, size: int) -> None:
    # In the order of a hash, as addresses of a real list are in no order.
    people = (Recipient(f"{number * 7919 % 1_000_003}.reader@example.org", "A Reader") for number in range(size))
    entry = Entry(
        key=key,
        channel="weekly",
        kind="digest",
        account="mail",
        occasion=NOW,
        title="This week",
        frozen=bytes(40_000),
        recipients=people,
    )
    ledger.enter(entry, NOW)


def claim_and_settle(ledger: Ledger, size: int, samples: Samples) -> None:
    spent = {"claim": [0.0, 0.0], "settle": [0.0, 0.0]}
    while claimed := timed(spent["claim"], ledger.claim, "weekly/1", "w", BATCH, NOW, LEASE):
        answers = [Settlement(one, Receipt(status="250 2.0.0 queued as 4Zk"), "a" * 64, 41_000) for one in claimed]
        timed(spent["settle"], ledger.settle, answers, NOW, "w")
    for name, (wall, cpu) in spent.items():
        samples[name].append((wall / size * 1e6, cpu / size * 1e6))


def timed(spent: list[float], function, *args):  # type: ignore[no-untyped-def]
    wall, cpu = time.perf_counter(), time.process_time()
    result = function(*args)
    spent[0] += time.perf_counter() - wall
    spent[1] += time.process_time() - cpu
    return result


def summary(values: list[tuple[float, float]]) -> dict[str, list[float]]:
    """Median, smallest and largest, of wall and of CPU time."""
    return {
        name: [round(f(column), 1) for f in (statistics.median, min, max)]
        for name, column in zip(("wall", "cpu"), zip(*values, strict=True), strict=True)
    }


if __name__ == "__main__":
    main()
