"""What a scheduler costs over a long time: memory over many ticks, how fast a standby takes over, and a crowd of them.

Run by hand, on a machine that does nothing else:

    python tests/bench/bench_ticks.py figures.json [10000 ticks] [10 processes] [1000 ticks of each]

`memory` is the resident size in MiB after each tenth of the ticks of one process, one for each minute of a week,
with an article and its editions each day. `take_over` is the seconds from `kill -9` to the standby's word, median and
range of `ROUNDS`. `crowd` counts what processes that tick at once have entered: one digest for each occasion.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from syndicate.app import assemble
from syndicate.newsroom.tick import Newsroom
from syndicate.testing.clock import Clock
from syndicate.testing.log import Heard
from syndicate.testing.smtp import SmtpServer

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 5
START = datetime(2025, 3, 10, 8, tzinfo=ZoneInfo("Asia/Kolkata"))
MEMBER = """
import random, sys
from datetime import timedelta
from pathlib import Path
from syndicate.app import assemble
from syndicate.newsroom.tick import tick
sys.path.insert(0, sys.argv[1])
from bench_ticks import START
now = START
app = assemble(Path(sys.argv[2]), clock=lambda: now)
chance = random.Random(int(sys.argv[3]))
for number in range(int(sys.argv[4])):
    now = START + timedelta(minutes=20 * number + chance.randrange(120))
    tick(app, now)
"""


def project(folder: Path, days: int) -> Path:
    """A starter project with a daily digest and an article a day; its configuration."""
    for name in ("config", "templates", "seeds"):
        shutil.copytree(ROOT / name, folder / name)
    for number in range(days):
        day = f"{START + timedelta(days=number - 1):%Y-%m-%d}"
        text = f"---\ntitle: Article of {day}\npublish_date: {day}\n---\nText.\n"
        (folder / "seeds" / f"{day}.md").write_text(text, "utf-8")
    path = folder / "config" / "syndicate.yaml"
    text = path.read_text("utf-8").replace('cron: "0 9 * * MON"', "every: day 09:00")
    path.write_text(text.replace('cron: "30 10 * * MON-FRI"', "on: publish"), "utf-8")
    return path


def resident() -> float:
    """MiB of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def memory(folder: Path, ticks: int) -> dict[str, Any]:
    """One process, one tick a minute."""
    clock = Clock(START)
    room = Newsroom(project(folder, ticks // 1440 + 2), Heard().log, clock)
    sizes, began = [], time.perf_counter()
    for number in range(1, ticks + 1):
        room.tick()
        clock.advance(timedelta(minutes=1))
        if number % (ticks // 10) == 0:
            sizes.append(resident())
    milliseconds = (time.perf_counter() - began) / ticks * 1000
    editions = len(room.app().ledger().editions(limit=10_000))
    return {"ticks": ticks, "mib": sizes, "milliseconds_a_tick": round(milliseconds, 2), "editions": editions}


def take_over(folder: Path) -> dict[str, Any]:
    """Seconds from the death of one process to the word of the next, which then becomes the one to die."""
    project(folder, 2)
    seconds = []
    leader = start(folder)
    until(leader, "Running")
    for _ in range(ROUNDS):
        heir = start(folder, "--standby")
        until(heir, "Standing by")
        began = time.perf_counter()
        leader.kill()
        until(heir, "takes over")
        seconds.append(time.perf_counter() - began)
        leader.communicate()
        leader = heir
        until(leader, "Running")
    leader.send_signal(signal.SIGTERM)
    leader.communicate()
    return {"seconds": [round(value, 3) for value in (statistics.median(seconds), min(seconds), max(seconds))]}


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """`syndicate run` in a process of its own."""
    command = [sys.executable, "-m", "syndicate", "run", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def until(process: subprocess.Popen[str], word: str) -> None:
    """Reads until a line with this word."""
    assert process.stdout is not None
    assert any(word in line for line in process.stdout), f"it ended without {word!r}"


def crowd(folder: Path, processes: int, ticks: int) -> dict[str, Any]:
    """Processes that tick at once, each at moments of its own within two hours of the others'."""
    config = project(folder, ticks * 20 // 1440 + 3)
    began = time.perf_counter()
    with SmtpServer() as server:
        account = f"  mail: {{adapter: smtp, host: 127.0.0.1, port: {server.port}, tls: none}}\n"
        text = config.read_text("utf-8").replace("accounts:\n", "accounts:\n" + account)
        text = text.replace("account: outbox\n    audience", "account: mail\n    audience")
        config.write_text(text.replace("mode: rehearsal", "mode: live"), "utf-8")
        arguments = [str(Path(__file__).parent), str(config)]
        members = [
            subprocess.Popen([sys.executable, "-c", MEMBER, *arguments, str(seed), str(ticks)])
            for seed in range(processes)
        ]
        assert [one.wait() for one in members] == [0] * processes
    arrived = [(BytesParser().parsebytes(mail.data)["Message-ID"], mail.recipient) for mail in server.journal]
    app = assemble(config)
    rows = app.ledger().editions(limit=100_000)
    digests = [row.key for row in rows if row.channel == "weekly-digest"]
    used = [(use.channel, use.slug) for use in app.history().used]
    return {
        "processes": processes,
        "ticks_of_each": ticks,
        "seconds": round(time.perf_counter() - began, 1),
        "occasions": (ticks * 20 + 120) // 1440 + 1,
        "digests": len(digests),
        "digests_twice": len(digests) - len(set(digests)),
        "articles_twice": len(used) - len(set(used)),
        "mails_arrived": len(arrived),
        "mails_twice": len(arrived) - len(set(arrived)),
        "mails_planned": sum(sum(row.counts.values()) for row in rows if row.channel == "weekly-digest"),
        "unsettled": sum(1 for _ in app.ledger().unfinished()) + sum(1 for _ in app.ledger().doubtful()),
    }


if __name__ == "__main__":
    target, *given = sys.argv[1:]
    sizes = [*map(int, given), *(10_000, 10, 1_000)[len(given) :]]
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / part for part in ("memory", "take_over", "crowd")]
        found = {
            "python": sys.version.split()[0],
            "cores": os.cpu_count(),
            "memory": memory(folders[0], sizes[0]),
            "take_over": take_over(folders[1]),
            "crowd": crowd(folders[2], sizes[1], sizes[2]),
        }
    Path(target).write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))
