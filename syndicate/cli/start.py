"""`init`: a starter project that runs at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syndicate.cli.session import session


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to; made if it is not there.")] = Path(),
) -> None:
    """Writes a starter project: configuration, templates, two articles. No existing file is replaced."""
    from syndicate.config.starter import init as write

    out = session(context).out
    written = write(folder)
    out.data({"folder": folder, "written": written})
    out.columns([("+", path.as_posix()) for path in written], styles=["green"])
    go = "" if folder == Path() else f"cd {folder} && "
    out.say(f"Next: {go}syndicate run --once --at 2025-03-10T12:00", "dim")
