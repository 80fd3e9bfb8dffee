"""How long a library takes to load: cold, and with an index, each in a process of its own.

Run by hand, on a machine that does nothing else:

    python tests/bench/bench_index.py figures.json [10000 100000]

The articles have the shape and the length of the samples; one in five holds an undoubled apostrophe. The figures are
seconds of wall time, median and range of `ROUNDS` runs: `process` from start to exit, `load` inside it.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROUNDS = 5
TEXT = "In the rapidly evolving landscape of artificial intelligence, a new field has gained prominence — MLOps. " * 22

PROGRAM = """
import sys, time
from pathlib import Path
from syndicate.content.library import Library
root = Path(sys.argv[1])
options = {"zone": "Asia/Kolkata", "language": "en", "base_url": "https://magick.ai", "cache": root / "index"}
library = Library(root, ["articles"], **options)
start = time.perf_counter()
catalogue = library.load()
print(time.perf_counter() - start, len(catalogue.articles))
"""


def article(number: int) -> str:
    """About 3 KB, dated within ten years."""
    mark = "'" if number % 5 == 0 else "''"
    day = f"{2015 + number % 10}-{number // 10 % 12 + 1:02}-{number // 120 % 28 + 1:02}"
    return (
        f"---\ntitle: 'The Rise of MLOps Training, Part {number}: Bridging the Gap Between Innovation and Practice'\n"
        f"subtitle: 'Inside India{mark}s growing MLOps education ecosystem, {number}'\n"
        f"description: 'Explore how India is revolutionizing MLOps training to meet the growing demand for AI. "
        f"From educational programs to career prospects, discover how the field shapes technology. {number}'\n"
        f"author: 'Vikram Singh'\nread_time: '{number % 12 + 2} mins'\npublish_date: '{day}'\ncreated_date: '{day}'\n"
        f"heroImage: 'https://images.magick.ai/mlops-{number}.jpg'\ntags: [mlops, india, part-{number % 50}]\n"
        f"cta: 'Stay updated on the latest developments in MLOps! Follow us on LinkedIn for insights and trends.'\n"
        f"---\n\n{TEXT}\n\n{TEXT[: number % 700]}\n"
    )


def write(root: Path, count: int) -> None:
    """A hundred articles to a folder, all of them settled."""
    for number in range(count):
        folder = root / "articles" / f"{number // 100:04}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:06}.md").write_text(article(number), "utf-8")


def run(root: Path) -> tuple[float, float, int]:
    """(process, load, articles)."""
    start = time.perf_counter()
    found = subprocess.run([sys.executable, "-c", PROGRAM, str(root)], capture_output=True, text=True, check=True)
    process = time.perf_counter() - start
    load, articles = found.stdout.split()
    return process, float(load), int(articles)


def figures(runs: Sequence[tuple[float, float, int]]) -> dict[str, list[float]]:
    """Median, least and most."""
    columns = {"process": [each[0] for each in runs], "load": [each[1] for each in runs]}
    return {
        name: [round(value, 3) for value in (statistics.median(times), min(times), max(times))]
        for name, times in columns.items()
    }


def measure(count: int) -> dict[str, object]:
    """Cold and warm loads of so many articles."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root, count)
        time.sleep(2.5)  # the index trusts no file of its own two seconds
        cold = []
        for _ in range(ROUNDS):
            (root / "index").unlink(missing_ok=True)
            cold.append(run(root))
        warm = [run(root) for _ in range(ROUNDS)]
        assert {each[2] for each in (*cold, *warm)} == {count}
        size = (root / "index").stat().st_size
    return {"articles": count, "cold": figures(cold), "warm": figures(warm), "index_bytes": size}


if __name__ == "__main__":
    target, *counts = sys.argv[1:]
    found = {
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
        "seconds": "median, least, most",
        "runs": [measure(count) for count in map(int, counts or ("10000", "100000"))],
    }
    Path(target).write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))
