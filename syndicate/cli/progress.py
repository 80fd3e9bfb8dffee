"""How far a send is: a bar on a terminal, a line every few seconds elsewhere, nothing with `--json` or `--quiet`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from syndicate.cli.output import Output, terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from syndicate.deliver.courier import Tally

Progress = Callable[[str, "Tally"], None]
#: Seconds between two lines where there is no terminal.
PACE = 5.0


@contextmanager
def meter(out: Output) -> Iterator[Progress]:
    """Yields what the courier calls with (edition key, tally so far)."""
    if out.as_json or out.quiet:
        yield lambda key, tally: None
    elif (console := terminal(sys.stdout)) is None:
        yield paced_lines(out)
    else:
        with bars(console) as update:
            yield update


@contextmanager
def bars(console: Console) -> Iterator[Progress]:
    """One bar for each edition, with what was counted, the rate, and how long it will take."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}"))
    with Bars(*columns, console=console, transient=True) as shown:
        tasks: dict[str, TaskID] = {}

        def update(key: str, tally: Tally) -> None:
            if key not in tasks:
                tasks[key] = shown.add_task(key, total=tally.total, pace="")
            pace = "  ".join(filter(None, (trouble(tally), speed(tally))))
            shown.update(tasks[key], completed=tally.settled, pace=pace)

        yield update


def paced_lines(out: Output, pulse: Callable[[], float] = time.monotonic) -> Progress:
    """A line when `PACE` seconds have passed since the last."""
    last = pulse()

    def update(key: str, tally: Tally) -> None:
        nonlocal last
        if pulse() - last >= PACE:
            last = pulse()
            done = f"{tally.settled:,}/{tally.total:,}"
            out.say("  ".join(filter(None, (key, done, trouble(tally), speed(tally)))))

    return update


def trouble(tally: Tally) -> str:
    """`refused 2  later 1`: what is not simply sent."""
    counts = {"refused": tally.refused, "later": tally.deferred, "unknown": tally.unknown}
    return "  ".join(f"{name} {count:,}" for name, count in counts.items() if count)


def speed(tally: Tally) -> str:
    """`120/s  0:01:05 left`; empty before anything was settled."""
    if tally.left is None:
        return ""
    left = timedelta(seconds=round(tally.left.total_seconds()))
    return f"{tally.rate:,.{0 if tally.rate >= 10 else 1}f}/s  {left} left"
