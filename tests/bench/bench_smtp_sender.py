"""One edition to many readers, in a process of its own; prints what it cost as JSON. `bench_smtp` calls it.

    python tests/bench/bench_smtp_sender.py FOLDER PORT READERS CONNECTIONS [PIPELINING] [DKIM] [PROCESSES]

DKIM is a file with an RSA key, and PROCESSES share the connections. It is the whole way that `syndicate run` takes:
ledger, attempt log and a personalised digest of ten articles.
"""

import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from syndicate import pipeline
from syndicate import plan as planning
from syndicate.app import App, assemble

MAKE = "import sys, pathlib, syndicate.app as app; app.assemble(pathlib.Path(sys.argv[1])).ledger().close()"
AT = datetime(2025, 3, 10, 6, tzinfo=UTC)
SENTENCE = "In the rapidly evolving landscape of machine learning, a field with a name of its own has come to be. "
CONFIG = """
publication:
  name: Dispatch
  url: https://example.com
  links: https://n.example.com
  language: en
  timezone: UTC
  sender: {{name: Dispatch, email: news@example.com, postal_address: "12 Example Road, Example Town"}}
mode: live
database: sqlite:///var/syndicate.db
content: {{folders: [articles]}}
accounts:
  mail: {{adapter: smtp, host: 127.0.0.1, port: {port}, tls: none, helo: bench.example.com,
          connections: {connections}, pipelining: {pipelining}, processes: {processes}{dkim}}}
audiences:
  readers: {{csv: config/readers.csv, consent: "sign-up form on example.com, double opt-in"}}
channels:
  weekly:
    kind: digest
    account: mail
    audience: readers
    template: digest
    schedule: {{cron: "0 9 * * MON"}}
    select: {{max: 10, min: 1, order: newest, lookback: all, tags: []}}
    approval: none
"""


def project(
    folder: Path, port: int, readers: int, connections: int, pipelining: str, dkim: str = "", processes: int = 1
) -> Path:
    """A folder with ten articles, and readers of whom four in ten have a name that is not ASCII."""
    for name in ("config", "articles"):
        (folder / name).mkdir(parents=True)
    signs = f', dkim: {{domain: example.com, selector: news, private_key: "${{file:{dkim}}}"}}' if dkim else ""
    shared = {"connections": connections, "processes": processes}
    text = CONFIG.format(port=port, pipelining=pipelining, dkim=signs, **shared)
    (folder / "config/syndicate.yaml").write_text(text, "utf-8")
    for number in range(10):
        head = f"title: Article {number} about a thing\ndate: 2025-02-{number + 1:02}\ndescription: {SENTENCE * 2}\n"
        (folder / f"articles/a{number}.md").write_text(f"---\n{head}---\n\n{SENTENCE * 30}\n", "utf-8")
    names = ["Ada Okafor", "Ravi Menon", "Zoë Weiß", "Jürgen Groß", "Ann Lee", "Bo", "Łukasz Żak", "Ивáн", "Max", "Mia"]
    with (folder / "config/readers.csv").open("w", encoding="utf-8") as file:
        file.write("email,name\n")
        file.writelines(f"reader{number}@example.org,{names[number % 10]}\n" for number in range(readers))
    return folder / "config/syndicate.yaml"


def enter(app: App) -> str:
    """The edition's key; from here on every reader has a delivery in the ledger."""
    part = planning.by_hand(app.library().load().articles, app.channel("weekly"), app.history(), AT)
    app.stop.set()  # `run` enters, and begins nothing
    report = pipeline.run(app, [part], actor="bench", progress=lambda key, tally: None)
    app.stop.clear()
    if report.failures:
        raise SystemExit(str(report.failures))
    (edition,) = part.editions
    return edition.key


def measured(app: App, key: str) -> dict[str, Any]:
    """Seconds of wall and CPU from the first claim to the last settlement, of all processes."""
    wall, cpu = time.perf_counter(), processor()
    tally = pipeline.deliver(app, key, lambda key, tally: None)
    wall, cpu = time.perf_counter() - wall, processor() - cpu
    size = next(app.ledger().deliveries(key)).size
    return {"seconds": wall, "cpu": cpu, "sent": tally.sent, "total": tally.total, "bytes": size}


def processor() -> float:
    """Seconds of CPU that this process has used, and those that it started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + used.ru_utime + used.ru_stime


def peak() -> float:
    """MB that this process held at most. `ru_maxrss` would also tell of the process that started it."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(
    folder: str,
    port: str,
    readers: str,
    connections: str,
    pipelining: str = "ride",
    dkim: str = "",
    processes: str = "1",
) -> None:
    """Sends, and prints one line."""
    config = project(Path(folder), int(port), int(readers), int(connections), pipelining, dkim, int(processes))
    # As at every run but the first: making a database takes Alembic, and 10 MB for it.
    subprocess.run([sys.executable, "-c", MAKE, str(config)], check=True)
    app = assemble(config)
    began = time.perf_counter()
    key = enter(app)
    entered, before = time.perf_counter() - began, peak()
    print(json.dumps({**measured(app, key), "entering": entered, "rss_entered": before, "rss": peak()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
