"""Entries of front matter -> what they say of the article."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

from syndicate.content import dates, links, text
from syndicate.content.entries import Entry, Value
from syndicate.content.keys import ALIASES, FIELDS, normal
from syndicate.content.notes import WHOLE_FILE, Notes, Unreadable
from syndicate.content.overrides import as_bool, words
from syndicate.content.site import Site

_AUTHOR_NOTE = re.compile(r"\s*(?:\([^)]*\)|<[^>]*>)")
_AUTHOR_JOINT = re.compile(r"\s*(?:;|,(?!\s*(?:Jr|Sr|PhD|Ph\.D|MD|M\.D|I{2,3}|IV)\b)|\s(?:and|und|et|y)\s)\s*")
_MINUTES = re.compile(r"\D{0,12}?(\d{1,3})\s*(?:['’]|m(?:in(?:ute)?s?)?\.?)?(?:[\s-]*read)?", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_SLUG = re.compile(r"[\w.~-]+")
_LOOSE_SLUG = re.compile(r"[\w \-.,:'!?&()]+")
_MAX_SLUG = 200
#: names of devices, which Windows opens instead of files
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}
_HEADING = re.compile(r"^#[ \t]++(.{1,300}?)[ \t#]*$|^(\S.*)\n=+[ \t]*$", re.MULTILINE)
_MAX_TAGS = 50
#: characters of all names together
_MAX_AUTHORS = 1000
#: declared reading times of real articles are four times too long as a rule; ten times is a slip
_WILD = 10
#: from so many days on, a publish date before the creation date is likely to be in the wrong year
_LONG_BEFORE = 300


class Fields:
    """Reads one article's fields; what cannot be read is left out, and noted."""

    def __init__(self, entries: Mapping[str, Entry], path: str, site: Site, notes: Notes) -> None:
        self.path, self.site, self.notes = PurePosixPath(path), site, notes
        self.entries: dict[str, Entry] = {}
        self.best: dict[str, Entry] = {}
        ranks: dict[str, int] = {}
        for key, entry in entries.items():
            name = normal(key)
            self.entries.setdefault(name, entry)
            if entry.value is None or entry.value == "":
                continue
            for field, rank in FIELDS.get(name, ()):
                if rank < ranks.get(field, len(ALIASES[field])):
                    self.best[field], ranks[field] = entry, rank

    def entry(self, field: str) -> Entry | None:
        """The value of a field, under the best-known of its names that has one."""
        return self.best.get(field)

    def left_out(self, entry: Entry, why: str, hint: str = "") -> None:
        """Notes that an entry is not used."""
        self.notes.left_out(entry.key, why, entry.at, hint)

    def title(self, body: str) -> str:
        """The title, which alone has to be there. Raises `Refusal`."""
        entry = self.entry("title")
        if entry is None:
            return self._derived_title(body)
        value = entry.value.strip() if isinstance(entry.value, str) else ""
        what = ""
        if not isinstance(entry.value, str):
            what = "is not a text"
        elif text.CONTROL.search(value):
            what = "holds a line break or a control character"
        elif text.ENCODED_WORD.search(value):
            what = "holds an encoded word (=?…?=), which mail readers would decode"
        elif len(value) > text.MAX_TITLE:
            what = f"has {len(value)} characters; at most {text.MAX_TITLE} are allowed"
        title = text.one_line(value)
        if what or not title:
            what = what or "is empty"
            self.notes.refuse(
                "title.unusable", f"{entry.key}: the title {what}", entry.at, "write it as one line of text"
            )
        if text.BIDI.search(value):
            self.notes.warn(
                "title.bidi", f"{entry.key}: characters that turn the text's direction were removed", entry.at
            )
        return title

    def _derived_title(self, body: str) -> str:
        found = _HEADING.search(body)
        title, source = text.one_line((found[1] or found[2]) if found else ""), "its first heading"
        dated = dates.in_file_name(self.path.stem)
        if not title and dated:
            title = self.path.stem.rpartition(dated)[2].strip("-_ ").replace("-", " ").capitalize()
            source = "its file name"
        if not title or len(title) > text.MAX_TITLE:
            near = get_close_matches("title", self.entries, 1)
            hint = f"did you mean title: instead of {self.entries[near[0]].key}:?" if near else "add `title: …` to it"
            self.notes.refuse("title.missing", "the front matter has no title", WHOLE_FILE, hint)
        self.notes.warn("title.derived", f"no title; {source} was taken: {title!r}", WHOLE_FILE, "add `title: …` to it")
        return title

    def line(self, field: str) -> str:
        """A field of plain text, on one line."""
        entry = self.entry(field)
        value: Value = entry.value if entry else ""
        if isinstance(value, dict):  # cta: {text, url}
            value = value.get("text")
        if entry is None or value is None:
            return ""
        if not isinstance(value, str) or len(value) > text.MAX_TEXT:
            self.left_out(entry, "longer than 10,000 characters" if isinstance(value, str) else "not a text")
            return ""
        return text.one_line(value.replace("\n", " "))

    def authors(self) -> tuple[str, ...]:
        """Names, from one text with commas, or a list of names or of mappings with a `name`."""
        entry = self.entry("authors")
        if entry is None:
            return ()
        found = entry.value if isinstance(entry.value, list) else [entry.value]
        names = []
        for value in found:
            name = value.get("name") if isinstance(value, dict) else value
            if isinstance(name, str) and len(name) <= _MAX_AUTHORS:
                names += [text.one_line(part) for part in _AUTHOR_JOINT.split(_AUTHOR_NOTE.sub("", name))]
            else:
                self.left_out(entry, "holds what is not a name")
        return tuple(dict.fromkeys(filter(None, names)))

    def tags(self) -> tuple[str, ...]:
        """A list of words; one text is cut at its commas, or, as Jekyll does, at its blanks."""
        entry = self.entry("tags")
        if entry is None:
            return ()
        value = entry.value
        if isinstance(value, str) and "," not in value:
            value = [*value.split()]
        found = words(value)
        if found is None:
            self.left_out(entry, "not a list of words")
        cleaned = (text.one_line(tag.lstrip("#").replace("\n", " ")) for tag in found or ())
        return tuple(dict.fromkeys(filter(None, cleaned)))[:_MAX_TAGS]

    def read_minutes(self, count: int) -> int:
        """Minutes as declared, or computed from the number of words."""
        computed = text.minutes(count)
        entry = self.entry("read_time")
        if entry is None:
            return computed
        found = _MINUTES.fullmatch(entry.value.strip()) if isinstance(entry.value, str) else None
        if not found:
            self.left_out(entry, "not a number of minutes", "write it as '8 mins'")
            return computed
        declared = int(found[1])
        if declared and declared < _WILD * computed:
            return declared
        message = f"{entry.key}: {declared} min for {count} words, which take about {computed}; {computed} is used"
        self.notes.warn("read-time.wild", message, entry.at, "mend the number, or leave the key out")
        return computed

    def draft(self) -> bool:
        """Whether it is not to be sent yet; a value that is neither yes nor no holds it back."""
        for field, meaning in (("draft", True), ("not_draft", False)):
            for name in ALIASES[field]:
                entry = self.entries.get(name)
                if entry is None or entry.value is None:
                    continue
                answer = as_bool(entry.value)
                if answer is not None and answer is meaning:
                    return True
                if answer is None and field == "draft":
                    message = f"{entry.key}: neither true nor false; taken for a draft"
                    self.notes.warn("draft.unclear", message, entry.at, "write true or false")
                    return True
        return any(part in {"_drafts", "drafts"} for part in self.path.parts[:-1]) or self.path.name.startswith("_")

    def language(self) -> str:
        """BCP 47; the publication's where the article names none."""
        entry = self.entry("language")
        if entry is None:
            return self.site.language
        tag = str(entry.value).strip().replace("_", "-")
        if not isinstance(entry.value, str) or not _LANGUAGE.fullmatch(tag):
            self.left_out(entry, "not a language tag", "write it as en or pt-BR")
            return self.site.language
        first, *rest = tag.split("-")
        return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part for part in rest)])

    def slug(self) -> str:
        """The slug or id that was written; empty if there is none. Raises `Refusal` for one that cannot be used."""
        entry = self.entry("slug")
        if entry is None:
            return ""
        slug = entry.value.strip().strip("/") if isinstance(entry.value, str) else ""
        if re.search(r"\w", slug) and _LOOSE_SLUG.fullmatch(slug) and not _SLUG.fullmatch(slug):
            loose, slug = slug, text.slugify(slug)
            self.notes.warn("slug.spelling", f"{entry.key}: {loose!r} was read as {slug!r}", entry.at, "write it so")
        is_name = _SLUG.fullmatch(slug) and slug.strip(".-") and ".." not in slug and len(slug) <= _MAX_SLUG
        if not is_name or slug.lower().partition(".")[0] in _DEVICES:
            message = f"{entry.key}: {str(entry.value)[:60]!r} cannot be used as a name"
            self.notes.refuse("slug.unusable", message, entry.at, "use lower-case words with hyphens")
        return slug.lower()

    def url(self, slug: str) -> str:
        """Where the article can be read."""
        default = f"{self.site.base_url}/{slug}" if self.site.base_url else ""
        entry = self.entry("url")
        if entry is None:
            return default
        try:
            return links.page(str(entry.value), self.site.base_url)
        except Unreadable as error:
            self.left_out(entry, error.why, error.hint)
            return default

    def hero(self) -> tuple[str, str]:
        """(picture, its alternative text)."""
        for name in ALIASES["hero_image"]:
            entry = self.entries.get(name)
            if entry is None or not entry.value:
                continue
            value: Value = entry.value
            alt: Value = self.line("hero_alt")
            if isinstance(value, dict):
                alt = value.get("alt") or alt
                value = value.get("src") or value.get("url") or value.get("path")
            if not value or as_bool(value) is not None:
                continue
            try:
                picture = links.picture(value if isinstance(value, str) else "", str(self.path), self.site.base_url)
            except Unreadable as error:
                self.left_out(entry, error.why, error.hint)
                continue
            return picture, text.one_line(alt.replace("\n", " ")) if isinstance(alt, str) else ""
        return "", ""

    def dates(self) -> tuple[datetime | None, str, datetime | None]:
        """(publish date, why there is none, creation date)."""
        zone = self._zone()
        if zone is None:
            return None, "its time zone cannot be read", None
        created = self._moment("created", zone)[0]
        self._moment("other_dates", zone)
        published, undated = self._moment("published", zone)
        if published is None and not undated:
            published, undated = self._without_date(zone)
        if published and created and (created.date() - published.date()).days >= _LONG_BEFORE:
            self._year_slip(published, created)
        return published, undated, created

    def _zone(self) -> ZoneInfo | None:
        entry = self.entry("timezone")
        if entry is None:
            return self.site.zone
        try:
            return dates.named_zone(str(entry.value))
        except ValueError as error:
            self.notes.error(
                "date.zone", f"{entry.key}: {error.args[0]}; the article has no date", entry.at, error.args[1]
            )
            return None

    def _moment(self, field: str, zone: ZoneInfo) -> tuple[datetime | None, str]:
        entry = self.entry(field)
        if entry is None:
            return None, ""
        if not isinstance(entry.value, str):
            self.left_out(entry, "not a date")
            return None, f"its {entry.key} is not a date"
        moment = dates.parse(entry.value, zone)
        if moment.when is None:
            self.notes.warn("date.unreadable", f"{entry.key}: {moment.doubt}", entry.at, moment.hint)
            return None, f"its {entry.key} cannot be read: {moment.doubt}"
        if moment.doubt:
            self.notes.warn("date.doubtful", f"{entry.key}: {moment.doubt}", entry.at, moment.hint)
        return moment.when.astimezone(self.site.zone), ""

    def _without_date(self, zone: ZoneInfo) -> tuple[datetime | None, str]:
        """No key holds a publish date: `published:` may, which is yes or no as a rule, or the file name."""
        flag = self.entries.get("published")
        if flag and isinstance(flag.value, str) and as_bool(flag.value) is None:
            self.best["published"] = flag
            return self._moment("published", zone)
        named = dates.parse(dates.in_file_name(self.path.stem), zone)
        if named.when:
            return named.when, ""
        near = get_close_matches("publishdate", self.entries, 1, 0.8) or get_close_matches("date", self.entries, 1, 0.8)
        hint = (
            f"did you mean publish_date: instead of {self.entries[near[0]].key}:?" if near else "add `publish_date: …`"
        )
        self.notes.warn("date.missing", "no publish date; the article is never picked", WHOLE_FILE, hint)
        return None, "it has no publish date"

    def _year_slip(self, published: datetime, created: datetime) -> None:
        days = (created.date() - published.date()).days
        entry, other = self.entry("published"), self.entry("created")
        shown = ", ".join(f"{each.key} is {each.value}" for each in (entry, other) if each)
        self.notes.warn(
            "date.wrong-year",
            f"publish date is {days} days before its creation date: wrong year?",
            entry.at if entry else WHOLE_FILE,
            f"{shown}: mend the one that is wrong",
        )
