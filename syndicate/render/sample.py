"""Sample articles, and the check of a template against them: as the real run would render it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from syndicate.errors import RenderError
from syndicate.model import Article, Body, Channel, Edition, Kind, Mailbox, Problem, Publication, TextRules
from syndicate.render.templates import Templates

PUBLICATION = Publication(
    name="Sample Letter",
    url="https://example.com",
    sender=Mailbox("news@example.com", "Sample Letter"),
    postal_address="1 Example Road, Exampletown",
    linkedin="https://www.linkedin.com/company/example",
    links="https://example.com",
)
FULL = Article(
    path="sample.md",
    slug="sample",
    title="A Sample Article: With a Second Line",
    subtitle="Its subtitle",
    description="Its description says what 40% of all readers find in it.",
    authors=("Ada Sample", "Ben Sample"),
    read_minutes=7,
    published=datetime(2025, 3, 7, tzinfo=UTC),
    hero_image="https://example.com/sample.jpg",
    hero_alt="A sample picture",
    cta="Follow us on LinkedIn for more samples.",
    tags=("samples", "templates", "checks"),
    url="https://example.com/sample?id=1#top",
    body=Body(
        html="<p>In a sample, 40% of the words are about samples.</p>",
        text="In a sample, 40% of the words are about samples.",
    ),
)
#: Only what every article has.
BARE = Article(path="bare.md", slug="bare", title="Bare", url="https://example.com/bare", body=Body(html="", text=""))


def edition(kind: Kind, template: str, *articles: Article) -> Edition:
    """An edition of sample articles under `template`."""
    channel = Channel(name="sample-channel", kind=kind, account="sample", template=template)
    return Edition(
        key="sample/2025-03-10T09:00", channel=channel, occasion=datetime(2025, 3, 10, 9, tzinfo=UTC), articles=articles
    )


def check(templates: Templates, name: str) -> list[Problem]:
    """What is wrong with the files of the template `name`: syntax, unknown names, and what `lint` finds."""
    digest = f"{name}.mjml.j2" in templates
    problems = list(_digest(templates, name) if digest else _post(templates, name))
    return list(dict.fromkeys(problems))


def _digest(templates: Templates, name: str) -> Iterator[Problem]:
    from syndicate.render.email import letter
    from syndicate.render.lint import lint

    for articles in ((FULL, BARE, replace(FULL, slug="third")), (BARE,)):
        try:
            made, _ = letter(edition(Kind.DIGEST, name, *articles), PUBLICATION, templates)
        except RenderError as error:
            yield from _told(error, templates.path(f"{name}.mjml.j2"))
        else:
            yield from (replace(problem, path=templates.path(f"{name}.mjml.j2")) for problem in lint(made))


def _post(templates: Templates, name: str) -> Iterator[Problem]:
    from syndicate.render.post import post

    for article in (FULL, BARE):
        try:
            post(edition(Kind.POST, name, article), PUBLICATION, templates, TextRules(), "sample")
        except RenderError as error:
            yield from _told(error, templates.path(f"{name}.txt.j2"))


def _told(error: RenderError, path: str) -> tuple[Problem, ...]:
    """The error as problems, without the sample article that happened to show it."""
    found = error.problems or (Problem(path=path, message=error.message, hint=error.hint, code="render.template"),)
    return tuple(replace(problem, message=problem.message.partition(" (article ")[0]) for problem in found)
