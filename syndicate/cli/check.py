"""`check`: every problem of articles, templates and configuration, with where it is and how to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syndicate import __version__
from syndicate.cli.output import Output, counted
from syndicate.cli.session import session
from syndicate.errors import ConfigError, SyndicateError, Unsupported
from syndicate.model import Article, Problem, Severity

if TYPE_CHECKING:
    from syndicate.app import App

SARIF_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.REPAIRED: "note"}
EXIT_FOUND = 1
#: What belongs to a whole file is shown after what has a line.
MOST_LINES = 1 << 30


class Format(StrEnum):
    """How the problems are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


def check(
    context: typer.Context,
    paths: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]…", help="Only these articles.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Write certain repairs back; no other byte changes.")] = False,
    form: Annotated[Format, typer.Option("--format", help="text, json or sarif.")] = Format.TEXT,
    online: Annotated[bool, typer.Option("--online", help="Also fetch the pictures that may be fetched.")] = False,
) -> None:
    """Articles, templates and configuration: every problem, why it is one, and how to mend it."""
    now = session(context)
    app = now.app()
    out = Output(as_json=now.out.as_json or form is not Format.TEXT, quiet=now.out.quiet, verbose=now.out.verbose)
    mends = mend_all(app, paths, out) if fix else []
    problems, articles = article_problems(app, paths, online=online)
    if not paths:
        problems = [*app.loaded.problems, *project_problems(app), *problems]
    out.data(sarif(problems) if form is Format.SARIF else {"problems": problems, "mended": mends})
    for problem in mends:
        out.columns([(problem.where, "mended", problem.message)], styles=["", "green"])
    for problem in problems:
        out.problem(problem)
    conclusion(out, problems, articles, len(mends))
    if any(problem.severity is not Severity.REPAIRED for problem in problems):
        raise typer.Exit(EXIT_FOUND)


def article_problems(app: App, paths: Sequence[Path] | None, *, online: bool = False) -> tuple[list[Problem], int]:
    """The problems of these files, or of the whole library, and how many articles were read."""
    library = app.library()
    catalogues = [library.read(path) for path in paths] if paths else [library.load()]
    articles = [article for one in catalogues for article in one.articles]
    problems = [problem for one in catalogues for problem in one.problems]
    problems += filter(None, map(undescribed, articles))
    if online:
        problems += library.fetch_pictures(articles, anew=True)
    return sorted(problems, key=lambda problem: (problem.path, problem.line or MOST_LINES)), len(articles)


def undescribed(article: Article) -> Problem | None:
    """A picture that somebody who cannot see it learns nothing about (WCAG 2.2, 1.1.1)."""
    if not article.hero_image or article.hero_alt:
        return None
    return Problem(
        article.path,
        "the hero image has no description; the title stands in for it",
        Severity.WARNING,
        hint="write one: `heroAlt: what there is to see`",
        code="picture.alt",
    )


def project_problems(app: App) -> list[Problem]:
    """What is wrong with accounts, templates and audiences."""
    from syndicate.app import check_accounts
    from syndicate.editions import compliance
    from syndicate.editions.drafts import check_support
    from syndicate.render import sample
    from syndicate.returns.intake import check_feedback

    problems = check_accounts(app)
    for channel in app.channels():
        try:
            check_support(app, channel)
        except Unsupported as error:
            line, column = app.loaded.position(("channels", channel.name, "account"))
            message = f"channels.{channel.name}: {error.message}"
            problems.append(Problem(app.loaded.shown, message, line=line, column=column, hint=error.hint))
        except ConfigError:
            continue  # an adapter that there is not; `check_accounts` has said so
    for channel in app.channels():
        problems += [problem for problem in compliance.lacks(app, channel) if problem not in problems]
    problems += check_feedback(app)
    for template in sorted({channel.template for channel in app.channels()}):
        problems += sample.check(app.templates(), template)
    for audience in sorted({channel.audience for channel in app.channels()} - {""}):
        problems += audience_problems(app, audience)
    for channel in app.channels():
        if compliance.asks_for_grounds(app, channel) and not any(
            map(compliance.documented, app.readers(channel.audience))
        ):
            problems.append(compliance.no_grounds(app, channel))
    return problems


def audience_problems(app: App, name: str) -> list[Problem]:
    """What is wrong with the rows of an audience."""
    readers = app.readers(name)
    readers.count()  # its problems are known when all rows have passed
    return list(readers.problems)


def mend_all(app: App, paths: Sequence[Path] | None, out: Output) -> list[Problem]:
    """Writes the certain repairs back; returns what was mended."""
    repaired = [problem for problem in article_problems(app, paths)[0] if problem.severity is Severity.REPAIRED]
    done = {path for path in sorted({problem.path for problem in repaired}) if mended(app.root / path, out)}
    return [problem for problem in repaired if problem.path in done]


def mended(path: Path, out: Output) -> bool:
    """Mends one file; one that cannot be written stops only itself."""
    from syndicate.content.mend import mend

    try:
        return mend(path) is not None
    except OSError as error:
        out.error(SyndicateError(f"{path}: {error.strerror}", hint="Its folder has to be writable for you."))
        return False


def conclusion(out: Output, problems: Sequence[Problem], articles: int, mended: int) -> None:
    """`3 problems in 2 articles: 2 can be mended (syndicate check --fix), 1 needs you.`."""
    counts = Counter(problem.severity for problem in problems)
    if mended:
        out.say(f"{mended} mended.", "green")
    if not problems:
        out.say(f"No problems in {counted(articles, 'article')}. Next: syndicate plan", "green")
        return
    needs = len(problems) - counts[Severity.REPAIRED]
    parts = [f"{counts[Severity.REPAIRED]} can be mended (syndicate check --fix)"] * bool(counts[Severity.REPAIRED])
    parts += [f"{needs} need{'s' if needs == 1 else ''} you"] * bool(needs)
    paths = {problem.path for problem in problems}
    what = "article" if all(path.endswith(".md") for path in paths) else "file"
    out.say(f"{counted(len(problems), 'problem')} in {counted(len(paths), what)}: {', '.join(parts)}.")


def sarif(problems: Sequence[Problem]) -> dict[str, Any]:
    """The problems as SARIF 2.1.0 (OASIS), which code hosts show beside the lines."""
    tool = {"driver": {"name": "syndicate", "version": __version__, "rules": [{"id": i} for i in rule_ids(problems)]}}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": tool, "results": [sarif_result(problem) for problem in problems]}],
    }


def rule_ids(problems: Sequence[Problem]) -> list[str]:
    """The names of the rules that were broken."""
    return sorted({problem.code or problem.severity.value for problem in problems})


def sarif_result(problem: Problem) -> dict[str, Any]:
    """One problem as a SARIF result; lines and columns count from 1 there too."""
    location: dict[str, Any] = {"artifactLocation": {"uri": problem.path}}
    if problem.line:
        location["region"] = {"startLine": problem.line, "startColumn": max(problem.column, 1)}
    text = f"{problem.message} {problem.hint}".strip()
    return {
        "ruleId": problem.code or problem.severity.value,
        "level": SARIF_LEVEL[problem.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    }
