"""The words of the pages, in every language there is a catalogue for: one TOML file each, all with the same keys."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

FALLBACK = "en"
#: Longest `Accept-Language` that is read; browsers send about a hundred characters.
_LONGEST = 500


@cache
def languages() -> frozenset[str]:
    """The languages of the catalogues."""
    found = (entry.name for entry in (files(__package__) / "words").iterdir())
    return frozenset(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


@cache
def catalogue(language: str) -> dict[str, Any]:
    """The words of one language, by group and key."""
    return tomllib.loads((files(__package__) / "words" / f"{language}.toml").read_text("utf-8"))


def choose(accepted: str, usual: str) -> str:
    """The first language of `Accept-Language` (RFC 9110 §12.5.4) that there is, or the usual one, or English."""
    ranked = sorted(_ranges(accepted[:_LONGEST]), key=lambda one: -one[1])
    wanted = [tag for tag, weight in ranked if weight > 0]
    known = (tag.lower().partition("-")[0] for tag in (*wanted, usual))
    return next((language for language in known if language in languages()), FALLBACK)


def _ranges(accepted: str) -> list[tuple[str, float]]:
    return [(tag, _weight(rest)) for tag, _, rest in (each.strip().partition(";") for each in accepted.split(","))]


def _weight(parameters: str) -> float:
    """`q=0.8`; what cannot be read weighs nothing."""
    name, _, value = parameters.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip() == "q" and len(value) < 6 else 0.0
    except ValueError:
        return 0.0
