"""`config/syndicate.yaml` -> `Loaded`: the settings, or every mistake of the file at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from syndicate.config import cache as kept
from syndicate.config.secrets import file_reference, readable_by_others, references, walk
from syndicate.config.settings import Settings
from syndicate.model import Problem, Severity

if TYPE_CHECKING:
    from pydantic import BaseModel

    from syndicate.config.document import Document

M = TypeVar("M", bound="BaseModel")


@dataclass(frozen=True)
class Loaded:
    """What became of a configuration file."""

    #: the file, relative to the project folder, as messages name it
    shown: str
    #: None if an error was found
    settings: Settings | None
    #: errors and warnings, in the order of the file
    problems: tuple[Problem, ...]
    #: the file's text
    text: str = field(default="", repr=False)

    @cached_property
    def document(self) -> Document:
        """The file's values and where they stand; parsed again when first asked for, since a warm start never asks."""
        from syndicate.config.document import read

        return read(self.text, self.shown)

    def position(self, key_path: tuple[str, ...]) -> tuple[int, int]:
        """1-based line and column of a value, or of the nearest key above it."""
        return self.document.position(key_path)


def load(path: Path, cache: bool = True) -> Loaded:
    """Reads and checks a configuration file; never raises for what is in it, or for its absence."""
    root = project_folder(path)
    shown = shown_path(path, root)
    text = read_text(path, shown)
    if isinstance(text, Problem):
        return Loaded(shown, None, (text,))
    name = kept.key(text, path.absolute())
    settings = kept.fetch(name, root) if cache else None
    problems: tuple[Problem, ...] = ()
    if settings is None:
        from syndicate.config.check import check

        settings, problems = check(text, shown, root)
        if cache and settings and not problems:
            kept.store(name, settings)
    loaded = Loaded(shown, settings, problems, text)
    return replace(loaded, problems=(*problems, *exposed_files(loaded)))


def validate(
    model: type[M], data: Mapping[str, Any], where: str, loaded: Loaded
) -> tuple[M | None, tuple[Problem, ...]]:
    """An adapter's options, whose references may have been resolved, against its model.

    `where` is their place in the file, such as `accounts.mail`. Problems name references, never what they stand for.
    """
    from syndicate.config.faults import declared_secrets, validated

    path = tuple(where.split("."))
    found, problems = validated(model, data, path, loaded.document)
    return found, (*problems, *declared_secrets(model, path, loaded.document))


def project_folder(path: Path) -> Path:
    """The folder that holds `config/`; a file elsewhere has its project around it."""
    folder = path.absolute().parent
    return folder.parent if folder.name == "config" else folder


def shown_path(path: Path, root: Path) -> str:
    """The file as messages name it."""
    return path.absolute().relative_to(root).as_posix()


def read_text(path: Path, shown: str) -> str | Problem:
    """The text of a regular file."""
    try:
        if path.exists() and not path.is_file():  # a device or a pipe could go on for ever
            return Problem(shown, "this is not a file", code="config.unreadable")
        return decode(path.read_bytes(), shown)
    except FileNotFoundError:
        hint = "`syndicate init` writes a starter project; --config names a configuration elsewhere."
        return Problem(shown, "there is no such file", hint=hint, code="config.not-found")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return Problem(shown, f"the file cannot be read: {reason}", code="config.unreadable")


def decode(data: bytes, shown: str) -> str | Problem:
    """The text of UTF-8 bytes, with or without a byte order mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem(shown, "the file is UTF-16", hint="Save it as UTF-8.", code="config.encoding")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, len(before.rpartition(b"\n")[2].decode()) + 1
        message = f"the byte 0x{error.object[error.start]:02X} is not UTF-8"
        return Problem(shown, message, line=line, column=column, hint="Save the file as UTF-8.", code="config.encoding")


def exposed_files(loaded: Loaded) -> list[Problem]:
    """Secret files that other users of this machine can read; looked at each time: the text does not tell."""
    if loaded.settings is None:
        return []
    root, found = loaded.settings.root, []
    places: list[tuple[tuple[str, ...], Any]] = [
        *((("secret",), secret) for secret in (loaded.settings.secret, *loaded.settings.earlier_secrets)),
        (("database",), loaded.settings.database),
    ]
    for name, account in loaded.settings.accounts.items():
        places += walk(account.options, ("accounts", name))
    feedback = loaded.settings.feedback
    places += walk(feedback.mailboxes, ("feedback", "mailboxes"))
    for name, webhook in feedback.webhooks.items():
        places += walk({"secret": webhook.secret, **webhook.options}, ("feedback", "webhooks", name))
    for path, value in places:
        for reference in references(value) if isinstance(value, str) else ():
            file = file_reference(reference, root)
            if file is not None and readable_by_others(file):
                found.append((path, file))
    return [exposed(loaded, path, file) for path, file in found]


def exposed(loaded: Loaded, path: tuple[str, ...], file: Path) -> Problem:
    """The warning for one of them."""
    line, column = loaded.position(path)
    message = f"{'.'.join(path)}: other users of this machine can read the secret file {file.name}"
    return Problem(loaded.shown, message, Severity.WARNING, line, column, f"chmod 600 {file}", "config.exposed-secret")
