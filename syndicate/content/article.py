"""The bytes of one file -> an article, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from syndicate.content import frontmatter, overrides, source, text
from syndicate.content.doubts import not_an_article
from syndicate.content.fields import Fields
from syndicate.content.notes import Notes, Refusal
from syndicate.content.site import Site
from syndicate.model import Article, Problem, Severity


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of one file."""

    article: Article | None
    problems: tuple[Problem, ...]
    #: the Markdown below the front matter
    body: str = ""


def read(data: bytes, path: str, site: Site) -> Reading:
    """Reads a file's bytes; `path` is relative to the project folder. Pure, and raises nothing."""
    notes = Notes(path)
    article, body = None, ""
    try:
        found = frontmatter.read(source.decode(data, notes), notes)
        article, body = _article(found, path, site, notes, sha256(data).hexdigest()), found.body
    except Refusal:
        pass
    except Exception as error:
        # whatever a parser does with one hostile file must not keep the others from being read
        notes.add(Severity.ERROR, "file.unexpected", f"cannot be read: {type(error).__name__}: {error}")
    return Reading(article, tuple(sorted(notes.problems, key=order)), body)


def order(problem: Problem) -> tuple[str, int, int]:
    """By path, line and column."""
    return problem.path, problem.line, problem.column


def _article(found: frontmatter.FrontMatter, path: str, site: Site, notes: Notes, digest: str) -> Article:
    fields = Fields(found.entries, path, site, notes)
    title = fields.title(found.body)
    given = fields.slug()
    slug = given or text.slugify(title)
    words = text.count_words(found.body)
    subtitle, description = fields.line("subtitle"), fields.line("description")
    published, undated, created = fields.dates()
    differs, hold = overrides.read(fields.entry("overrides"), notes)
    held = _held(hold, not_an_article(title, f"{subtitle} {description}", found.body, words), notes)
    hero_image, hero_alt = fields.hero()
    return Article(
        path=path,
        slug=slug,
        slug_given=bool(given),
        title=title,
        subtitle=subtitle,
        description=description,
        authors=fields.authors(),
        read_minutes=fields.read_minutes(words),
        words=words,
        published=None if held else published,
        undated=held or undated,
        created=created,
        hero_image=hero_image,
        hero_alt=hero_alt,
        cta=fields.line("cta"),
        tags=fields.tags(),
        url=fields.url(slug),
        draft=fields.draft(),
        language=fields.language(),
        overrides=differs,
        sha256=digest,
    )


def _held(hold: bool | None, doubt: str, notes: Notes) -> str:
    """Why the article is held back, whatever its date; a person's word, `syndicate: {hold: false}`, releases it."""
    if hold:
        return "it is held back (syndicate: {hold: true})"
    if hold is None and doubt:
        hint = "if it is meant to be sent, add `syndicate: {hold: false}` to its front matter"
        notes.warn("article.held", f"held back: {doubt}", hint=hint)
        return f"held back: {doubt}"
    return ""
