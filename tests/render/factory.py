"""Articles as the content station would read them from the two seeds, and stranger ones."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from syndicate.model import Article, Body, Channel, Edition, Kind, Mailbox, Publication
from syndicate.render.templates import Templates

ROOT = Path(__file__).parent.parent.parent
INDIA = ZoneInfo("Asia/Kolkata")
TEMPLATES = Templates(ROOT / "templates")
PUBLICATION = Publication(
    name="Magick AI Dispatch",
    url="https://magick.ai",
    timezone="Asia/Kolkata",
    sender=Mailbox("news@example.com", "Magick AI"),
    postal_address="Magick AI, 4th Floor, 12 Example Road, Hyderabad 500081, India",
    linkedin="https://www.linkedin.com/company/example",
    links="https://news.example.com",
)
WEEKLY = Channel(name="weekly-digest", kind=Kind.DIGEST, account="outbox", audience="readers", template="digest")
LINKEDIN = Channel(name="linkedin", kind=Kind.POST, account="outbox", template="linkedin")
UNSUBSCRIBE = "https://news.example.com/u/3q2-7wAbCdEfGhIjKlMnOpQr"


def seed(name: str, slug: str) -> Article:
    """One seed, read just well enough for this: quotes off, doubled apostrophes undone."""
    _, front, body = (ROOT / "seeds" / name).read_text("utf-8").split("---\n", 2)
    said = {
        key: value.replace("\\'", "'").replace("''", "'") for key, value in re.findall(r"^(\w+): '(.*)'$", front, re.M)
    }
    return Article(
        path=f"seeds/{name}",
        slug=slug,
        title=said["title"],
        subtitle=said["subtitle"],
        description=said["description"],
        authors=(said["author"],),
        read_minutes=int(said["read_time"].split()[0]),
        words=len(body.split()),
        published=datetime.fromisoformat(said["publish_date"]).replace(tzinfo=INDIA),
        hero_image=said["heroImage"],
        cta=said["cta"],
        url=f"https://magick.ai/{slug}",
        body=Body(html="", text=body.strip()),
    )


RISE = seed("000_b5ca7274b39b3a56.md", "the-rise-of-mlops-training-in-india")
HYDERABAD = seed("001_0bc78cdf9e41f4cf.md", "mlops-training-in-hyderabad")


def digest(*articles: Article) -> Edition:
    """A weekly digest of these articles; of both seeds if none are given."""
    occasion = datetime(2025, 3, 10, 9, tzinfo=INDIA)
    return Edition(
        key="weekly-digest/2025-03-10T09:00", channel=WEEKLY, occasion=occasion, articles=articles or (RISE, HYDERABAD)
    )


def single(article: Article) -> Edition:
    """A post about one article."""
    return Edition(
        key=f"linkedin/{article.slug}",
        channel=LINKEDIN,
        occasion=datetime(2025, 3, 10, 10, 30, tzinfo=INDIA),
        articles=(article,),
    )


def many(count: int) -> tuple[Article, ...]:
    """`count` articles that differ in title and slug."""
    pair = (RISE, HYDERABAD)
    return tuple(
        replace(pair[at % 2], slug=f"{pair[at % 2].slug}-{at}", title=f"Part {at + 1}: {pair[at % 2].title}")
        for at in range(count)
    )
