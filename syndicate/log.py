"""The log of what runs unattended: a sentence a line for people, or a JSON document a line for programs.

An event has a name that stays the same, a sentence (`says`) and fields. From INFO upwards nothing names a person:
deliveries by their number, readers by how many; should a network's words hold an address, it is taken out here.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, WrappedLogger

Log: TypeAlias = "FilteringBoundLogger"
Event = MutableMapping[str, Any]

ADDRESS = re.compile(r"""[^\s<>()\[\]{}"',;:/=?&]+@[^\s<>()\[\]{}"',;:/=?&]+""")
#: What a terminal shows for each level.
COLOURS = {"warning": "\x1b[33m", "error": "\x1b[1;31m", "debug": "\x1b[2m"}


def level(*, verbose: bool = False, quiet: bool = False) -> int:
    """DEBUG with `-v`, WARNING with `-q`, else INFO."""
    return logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO


def open_log(
    write: Callable[[str], object], clock: Callable[[], datetime], form: str, least: int, *, colour: bool = False
) -> Log:
    """A log that hands each line to `write`.

    `form` is `text` or `json`; `least` the lowest level that is written, as `logging` numbers them.
    """
    import structlog

    def stamped(logger: WrappedLogger, name: str, event: Event) -> Event:
        return {"at": clock(), "level": name, "event": event.pop("event"), **event}

    render = as_json if form == "json" else coloured if colour else as_text
    logger: Log = structlog.wrap_logger(
        _Lines(write),
        processors=[stamped, discreet, render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=True,
    )
    return logger


class _Lines:
    """What structlog writes to; every level goes the same way."""

    def __init__(self, write: Callable[[str], object]) -> None:
        def line(text: str) -> None:
            with suppress(OSError):  # nobody reads it any more, or the disk is full: the work goes on
                write(text)

        self.debug = self.info = self.warning = self.error = line


def discreet(logger: WrappedLogger, name: str, event: Event) -> Event:
    """Takes addresses out of everything but DEBUG."""
    return event if name == "debug" else {key: without_addresses(value) for key, value in event.items()}


def without_addresses(value: Any) -> Any:
    """The same value; an address in any text of it is named as such, and no more."""
    if isinstance(value, str):
        return ADDRESS.sub("(address)", value)
    if isinstance(value, Mapping):
        return {key: without_addresses(item) for key, item in value.items()}
    return [without_addresses(item) for item in value] if isinstance(value, list | tuple) else value


def as_json(logger: WrappedLogger, name: str, event: Event) -> str:
    """One document: `at`, `level`, `event`, then the sentence and the fields."""
    return json.dumps(event, ensure_ascii=False, default=_plain)


def as_text(logger: WrappedLogger, name: str, event: Event) -> str:
    """The time and the sentence; what has none is shown by its name and its fields."""
    at, words = event.pop("at"), list(_lines(name, event))
    return f"{at:%H:%M:%S}  " + "\n          ".join(words)


def coloured(logger: WrappedLogger, name: str, event: Event) -> str:
    """`as_text` for a terminal."""
    text = as_text(logger, name, event)
    return f"{COLOURS[name]}{text}\x1b[0m" if name in COLOURS else text


def _lines(name: str, event: Event) -> Iterator[str]:
    event.pop("level")
    what, says = event.pop("event"), event.pop("says", None)
    prefix = "error: " if name == "error" else ""
    yield prefix + (says or "  ".join((what, *(f"{key}={_plain(value)}" for key, value in event.items()))))
    yield from event.get("problems", ())
    if hint := event.get("hint"):
        yield hint


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value if isinstance(value, int | float) else str(value)
