"""The article folders: from files to a catalogue, and to the bodies of the few that are picked."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from syndicate.content import scan, source
from syndicate.content.index import Index, Row
from syndicate.content.notes import Notes, Refusal
from syndicate.content.site import VERSION, Site
from syndicate.model import Article, Image, Problem, Severity


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the folders hold."""

    #: sorted by path; every slug once
    articles: tuple[Article, ...] = ()
    #: sorted by path and line
    problems: tuple[Problem, ...] = ()


class Library:
    """The articles of one publication."""

    def __init__(
        self,
        root: Path,
        folders: Sequence[str],
        *,
        zone: str,
        language: str,
        base_url: str,
        cache: Path | None,
        pictures: Path | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """`folders` are relative to `root`, the project folder, or absolute; `zone` is an IANA name.

        `cache` is a file that may be deleted at any time, or None to read every file anew; `pictures` is a folder for
        those that are fetched, or None to fetch none; `clock` gives nanoseconds since 1970.
        """
        self.root, self.folders, self.pictures, self.clock = root, tuple(folders), pictures, clock
        self.site = Site(ZoneInfo(zone), language, base_url.rstrip("/"))
        self.index = Index(cache, (VERSION, zone, language, self.site.base_url), self.site.zone)

    def load(self) -> Catalogue:
        """All articles and problems. Opens only the files that changed since the last time."""
        with _without_collector():
            now = self.clock()
            looking = scan.begin(self.root, self.folders, many=self.index.is_large())
            known = self.index.load()
            found = looking()
            if self.index.speaks_for(found.files, known):
                return _catalogue(list(known.values()), found.problems)
            rows, stale = [], len(known) != len(found.files)
            for file in found.files:
                row = known.get(file.path)
                if row is None or not self.index.is_current(row, file.stamp):
                    was, row = row, self._read(file, row)
                    stale = stale or row != was or self.index.is_settled(row.stamp, now)
                rows.append(row)
            if stale:
                self.index.save(rows, now)
            return _catalogue(rows, found.problems)

    def read(self, path: Path | str) -> Catalogue:
        """One file that was named by hand, inside the folders or not; relative to here, or to the project folder."""
        file = Path(path)
        if not file.is_absolute() and not file.exists():
            file = self.root / file
        real = os.path.realpath(file)
        row = self._read(scan.Found(scan.relative(file.absolute(), self.root), real, (0, 0, 0)), None)
        return _catalogue([row], ())

    def with_body(self, article: Article) -> Article | Problem:
        """The article with its text rendered; read anew if the file changed since."""
        from syndicate.content import article as reader
        from syndicate.content import markdown

        notes = Notes(article.path)
        try:
            data, _ = source.read_bytes(self._real(article.path, notes), notes)
        except Refusal:
            return notes.problems[-1]
        reading = reader.read(data, article.path, self.site)
        now = reading.article
        if now is None:
            return next(problem for problem in reading.problems if problem.severity is not Severity.REPAIRED)
        if now.title == article.title and not now.slug_given:
            now = replace(now, slug=article.slug, url=article.url)  # it may go by its file's name
        if now.slug != article.slug:
            message = f"its slug was {article.slug} and is now {now.slug}"
            return Problem(article.path, message, hint="plan again", code="article.changed")
        body = markdown.render(reading.body, now.url, now.title)
        return replace(now, body=body) if not isinstance(body, str) else Problem(now.path, body, code="body.unreadable")

    def picture(self, article: Article) -> Image | Problem | None:
        """The hero image, if it is a file of the project or was fetched; None if there is none that may be sent."""
        from syndicate.content import picture

        return picture.read(article, self.root, self.pictures)

    def fetch_pictures(self, articles: Iterable[Article], *, anew: bool = False) -> Iterator[Problem]:
        """Fetches those of the web that are not there yet, or all of them; what could not be had is a problem.

        The only thing here that opens a socket, and only where the configuration allows it.
        """
        from syndicate.content.fetch import fetch
        from syndicate.content.picture import place

        folder = self.pictures
        if folder is None:
            return
        for article in articles:
            url = article.hero_image
            wanted = url.startswith("https://") and (anew or not place(folder, url).exists())
            if wanted and (reason := fetch(url, folder)):
                message = f"hero image: {url} cannot be fetched: {reason}"
                hint = "copy the picture into the project, or mend its address"
                yield Problem(article.path, message, Severity.WARNING, hint=hint, code="picture.unfetched")

    def _real(self, path: str, notes: Notes) -> str:
        """What to open for an article's path; a link has still to lead into the folders. Raises `Refusal`."""
        file = self.root / path
        if Path(path).is_absolute():  # named by hand, and so wanted wherever it leads
            return os.path.realpath(file)
        if not file.is_symlink():
            return str(file)
        try:
            return scan.followed(str(file), scan.homes(self.root, self.folders))
        except ValueError as error:
            notes.refuse("file.link", str(error), hint="replace the link by what it leads to")

    def _read(self, file: scan.Found, known: Row | None) -> Row:
        """Reads a file, unless its bytes are those that are known."""
        from hashlib import sha256

        from syndicate.content import article as reader

        notes = Notes(file.path)
        try:
            data, stamp = source.read_bytes(file.real, notes)
        except Refusal:
            return Row(file.path, file.stamp, None, tuple(notes.problems))
        if known and known.article and known.article.sha256 == sha256(data).hexdigest():
            return Row(file.path, stamp, known.article, known.problems)
        reading = reader.read(data, file.path, self.site)
        return Row(file.path, stamp, reading.article, reading.problems)


def _catalogue(rows: Sequence[Row], problems: Sequence[Problem]) -> Catalogue:
    """Articles and problems of all files; of two articles with one slug the second goes by its file's name, or not at
    all where its author wrote that slug.
    """
    found = [*problems, *(problem for row in rows for problem in row.problems)]
    read = [row.article for row in rows if row.article]
    articles: list[Article] = []
    slugs: dict[str, Article] = {}
    titles: dict[str, Article] = {}
    if len({article.slug for article in read}) == len({article.title for article in read}) == len(read):
        articles, read = read, []  # nearly always
    for article in read:
        if article.slug in slugs and not article.slug_given:
            article = _by_file_name(article)
        if first := slugs.get(article.slug):
            message = f"the slug {article.slug} is taken by {first.path}; this file is not used"
            found.append(Problem(article.path, message, hint="give it a `slug:` of its own", code="slug.taken"))
            continue
        if same := titles.get(article.title):
            message = f"has the title of {same.path}"
            hint = f"give it another title or a `slug:`; it goes by {article.slug}, or remove one of them"
            found.append(Problem(article.path, message, Severity.WARNING, hint=hint, code="title.twice"))
        slugs[article.slug] = titles[article.title] = article
        articles.append(article)
    found.sort(key=lambda problem: (problem.path, problem.line, problem.column))
    return Catalogue(tuple(articles), tuple(found))


def _by_file_name(article: Article) -> Article:
    """The same article under a slug made from its file's name."""
    from syndicate.content.text import slugify

    slug = slugify(Path(article.path).stem)
    url = article.url.removesuffix(article.slug) + slug if article.url.endswith(f"/{article.slug}") else article.url
    return replace(article, slug=slug, url=url)


@contextmanager
def _without_collector() -> Iterator[None]:
    """The cyclic collector would walk the growing heap over and over, and there are no cycles in it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
