"""How the things of which there are very many are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]:
    """A dataclass that is frozen for the type checker, and plain at run time.

    `frozen=True` sets each field through `object.__setattr__`: 0.2 µs a field, where fifty are set for one mail.
    Nobody assigns to one all the same, since mypy refuses it.
    """
    return dataclass(slots=True, unsafe_hash=True, kw_only=kw_only)
