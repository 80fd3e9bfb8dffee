"""How long it takes to bring people in, and to take them out again: rows a second and memory, by the number of rows.

Run by hand:

    python tests/bench/bench_import.py figures.json [10000 100000 1000000]

A Mailchimp export of 13 columns: each person gets a row as subscriber, one as member, one of consent, and two tags.
Each step is a process of its own: `import` into an empty store, `again` the same file once more (which is also what
going on after a `kill -9` costs for the rows that were taken), `export` to CSV. `cpu` is processor time of the whole
process, `seconds` wall time, `peak` the most memory that it held (MB), `floor` the same for no rows at all.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADER = (
    "Email Address,First Name,Last Name,Company,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID,"
    "NOTES,TAGS\n"
)


def row(number: int) -> str:
    """One subscriber, about 190 bytes."""
    day = f'"2023-04-{number % 28 + 1:02} 11:{number % 60:02}:57"'
    ip = f"192.0.2.{number % 256}"
    return (
        f"reader.{number}@example{number % 977}.org,First{number % 1000},Last{number % 5000},Company {number % 300},"
        f'{number % 5},{day},{ip},{day},{ip},{number},{number:x},,"""VIP"",""City {number % 50}"""\n'
    )


def project(root: Path) -> None:
    """The starter."""
    subprocess.run([sys.executable, "-m", "syndicate", "init", "."], cwd=root, stdout=subprocess.DEVNULL, check=True)


def run(root: Path, *arguments: str) -> dict[str, float]:
    """One command in a process of its own."""
    command = [sys.executable, "-m", "syndicate", "audience", *arguments]
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"{arguments} left with {status}"
    seconds = time.perf_counter() - start
    figures = {
        "cpu": round(usage.ru_utime + usage.ru_stime, 2),
        "seconds": round(seconds, 2),
        "peak": round(usage.ru_maxrss / 1024),
    }
    print(arguments, figures, file=sys.stderr, flush=True)  # a million rows take their time
    return figures


def rated(figures: dict[str, float], rows: int) -> dict[str, float]:
    """With rows a second, of wall time and of processor time."""
    return figures | {
        "rows_per_second": round(rows / figures["seconds"]),
        "rows_per_cpu_second": round(rows / figures["cpu"]),
    }


def measure(count: int) -> dict[str, object]:
    """All steps for so many rows."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        project(root)
        with (root / "people.csv").open("w") as file:
            file.write(HEADER)
            file.writelines(map(row, range(count)))
        take = ("import", "people.csv", "--list", "weekly", "--yes")
        found: dict[str, object] = {"rows": count, "file_bytes": (root / "people.csv").stat().st_size}
        found["import"] = rated(run(root, *take), count)
        found["again"] = rated(run(root, *take), count)
        found["export"] = rated(run(root, "export", "out.csv"), count)
        found["database_bytes"] = (root / "var/syndicate.db").stat().st_size
        with (root / "out.csv").open() as file:
            assert sum(1 for _ in file) == count + 1
    return found


def floor() -> dict[str, float]:
    """What the command costs for one row."""
    with tempfile.TemporaryDirectory() as name:
        project(Path(name))
        (Path(name) / "people.csv").write_text(HEADER + row(1))
        return run(Path(name), "import", "people.csv", "--list", "weekly")


if __name__ == "__main__":
    target, *counts = sys.argv[1:]
    found = {
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
        "floor": floor(),
        "runs": [measure(count) for count in map(int, counts or ("10000", "100000", "1000000"))],
    }
    Path(target).write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))
