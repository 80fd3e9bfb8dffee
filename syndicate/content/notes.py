"""Where the readers of one file write down what they found wrong with it."""

from __future__ import annotations

from typing import NoReturn

from syndicate.model import Problem, Severity

#: (line, column), both 1-based; 0 where unknown
At = tuple[int, int]
WHOLE_FILE: At = (0, 0)


class Refusal(Exception):
    """This file is not an article. Stays inside the station: the reason is in the notes."""


class Unreadable(Exception):
    """This value, or this block, cannot be read as it stands. Stays inside the station."""

    def __init__(self, why: str, at: At = WHOLE_FILE, hint: str = "") -> None:
        super().__init__(why)
        self.why, self.at, self.hint = why, at, hint


class Notes:
    """The problems of one file, in the order in which they were found."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def add(self, severity: Severity, code: str, message: str, at: At = WHOLE_FILE, hint: str = "") -> None:
        """Appends one problem."""
        self.problems.append(Problem(self.path, message, severity, *at, hint=hint, code=code))

    def error(self, code: str, message: str, at: At = WHOLE_FILE, hint: str = "") -> None:
        """The file is used, but not for what it was written for."""
        self.add(Severity.ERROR, code, message, at, hint)

    def warn(self, code: str, message: str, at: At = WHOLE_FILE, hint: str = "") -> None:
        """The file is used, and this looks wrong."""
        self.add(Severity.WARNING, code, message, at, hint)

    def repaired(self, code: str, message: str, at: At = WHOLE_FILE, hint: str = "") -> None:
        """The file was read as its author meant it."""
        self.add(Severity.REPAIRED, code, message, at, hint)

    def left_out(self, key: str, why: str, at: At = WHOLE_FILE, hint: str = "") -> None:
        """One key is not used; the article is."""
        self.warn("frontmatter.unreadable-key", f"{key}: {why}; left out", at, hint)

    def refuse(
        self, code: str, message: str, at: At = WHOLE_FILE, hint: str = "", severity: Severity = Severity.ERROR
    ) -> NoReturn:
        """The file is not used. Raises `Refusal`."""
        self.add(severity, code, message, at, hint)
        raise Refusal(message)
