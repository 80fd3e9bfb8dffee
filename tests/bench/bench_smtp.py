"""What one e-mail costs, beside the fastest sender there is, on the same sink and in the same round.

Run by hand, never in the suite; README.md in this folder has the commands and what was measured:

    python tests/bench/bench_smtp.py figures.json --postfix DIR --fastsink FILE --lagsink FILE [--parts 1,2,3,4,6,7]
        [--readers 10000] [--rounds 5] [--million]

`--postfix` is a folder with Debian's postfix package unpacked (`dpkg -x`), of which `smtp-source` and `smtp-sink` are
used. `fastsink` and `lagsink` are SMTP servers that count and answer; both take `PORT 1`, lagsink a delay in ms after
it. Cases of one round run in turn, so what counts are ratios within a round, not mails a second.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench_dkim import openssl

SENDER = Path(__file__).with_name("bench_smtp_sender.py")
CONNECTIONS = 10
#: seconds of sending where the server is far away, if each mail took one round trip (of smtp-source four)
FAR, FAR_SOURCE = 6.0, 0.5
Case = dict[str, Any]


class Tools:
    """Programs that are not ours."""

    def __init__(self, postfix: Path, fastsink: Path, lagsink: Path) -> None:
        self._postfix = postfix
        self._fastsink = fastsink
        self._lagsink = lagsink
        self._environment = os.environ | {"LD_LIBRARY_PATH": str(postfix / "usr/lib/postfix")}

    @contextmanager
    def sink(self, kind: str, lag: int = 0) -> Iterator[int]:
        """A server of this kind, on the port that is yielded."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        smtp_sink = [str(self._postfix / "usr/sbin/smtp-sink"), "-u", "nobody", f"127.0.0.1:{port}", "512"]
        command = {
            "smtp-sink": smtp_sink,
            "fastsink": [str(self._fastsink), str(port), "1"],
            "lagsink": [str(self._lagsink), str(port), "1", str(lag)],
        }[kind]
        server = subprocess.Popen(command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await(port)
            yield port
        finally:
            server.terminate()
            server.wait()

    def source(self, port: int, mails: int, sessions: int, size: int) -> Case:
        """`smtp-source` with connections that stay open (`-d`)."""
        program = str(self._postfix / "usr/sbin/smtp-source")
        counts = ["-s", str(sessions), "-m", str(mails), "-l", str(size)]
        before, began = _children(), time.perf_counter()
        subprocess.run([program, "-d", *counts, f"127.0.0.1:{port}"], env=self._environment, check=True)
        seconds = time.perf_counter() - began
        return {"rate": mails / seconds, "cpu_us": 1e6 * (_children() - before) / mails}


def _await(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise SystemExit(f"nobody listens on {port}")


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def syndicate(port: int, readers: int, connections: int = CONNECTIONS, dkim: str = "", processes: int = 1) -> Case:
    """One edition of ours, in a process and a project of its own."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = [str(port), str(readers), str(connections)]
        command = [sys.executable, str(SENDER), str(Path(folder) / "project"), *numbers, "ride", dkim, str(processes)]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    if found["sent"] != readers:
        raise SystemExit(f"only {found['sent']} of {readers} were sent")
    return {**found, "rate": readers / found["seconds"], "cpu_us": 1e6 * found["cpu"] / readers}


def beside_smtp_source(tools: Tools, readers: int, rounds: int) -> Case:
    """1 and 7: mails a second and CPU for each, ours by smtp-source's."""
    found: Case = {}
    for kind in ("smtp-sink", "fastsink"):
        pairs = []
        for _ in range(rounds):
            with tools.sink(kind) as port:
                ours = syndicate(port, readers)
                pairs.append((ours, tools.source(port, readers, CONNECTIONS, ours["bytes"])))
        found[kind] = {
            **compared(pairs),
            "cpu_us_smtp_source": spread(theirs["cpu_us"] for _, theirs in pairs),
            "bytes": pairs[0][0]["bytes"],
        }
    return found


def two_processes(tools: Tools, readers: int, rounds: int) -> Case:
    """2: the same where two processes share the connections; the start of the second is in it."""
    pairs = []
    for _ in range(rounds):
        with tools.sink("fastsink") as port:
            ours = syndicate(port, readers, processes=2)
            pairs.append((ours, tools.source(port, readers, CONNECTIONS, ours["bytes"])))
    return {"fastsink": compared(pairs)}


def far_away(tools: Tools, rounds: int) -> Case:
    """3: a server whose every answer takes a while; share of what one exchange a round trip would give."""
    found: Case = {}
    for lag in (20, 100):
        for connections in (1, 10, 50, 100):
            pairs, bound = [], connections * 1000 / lag
            for _ in range(rounds):
                with tools.sink("lagsink", lag) as port:
                    ours = syndicate(port, round(FAR * bound), connections)
                    pairs.append((ours, tools.source(port, round(FAR_SOURCE * bound), connections, ours["bytes"])))
            found[f"{lag} ms, {connections}"] = {
                "share": spread(ours["rate"] / bound for ours, _ in pairs),
                **compared(pairs),
            }
    return found


def memory(tools: Tools, sizes: Iterable[int]) -> Case:
    """4: peak of the whole process, and what it was when all readers were entered."""
    found: Case = {}
    for size in sizes:
        with tools.sink("fastsink") as port:
            ours = syndicate(port, size)
        found[f"{size:,}"] = {key: ours[key] for key in ("rss", "rss_entered", "cpu_us", "rate", "entering")}
    return found


def signed(tools: Tools, readers: int, rounds: int) -> Case:
    """6: every mail signed with RSA-2048, by the signatures that OpenSSL makes on all processors."""
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "dkim.pem"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        key.chmod(0o600)
        for _ in range(rounds):
            theirs = openssl(os.cpu_count() or 1)
            with tools.sink("fastsink") as port:
                pairs.append((syndicate(port, readers, dkim=str(key), processes=os.cpu_count() or 1), theirs))
    return {
        "fastsink": {
            "ours": spread(ours["rate"] for ours, _ in pairs),
            "openssl": spread(theirs for _, theirs in pairs),
            "ratio": spread(ours["rate"] / theirs for ours, theirs in pairs),
            "cpu_us": spread(ours["cpu_us"] for ours, _ in pairs),
        }
    }


def compared(pairs: Sequence[tuple[Case, Case]]) -> Case:
    """Ours beside smtp-source's, of each round."""
    return {
        "ours": spread(ours["rate"] for ours, _ in pairs),
        "smtp_source": spread(theirs["rate"] for _, theirs in pairs),
        "ratio": spread(ours["rate"] / theirs["rate"] for ours, theirs in pairs),
        "cpu_us": spread(ours["cpu_us"] for ours, _ in pairs),
    }


def spread(values: Iterable[float]) -> Case:
    """Median and range."""
    rows = sorted(values)
    return {"median": statistics.median(rows), "least": rows[0], "most": rows[-1], "rounds": len(rows)}


def table(title: str, rows: Case) -> None:
    """One line for each case."""
    print(f"\n{title}")
    for name, row in rows.items():
        cells = (f"{key} {_cell(value)}" for key, value in row.items())
        print(f"  {name:12}", "   ".join(cells))


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['median']:,.4g} [{value['least']:,.4g}..{value['most']:,.4g}]"
    return f"{value:,.4g}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures what is asked for, prints tables, writes all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path)
    for tool in ("postfix", "fastsink", "lagsink"):
        parser.add_argument(f"--{tool}", type=Path, required=True)
    parser.add_argument("--parts", default="1,3,4")
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--million", action="store_true")
    chosen = parser.parse_args(arguments)
    tools = Tools(chosen.postfix, chosen.fastsink, chosen.lagsink)
    parts = chosen.parts.split(",")
    figures: Case = {"processors": os.cpu_count(), "load": os.getloadavg()}
    if {"1", "7"} & set(parts):
        figures["beside smtp-source"] = beside_smtp_source(tools, chosen.readers, chosen.rounds)
        table("1, 7. Beside smtp-source, 10 connections", figures["beside smtp-source"])
    if "3" in parts:
        figures["far away"] = far_away(tools, chosen.rounds)
        table("3. Far away", figures["far away"])
    if "4" in parts:
        sizes = (1_000, 100_000, 1_000_000) if chosen.million else (1_000, 100_000)
        figures["memory"] = memory(tools, sizes)
        table("4. Memory, MB", figures["memory"])
    if "6" in parts:
        figures["signed"] = signed(tools, chosen.readers, chosen.rounds)
        table("6. Signed, by OpenSSL on all processors", figures["signed"])
    if "2" in parts:
        figures["two processes"] = two_processes(tools, 3 * chosen.readers, chosen.rounds)
        table("2. Two processes, five connections each", figures["two processes"])
    figures["load at the end"] = os.getloadavg()
    chosen.figures.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
