"""What people and programs see: styled text on a terminal, plain text on a pipe, one JSON document with `--json`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from syndicate.errors import SyndicateError
from syndicate.model import Problem, Severity

if TYPE_CHECKING:
    from rich.console import Console

#: Of every command; 0: done, 2: usage or configuration, 3: a person has to act.
EXIT_FAILED, EXIT_USAGE, EXIT_PERSON, EXIT_INTERRUPTED = 1, 2, 3, 130
SEVERITY_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.REPAIRED: "green"}


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command prints. With `as_json`, only `data` prints, and only once."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False

    def data(self, document: Any) -> None:
        """The command's one JSON document, or a function that makes it where it is large; nothing for people."""
        if self.as_json:
            made = document() if callable(document) else document
            print(json.dumps(plain(made), ensure_ascii=False, indent=2))

    def say(self, text: str = "", style: str = "") -> None:
        """A line for people."""
        if not self.as_json and not self.quiet:
            self._print(text, style, sys.stdout)

    def columns(self, rows: Iterable[Sequence[str]], indent: int = 0, styles: Sequence[str] = ()) -> None:
        """Aligned columns, the last one ragged."""
        table = [list(map(str, row)) for row in rows]
        if self.as_json or self.quiet or not table:
            return
        widths = [max(len(row[i]) for row in table) for i in range(len(table[0]) - 1)]
        for row in table:
            cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)] + row[-1:]
            self._line(" " * indent, cells, styles)

    def problem(self, problem: Problem) -> None:
        """`path:line:column  severity  what` and the advice under it; with `--quiet` only what failed, on stderr."""
        if self.quiet and not self.as_json and problem.severity is Severity.ERROR:
            self._print(f"{problem.where}: {problem.message}. {problem.hint}".rstrip(), "bold red", sys.stderr)
        self._line("", [problem.where, problem.severity.value, problem.message], ["", SEVERITY_STYLE[problem.severity]])
        if problem.hint and (self.verbose or problem.severity is not Severity.REPAIRED):
            self.say(f"    {problem.hint}", "dim")

    def error(self, error: SyndicateError) -> None:
        """What happened, where, and what to do; on stderr, or as the JSON document."""
        if self.as_json:
            self.data({"error": {"message": error.message, "hint": error.hint, "problems": error.problems}})
            return
        self._print(f"error: {error.message}", "bold red", sys.stderr)
        for problem in error.problems:
            self._print(f"  {problem.where}: {problem.message}", "", sys.stderr)
            if problem.hint:
                self._print(f"    {problem.hint}", "dim", sys.stderr)
        if error.hint:
            self._print(f"  {error.hint}", "", sys.stderr)

    def _line(self, indent: str, cells: Sequence[str], styles: Sequence[str]) -> None:
        if self.as_json or self.quiet:
            return
        console = terminal(sys.stdout)
        if console is None:
            print((indent + "  ".join(cells)).rstrip())
            return
        from rich.text import Text

        text = Text(indent)
        for number, cell in enumerate(cells):
            text.append(cell, styles[number] if number < len(styles) else "")
            text.append("  ")
        console.print(text, soft_wrap=True)

    def _print(self, text: str, style: str, stream: TextIO) -> None:
        console = terminal(stream) if style else None
        if console is None:
            print(text, file=stream)
        else:
            console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def terminal(stream: TextIO) -> Console | None:
    """A rich console if `stream` is a terminal that wants colour; rich is not loaded otherwise."""
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return None
    from rich.console import Console

    return Console(file=stream, highlight=False)


def let_go() -> None:
    """Nobody reads stdout any more (`| head`): what is still said goes nowhere, and the end of it is no failure."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def line(text: str) -> None:
    """One line of a log on stdout, as long as somebody reads it."""
    try:
        print(text)
    except BrokenPipeError:
        let_go()


def plain(value: Any) -> Any:
    """Values of ours as JSON knows them: dataclasses by field, times as ISO 8601, durations in seconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.repr}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [plain(item) for item in items]
    return scalar(value)


def scalar(value: Any) -> Any:
    """One value that holds no others."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def counted(count: int, noun: str) -> str:
    """`1 article`, `2 articles`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def clip(text: str, width: int) -> str:
    """At most `width` characters, cut at a word where there is one."""
    if len(text) <= width:
        return text
    head = text[: width - 1]
    return (head.rsplit(" ", 1)[0] if " " in head[width // 2 :] else head).rstrip(" ,:;") + "…"
