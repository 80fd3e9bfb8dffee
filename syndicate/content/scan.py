"""Which files there are in the article folders, without opening any."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import NamedTuple, TypeAlias

from syndicate.content.aside import aside
from syndicate.content.source import Stamp, stamp_of
from syndicate.model import Problem, Severity

_SUFFIXES = (".md", ".markdown", ".mdx")
_SKIPPED = {"node_modules", "__pycache__"}
#: control characters, and bytes that are no UTF-8 (Python's surrogate escapes): such a name cannot be printed
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Found(NamedTuple):  # not a dataclass: 100,000 of them are made on every start
    """A file that may be an article."""

    #: POSIX path relative to the project folder
    path: str
    #: what to open: the file itself, or what a link in the folder leads to
    real: str
    stamp: Stamp


Fields: TypeAlias = tuple[str, str, Stamp]


@dataclass(frozen=True, slots=True)
class Scan:
    """What lies in the article folders."""

    #: sorted by path
    files: tuple[Found, ...]
    problems: tuple[Problem, ...]


def scan(root: Path, folders: Iterable[str]) -> Scan:
    """Files with the suffix of Markdown below the folders, which are relative to `root` or absolute.

    Hidden files and folders are passed over, as everywhere; links out of the folders, devices and unreadable
    folders are problems.
    """
    return begin(root, folders, many=False)()


def begin(root: Path, folders: Iterable[str], *, many: bool) -> Callable[[], Scan]:
    """The same in two steps: what is found is there when it is called for. `many` files are looked at beside us."""
    walk = _Walk(root, tuple(folders))
    seen = aside(walk.run, wanted=many)

    def found() -> Scan:
        files, problems = seen()
        return Scan(tuple(map(tuple.__new__, repeat(Found), files)), tuple([_problem(*each) for each in problems]))

    return found


def _problem(path: str, code: str, message: str, hint: str) -> Problem:
    return Problem(path, message, Severity.ERROR, hint=hint, code=code)


def is_article_name(name: str) -> bool:
    """Whether a file of this name may be an article; one that is named `.md` alone is not hidden, but nameless."""
    return name.lower().endswith(_SUFFIXES) and (name[0] != "." or name.lower() in _SUFFIXES)


def relative(path: str | Path, root: str | Path) -> str:
    """A path as the user would type it from the project folder: POSIX, and absolute only where it lies elsewhere."""
    shown = os.path.relpath(path, root)
    return Path(path).as_posix() if shown.startswith("..") else Path(shown).as_posix()


def homes(root: Path, folders: Iterable[str]) -> list[str]:
    """Where the article folders really are."""
    return [os.path.realpath(root / folder) for folder in folders]


def followed(link: str, inside: Iterable[str]) -> str:
    """The file that a link leads to. Raises `ValueError` unless it is one inside these folders."""
    try:
        target = os.path.realpath(link, strict=True)
    except OSError as error:
        raise ValueError(f"is a link that leads nowhere: {error.strerror}") from None
    if Path(target).is_dir():
        raise ValueError("is a link to a folder, which is not followed")
    if not any(target.startswith(f"{home}{os.sep}") for home in inside):
        raise ValueError("is a link out of the article folders, which is not followed")
    return target


class _Walk:
    def __init__(self, root: Path, folders: tuple[str, ...]) -> None:
        self.root = str(root)
        #: path -> the fields of `Found`
        self.found: dict[str, Fields] = {}
        #: the arguments of `_problem`
        self.problems: list[tuple[str, str, str, str]] = []
        self.tops = [os.path.normpath(root / folder) for folder in folders]
        self.homes = homes(root, folders)
        #: folders to come, each with its path as it is shown and a slash; a list, since folders nest deeper than calls
        self.pending: list[tuple[str, str]] = []

    def run(self) -> tuple[list[Fields], list[tuple[str, str, str, str]]]:
        """The files in the order of their paths, and the problems; plain, so that they can travel."""
        for top in self.tops:
            shown = relative(top, self.root)
            self.pending.append((top, "" if shown == "." else f"{shown}/"))
        while self.pending:
            folder, prefix = self.pending.pop()
            try:
                with os.scandir(folder) as entries:
                    self._folder(entries, prefix)
            except OSError as error:
                hint = "create it, or mend content.folders in the configuration"
                self._problem(prefix.rstrip("/") or ".", "folder.unreadable", f"cannot be read: {error.strerror}", hint)
        return [self.found[path] for path in sorted(self.found)], self.problems

    def _folder(self, entries: Iterable[os.DirEntry[str]], prefix: str) -> None:
        found, printable = self.found, prefix.isprintable()
        for entry in entries:
            name = entry.name
            if name.endswith(".md") and name[0] != "." and printable and name.isprintable():  # nearly all there is
                try:
                    if entry.is_file(follow_symlinks=False):
                        path = prefix + name
                        found[path] = (path, entry.path, stamp_of(entry.stat(follow_symlinks=False)))
                        continue
                except FileNotFoundError:  # removed since
                    continue
            if entry.is_dir(follow_symlinks=False):
                if name[0] != "." and name not in _SKIPPED:
                    self.pending.append((entry.path, f"{prefix}{name}/"))
            elif odd := self._odd(entry, prefix + name):
                found[odd[0]] = odd

    def _odd(self, entry: os.DirEntry[str], path: str) -> Fields | None:
        """What is not simply a readable file that ends in `.md`: another suffix, a link, a device, an odd name."""
        is_link = entry.is_symlink()
        if not is_article_name(entry.name) and not (is_link and entry.is_dir()):
            return None
        if _UNPRINTABLE.search(path):
            shown = path.encode("utf-8", "replace").decode()
            self._problem(repr(shown), "file.name", "its name holds what cannot be printed", "rename it")
            return None
        try:
            real = followed(entry.path, self.homes) if is_link else entry.path
            info = Path(real).stat() if is_link else entry.stat(follow_symlinks=False)
        except (OSError, ValueError) as error:
            self._problem(path, "file.link", str(error), "replace the link by what it leads to")
            return None
        if not stat.S_ISREG(info.st_mode):
            self._problem(path, "file.kind", "is not a regular file", "remove it from the article folder")
            return None
        return path, real, stamp_of(info)

    def _problem(self, path: str, code: str, message: str, hint: str) -> None:
        self.problems.append((path, code, message, hint))
