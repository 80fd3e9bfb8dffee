"""How far a send is: a bar on a terminal, a line every few seconds elsewhere, nothing with `--json` or `--quiet`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from syndicate.cli.output import Output, terminal

if TYPE_CHECKING:
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
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bar(*columns, TextColumn("{task.fields[counts]}"), console=console, transient=True) as bar:
            tasks: dict[str, object] = {}

            def update(key: str, tally: Tally) -> None:
                task = (
                    tasks.setdefault(key, bar.add_task(key, total=tally.total, counts=""))
                    if key not in tasks
                    else tasks[key]
                )
                counts = f"refused {tally.refused}  later {tally.deferred}  unknown {tally.unknown}"
                bar.update(task, completed=tally.settled, counts=counts)  # type: ignore[arg-type]

            yield update


def paced_lines(out: Output) -> Progress:
    """A line when `PACE` seconds have passed since the last."""
    last = time.monotonic()

    def update(key: str, tally: Tally) -> None:
        nonlocal last
        if time.monotonic() - last >= PACE:
            last = time.monotonic()
            out.say(f"{key}  {tally.settled}/{tally.total}  refused {tally.refused}  unknown {tally.unknown}")

    return update
