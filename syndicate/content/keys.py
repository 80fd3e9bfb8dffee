"""What the fields of an article are called in the wild: generators and habits of 37 sites."""

from __future__ import annotations

import re
from functools import lru_cache

#: field -> names it goes by, best first, as `normal` spells them
ALIASES = {
    "title": ("title", "headline", "subject", "newstitle", "displayname", "linktitle", "name"),
    "subtitle": ("subtitle", "deck", "tagline"),
    "description": ("description", "summary", "excerpt", "snippet", "short", "intro", "abstract"),
    "authors": ("author", "authors", "by", "byline"),
    "read_time": ("readtime", "readingtime", "timetoread", "minutes"),
    "published": ("publishdate", "pubdate", "publishedat", "publishedon", "datepublished", "publicationdate", "date"),
    "created": ("createddate", "createdat", "datecreated", "created", "dateadded"),
    "other_dates": ("lastmod", "updateddate", "updatedat", "updated", "expirydate", "enddate"),
    "timezone": ("timezone",),
    "hero_image": (
        *("heroimage", "hero", "image", "coverimage", "cover", "featureimage", "featuredimage", "thumbnail"),
        *("picture", "ogimage", "banner"),
    ),
    "hero_alt": ("heroalt", "heroimagealt", "imagealt", "coveralt", "coverimagealt", "alttext"),
    "cta": ("cta", "calltoaction"),
    "tags": ("tags", "keywords", "topics", "categories", "tag", "category"),
    "slug": ("slug", "id"),
    "url": ("canonicalurl", "canonical", "permalink", "url"),
    "draft": ("draft",),
    "not_draft": ("published", "publish"),
    "language": ("lang", "language", "locale"),
    "overrides": ("syndicate",),
}

#: name -> the fields it may stand for, each with its rank there; `published` is a date or a yes
FIELDS: dict[str, list[tuple[str, int]]] = {}
for _field, _names in ALIASES.items():
    for _rank, _name in enumerate(_names):
        FIELDS.setdefault(_name, []).append((_field, _rank))

KNOWN = frozenset(FIELDS)
#: one line of prose each: a `#` in them is more likely a number sign than a comment
TEXT = frozenset(name for field in ("title", "subtitle", "description", "cta") for name in ALIASES[field])
LISTS = frozenset((*ALIASES["tags"], *ALIASES["authors"]))
TITLE = frozenset(ALIASES["title"][:4])

_JOINTS = re.compile(r"[\s_-]+")


@lru_cache(maxsize=1024)  # ten thousand articles share their keys
def normal(key: str) -> str:
    """`publish_date`, `publishDate` and `Publish-Date` are one key."""
    return _JOINTS.sub("", key).lower()
