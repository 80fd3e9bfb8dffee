"""How far an import is: a bar on a terminal, a line every few seconds elsewhere, nothing with `--json` or `--quiet`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from syndicate.cli.output import Output, terminal
from syndicate.cli.progress import PACE

if TYPE_CHECKING:
    from rich.console import Console

    from syndicate.audience.importing import Step

Progress = Callable[["Step"], None]


@contextmanager
def meter(out: Output, shown: str) -> Iterator[Progress]:
    """Yields what an import calls after each chunk."""
    console = terminal(sys.stdout)
    if out.as_json or out.quiet:
        yield lambda step: None
    elif console is None:
        yield _paced_lines(out, shown)
    else:
        yield from _bar(console, shown)


def _bar(console: Console, shown: str) -> Iterator[Progress]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    start = time.monotonic()
    words = TextColumn("{task.fields[rows]:,} rows  {task.fields[rate]:,}/s")
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), words, TimeRemainingColumn(),
        console=console, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task(shown, total=None, rows=0, rate=0)

        def update(step: Step) -> None:
            rate = int(step.rows / max(time.monotonic() - start, 0.001))
            bar.update(task, completed=step.done, total=step.total, rows=step.rows, rate=rate)

        yield update


def _paced_lines(out: Output, shown: str) -> Progress:
    """A line when `PACE` seconds have passed since the last."""
    start = last = time.monotonic()

    def update(step: Step) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PACE:
            last = now
            rate = step.rows / (now - start)
            left = (step.total - step.done) / max(step.done, 1) * (now - start)
            out.say(f"{shown}  {step.done / step.total:.0%}  {step.rows:,} rows  {rate:,.0f}/s  {left:,.0f} s to go")

    return update
