"""What one cell of a list of people may hold, and how it is shown."""

from __future__ import annotations

import re

from syndicate.audience.addresses import read_address

LONGEST_CELL = 8192  # characters
LONGEST_NAME = 255
LONGEST_FIELD = 100  # characters of its name
MOST_COLUMNS = 64
#: Control characters, those that turn the direction of text around (UAX #9 §2.2), and halves of characters, which
#: JSON can spell and no encoding can write.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
#: What a spreadsheet takes for a formula, also after blanks, in full width, and behind apostrophes of ours.
_FORMULA = re.compile(r"[\s']*[=+\-@＝＋－＠]|'*[\t\r]")


def clean(cell: str) -> str:
    """One line of text, otherwise as it was written: what looks like a formula is text."""
    return cell.strip() if cell.isprintable() else _UNSEEN.sub("", " ".join(cell.split())).strip()


def visible(text: str) -> str:
    """Text for a report: what has no shape of its own is spelled out."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def is_address(cell: str) -> bool:
    """Whether a cell holds an address."""
    try:
        return bool(read_address(cell))
    except ValueError:
        return False


def guarded(cell: str) -> str:
    """The cell for a table that a spreadsheet may open: an apostrophe before what could be a formula (OWASP, CSV
    Injection). `unguarded` gives back exactly what went in, apostrophes of people's own included.
    """
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell before it was guarded."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
