"""What one e-mail costs beside what people would use instead, on the same sink and in the same round.

Run by hand, never in the suite; README.md in this folder has the commands and what was measured:

    python tests/bench/bench_peers.py figures.json --node DIR --django PYTHON [--rounds 5] [--readers 5000]

`smtp-sink` is Debian's (package postfix). `--node` is a folder with `npm install nodemailer handlebars`, `--django` a
Python that has django-newsletter. All send a personalised digest of about 33 KB to readers of their own; none of the
others keeps a ledger. Cases of one round run in turn, so what counts are ratios within a round, not mails a second.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CONNECTIONS = 10
#: Mails of the others, so that each runs for some seconds; ours are `--readers`.
MAILS = {"nodemailer": 1500, "nodemailer, base64": 2500, "smtplib + Jinja2": 500, "django-newsletter": 300}
#: How many times as fast we want to be.
GOALS = {"nodemailer": 12.0, "nodemailer, base64": 4.5, "smtplib + Jinja2": 22.0, "django-newsletter": 28.0}
Case = dict[str, Any]


@contextmanager
def sink() -> Iterator[int]:
    """Debian's smtp-sink, on the port that is yielded."""
    program = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise SystemExit("smtp-sink is not installed: apt-get install postfix")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "512"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        server.terminate()
        server.wait()


def timed(command: Sequence[str], mails: int, **more: Any) -> Case:
    """A whole process, its start and end included. It prints how many mails were accepted."""
    before, began = _cpu(), time.perf_counter()
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more).stdout
    seconds, used = time.perf_counter() - began, _cpu() - before
    if int(said.split()[-1]) != mails:
        raise SystemExit(f"{command[0]}: only {said.strip()} of {mails} were accepted")
    return {"rate": mails / seconds, "cpu_us": 1e6 * used / mails}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(port: int, mails: int) -> Case:
    """One edition with ledger and attempt log; entering the readers is not part of it, as it is not of the others."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(HERE / "bench_smtp_sender.py"), f"{folder}/project"]
        said = subprocess.check_output([*command, str(port), str(mails), str(CONNECTIONS)], text=True)
    found = json.loads(said)
    if found["sent"] != mails:
        raise SystemExit(f"only {found['sent']} of {mails} were sent")
    return {"rate": mails / found["seconds"], "cpu_us": 1e6 * found["cpu"] / mails}


def peers(node: Path | None, django: Path | None) -> Mapping[str, Callable[[int, int], Case]]:
    """Name -> what sends so many mails to a port."""
    environment = os.environ | {"NODE_PATH": str(node / "node_modules") if node else ""}

    def nodemailer(encoding: str) -> Callable[[int, int], Case]:
        script = ["node", str(HERE / "bench_peers_nodemailer.js")]
        return lambda port, mails: timed([*script, str(port), str(mails), encoding], mails, env=environment)

    def python(program: str, script: str) -> Callable[[int, int], Case]:
        return lambda port, mails: timed([program, str(HERE / script), str(port), str(mails)], mails)

    found: dict[str, Callable[[int, int], Case]] = {}
    if node:
        found |= {"nodemailer": nodemailer(""), "nodemailer, base64": nodemailer("base64")}
    found["smtplib + Jinja2"] = python(sys.executable, "bench_peers_smtplib.py")
    if django:
        found["django-newsletter"] = python(str(django), "bench_peers_django.py")
    return found


def compare(senders: Mapping[str, Callable[[int, int], Case]], readers: int, rounds: int) -> Case:
    """All of them in turn, `rounds` times. Each is set against ours right before it."""
    rows: dict[str, list[tuple[Case, Case]]] = {name: [] for name in senders}
    with sink() as port:
        for number in range(rounds):
            for name, send in senders.items():
                mine = ours(port, readers)
                rows[name].append((mine, send(port, MAILS[name])))
                print(f"round {number + 1}: {name:20} x {mine['rate'] / rows[name][-1][1]['rate']:.1f}", flush=True)
    return {
        name: {
            "ours": spread([mine["rate"] for mine, _ in pairs]),
            "theirs": spread([peer["rate"] for _, peer in pairs]),
            "ratio": spread([mine["rate"] / peer["rate"] for mine, peer in pairs]),
            "cpu_ratio": spread([peer["cpu_us"] / mine["cpu_us"] for mine, peer in pairs]),
            "cpu_us_ours": spread([mine["cpu_us"] for mine, _ in pairs]),
            "cpu_us_theirs": spread([peer["cpu_us"] for _, peer in pairs]),
            "goal": GOALS[name],
        }
        for name, pairs in rows.items()
    }


def spread(values: Sequence[float]) -> Case:
    """Median and range."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "rounds": len(values)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints, writes all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path)
    parser.add_argument("--node", type=Path)
    parser.add_argument("--django", type=Path)
    parser.add_argument("--readers", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    found = compare(peers(chosen.node, chosen.django), chosen.readers, chosen.rounds)
    figures = {"processors": os.cpu_count(), "load": os.getloadavg(), "readers": chosen.readers, "peers": found}
    chosen.figures.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    for name, row in found.items():
        ratio, cpu = row["ratio"], row["cpu_ratio"]
        print(
            f"{name:20} x {ratio['median']:.1f} [{ratio['least']:.1f}..{ratio['most']:.1f}], goal {row['goal']}; "
            f"{row['theirs']['median']:,.0f}/s; CPU x {cpu['median']:.1f}"
        )


if __name__ == "__main__":
    main()
