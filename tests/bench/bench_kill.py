"""Workers that are killed thousands of times, and what that left; README.md in this folder has the command.

    python tests/bench/bench_kill.py figures.json [--kills 2000] [--worlds 2] [--deaths 100] [--seed 1]

A world is a database, a server with a journal on the disk, and `--deaths` kills; worlds of threads with a plain `send`
and of the SMTP lane take turns, `--worlds` of them at once. Leaves with 1 if an invariant did not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from syndicate.testing import chaos

NETWORKS = ("journal", "smtp")


def one_world(network: str, seed: int, deaths: int) -> dict[str, Any]:
    """In a process of its own: a fork server belongs to one."""
    command = [sys.executable, __file__, "--world", network, "--seed", str(seed), "--deaths", str(deaths)]
    return {"network": network, "seed": seed, **json.loads(subprocess.check_output(command, text=True))}


def summary(worlds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All worlds of one network."""
    states: Counter[str] = Counter()
    for world in worlds:
        states.update(world["states"])
    kills = sum(world["kills"] for world in worlds)
    violations = [f"seed {world['seed']}: {line}" for world in worlds for line in world["violations"]]
    return {
        "kills": kills,
        "deliveries": sum(states.values()),
        "accepted": sum(world["accepted"] for world in worlds),
        **dict(states),
        "lost": sum("I2" in line or "I4" in line for line in violations),
        "duplicated": sum("I1" in line for line in violations),
        "unknown_for_each_kill": round(states["unknown"] / kills, 2),
        "unknown_and_really_there": sum(world["doubted_and_there"] for world in worlds),
        "worst_doubt_for_each_connection": max(world["worst_doubt"] for world in worlds),
        "violations": violations,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Kills, prints, and writes the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path, nargs="?")
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--worlds", type=int, default=2)
    parser.add_argument("--deaths", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", choices=NETWORKS, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.world:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(asdict(chaos.run(Path(folder), chosen.world, chosen.seed, chosen.deaths))))
        return
    if chosen.figures is None:
        parser.error("where do the figures go?")
    began, count = time.perf_counter(), -(-chosen.kills // chosen.deaths)
    with ThreadPoolExecutor(chosen.worlds) as crew:
        runs = [
            crew.submit(one_world, NETWORKS[number % len(NETWORKS)], chosen.seed * 1000 + number, chosen.deaths)
            for number in range(count)
        ]
        worlds = [run.result() for run in runs]
    networks = sorted({world["network"] for world in worlds})
    figures = {
        "processors": os.cpu_count(),
        "connections": chaos.CONNECTIONS,
        "seconds": round(time.perf_counter() - began, 1),
        **{name: summary([world for world in worlds if world["network"] == name]) for name in networks},
        "worlds": worlds,
    }
    chosen.figures.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    print(json.dumps({name: figures[name] for name in ("seconds", *networks)}, indent=2))
    sys.exit(any(world["violations"] for world in worlds))


if __name__ == "__main__":
    main()
