"""What every article's reading depends on, besides the article."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

#: grows whenever the same bytes may give another article, so that no older index is trusted
VERSION = 1


@dataclass(frozen=True, slots=True)
class Site:
    """What the publication says of all its articles."""

    zone: ZoneInfo
    #: BCP 47
    language: str
    #: absolute, without a slash at its end; may be empty
    base_url: str
