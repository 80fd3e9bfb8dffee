"""The exceptions of Syndicate.

A user's mistake is a `Problem` (a value); an exception is for what stops a whole command or one call::

    SyndicateError              shown as one line, without a traceback
     ├─ ConfigError             the configuration cannot be used (exit status 2)
     ├─ UsageError              the command cannot be carried out as it was asked (exit status 2)
     ├─ NeedsPerson             a person has to decide first (exit status 3)
     ├─ RenderError             one edition cannot be put into words; the others go on
     ├─ Unsupported             the network cannot express what the message holds
     └─ LedgerError
         ├─ IllegalMove         a state change that `MOVES` does not know
         ├─ Superseded          another worker has taken this delivery since
         └─ EditionExists       an edition of this key, or with these articles, was entered before

The docstring of a class is its default message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class SyndicateError(Exception):
    """Something went wrong."""

    def __init__(self, message: str = "", *, hint: str = "", problems: Sequence[Any] = ()) -> None:
        """`hint` says what to do; `problems` are the `Problem` values that led here, if any."""
        self.message = message or (self.__doc__ or "").strip()
        self.hint = hint
        self.problems = tuple(problems)
        super().__init__(self.message)


class ConfigError(SyndicateError):
    """The configuration cannot be used. `syndicate check` lists what to mend."""


class UsageError(SyndicateError):
    """The command cannot be carried out as it was asked. `--help` shows how it is used."""


class NeedsPerson(SyndicateError):
    """A person has to decide first. `syndicate status` shows what waits."""


class RenderError(SyndicateError):
    """This edition could not be put into words. The others are not affected."""


class Unsupported(SyndicateError):
    """The network cannot express what this message holds."""


class LedgerError(SyndicateError):
    """The ledger refused."""


class IllegalMove(LedgerError):
    """A delivery cannot go from its state to that one."""


class Superseded(LedgerError):
    """Another worker has claimed this delivery since; the late result was not written."""


class EditionExists(LedgerError):
    """This edition was entered before. Nothing is sent twice."""
