"""Requests a second of the public pages: one server process on SQLite, over real sockets that stay open.

    python tests/bench/bench_web.py figures.json [--readers 4000] [--connections 8]

Each case has its own measure of what the server process spent of the processor, since the clients share it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from syndicate.app import App, assemble
from syndicate.audience.store import Subscribers
from syndicate.audience.tokens import Purpose
from syndicate.model.people import Grounds, Newcomer, Standing
from syndicate.newsroom.tick import tick
from tests.project import starter

BODY = b"List-Unsubscribe=One-Click"
CHANGES = (
    ("audiences:\n", "audiences:\n  members: {list: weekly}\n"),
    ("channels:\n", "serve:\n  lists: {weekly: Each Monday}\nchannels:\n"),
    (
        "  linkedin:\n    kind: post",
        "  members-digest: {kind: digest, account: outbox, audience: members}\n  linkedin:\n    kind: post",
    ),
)


@dataclass(frozen=True)
class Figures:
    """One case."""

    case: str
    requests: int
    per_second: float
    #: milliseconds
    p50: float
    p99: float
    #: microseconds of the server process for each request
    cpu: float


def prepared(folder: Path, readers: int) -> tuple[App, list[str], list[str]]:
    """(app, a token of each subscriber, a token of each reader from a file)."""
    project = starter(folder)
    rows = "".join(f"file{number}@example.org,,2025-01-01,form\n" for number in range(readers))
    (folder / "config" / "readers.csv").write_text("email,name,consent_at,consent_source\n" + rows, "utf-8")
    project.configure(*CHANGES)
    now = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
    app = assemble(folder / "config" / "syndicate.yaml", lambda: now)
    store = Subscribers(app.database(), app.secrets, app.clock)
    grounds = Grounds("form", given=now)
    people = [Newcomer(address=f"reader{number}@example.org", grounds=grounds) for number in range(readers)]
    store.import_chunk(people, "weekly")
    tick(app, now)
    counted = store.count("weekly")
    assert counted is not None
    assert counted.counts[Standing.ACTIVE] == readers
    keys = app.keys()
    stored = [keys.member(Purpose.UNSUBSCRIBE, number, counted.number) for number in range(1, readers + 1)]
    filed = [keys.stranger(Purpose.UNSUBSCRIBE, "readers", f"file{number}@example.org") for number in range(readers)]
    return app, stored, filed


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, int]]:
    """(process, port) of a server."""
    command = [sys.executable, "-m", "syndicate", "serve", "--no-scheduler", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r":(\d+)/", next(line for line in process.stdout if "Pages: " in line))
        assert found
        yield process.pid, int(found[1])
        process.terminate()


def cpu(pid: int) -> float:
    """Seconds that a process has spent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def exchange(connection: socket.socket, request: bytes) -> bytes:
    """One request and its whole answer."""
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head)[1])  # type: ignore[index]
    while len(body) < length:
        body += connection.recv(65536)
    return head


def post(token: str) -> bytes:
    """The bytes of a mailbox provider."""
    head = f"POST /u/{token} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY


def get(path: str) -> bytes:
    """A look."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def measure(case: str, pid: int, port: int, requests: Sequence[bytes], connections: int, status: int = 200) -> Figures:
    """Sends all requests over so many connections, each of which waits for its answers."""
    times: list[float] = []

    def client(mine: Sequence[bytes]) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in mine:
                began = time.perf_counter()
                head = exchange(connection, request)
                times.append(time.perf_counter() - began)
                assert int(head.split()[1]) == status, head

    began, spent = time.perf_counter(), cpu(pid)
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(client, [requests[number::connections] for number in range(connections)]))
    seconds, spent = time.perf_counter() - began, cpu(pid) - spent
    times.sort()
    count = len(times)
    return Figures(
        case,
        count,
        round(count / seconds, 1),
        round(times[count // 2] * 1000, 2),
        round(times[count * 99 // 100] * 1000, 2),
        round(spent / count * 1e6, 1),
    )


def main() -> None:
    """Measures, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path)
    parser.add_argument("--readers", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "newsroom"
        app, stored, filed = prepared(folder, given.readers)
        app.close()
        found = []
        with serving(folder) as (pid, port):
            for case, requests, status in (
                ("one-click, subscribers", [post(token) for token in stored], 200),
                ("one-click, once more", [post(token) for token in stored], 200),
                ("one-click, readers from a file", [post(token) for token in filed], 200),
                ("forged tokens", [post(token[::-1]) for token in stored], 404),
                ("unsubscribe page", [get(f"/u/{token}") for token in stored], 200),
                ("sign-up page", [get("/subscribe")] * given.readers, 200),
            ):
                found.append(measure(case, pid, port, requests, given.connections, status))
                print(found[-1], flush=True)
    given.figures.write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
