"""The known word that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'template'?` for an end of a sentence; empty where nothing is near."""
    from difflib import get_close_matches

    by_lower = {choice.lower(): choice for choice in known}
    near = get_close_matches(word.lower().replace("-", "_"), by_lower, n=1) or get_close_matches(
        word.lower(), by_lower, n=1
    )
    return f", did you mean '{by_lower[near[0]]}'?" if near else ""
