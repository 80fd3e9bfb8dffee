"""`audience import` and `audience export`: people from a file, and into one."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from syndicate.cli.import_meter import meter
from syndicate.cli.output import EXIT_FAILED, Output, counted
from syndicate.cli.session import session
from syndicate.errors import UsageError
from syndicate.whole import replacing_text

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.audience.bundle import Part
    from syndicate.audience.exporting import Line
    from syndicate.audience.importing import Summary
    from syndicate.audience.layout import Basis
    from syndicate.audience.reports import Report
    from syndicate.audience.store import Subscribers

group = typer.Typer(help="The subscribers.", no_args_is_help=True)
STDIO = "-"


@group.command("import")
def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="CSV, JSON lines, or the ZIP file of an export; - for stdin.")],
    where: Annotated[
        str, typer.Option("--list", metavar="LIST", help="Where they go; an export of Syndicate names it itself.")
    ] = "",
    source: Annotated[str, typer.Option("--consent-source", metavar="TEXT", help="How these people agreed.")] = "",
    given: Annotated[str, typer.Option("--consent-date", metavar="DATE", help="When, where no row says it.")] = "",
    tags: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="For each; may be repeated.")] = None,
    roles: Annotated[bool, typer.Option("--roles", help="Also postmaster@ and others that are no person.")] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write what was not taken.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="On a copy: say what would be, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """People from a file; exports of Mailchimp, Substack, beehiiv, Ghost, Kit, Buttondown and listmonk are recognised.

    Nobody becomes active without source and date of consent; who unsubscribed stays so, whatever the file says.
    An import that was cut short is finished by running it again: what was taken before does not change.
    """
    from syndicate.audience.importing import Import
    from syndicate.audience.reports import Report

    now = session(context)
    app = now.app()
    basis = basis_of(app, source, given, tags or (), roles=roles)
    with brought(file) as (path, shown):
        parts = parts_of(path, shown)
        look_first(now.out, shown, parts, basis, where, yes=yes or dry_run)
        remarks = Report(report or (None if dry_run else default_report(app, shown)))
        with store_of(app, dry_run=dry_run) as store, remarks, meter(now.out, shown) as progress:
            summary = Import(store, parts, basis, where, remark=remarks, progress=progress).run()
    show(now.out, shown, where, summary, remarks, dry_run=dry_run)
    if summary.refused or any(problem.severity.value == "error" for problem in summary.problems):
        raise typer.Exit(EXIT_FAILED)


def basis_of(app: App, source: str, given: str, tags: Sequence[str], *, roles: bool) -> Basis:
    """What the options say of all rows. Raises `UsageError`."""
    from syndicate.audience.cells import clean
    from syndicate.audience.dates import read_date
    from syndicate.audience.layout import Basis

    now = app.clock()
    if given and not source:
        raise UsageError("--consent-date says when; how did they agree?", hint="Add --consent-source TEXT.")
    try:
        moment = read_date(given, now) if given else None
    except ValueError as error:
        raise UsageError(f"--consent-date: {error}") from None
    named = tuple(tag for one in tags if (tag := clean(one).lower()))
    return Basis(now=now, source=clean(source), given=moment, tags=named, roles=roles)


@contextmanager
def brought(file: str) -> Iterator[tuple[Path, str]]:
    """(path, name in messages) of the file; what comes by stdin is read twice, and so kept for that long."""
    import shutil
    from tempfile import TemporaryDirectory

    if file != STDIO:
        yield Path(file), Path(file).as_posix()
        return
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        raise UsageError("there is nothing on stdin", hint="Name a file, or pipe one in.")
    with TemporaryDirectory(prefix="syndicate-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        yield path, "stdin"


def parts_of(path: Path, shown: str) -> Sequence[Part]:
    """What is in the file. Raises `UsageError` if that is nothing to import."""
    from syndicate.audience.bundle import parts
    from syndicate.audience.source import NotReadableError

    try:
        return parts(path, shown)
    except NotReadableError as error:
        raise UsageError(f"{shown}: {error.args[0]}", hint=error.args[1]) from None
    except FileNotFoundError:
        raise UsageError(f"{shown}: there is no such file") from None


@contextmanager
def store_of(app: App, *, dry_run: bool) -> Iterator[Subscribers]:
    """The store, or a copy of it to try things out on."""
    from syndicate.app import database_url
    from syndicate.audience.store import Subscribers
    from syndicate.database.scratch import scratch_copy

    if not dry_run:
        yield Subscribers(app.database(), app.secrets, app.clock)
        return
    with scratch_copy(database_url(app.settings), app.root) as database:
        yield Subscribers(database, app.secrets, app.clock)


def look_first(out: Output, shown: str, parts: Sequence[Part], basis: Basis, where: str, *, yes: bool) -> None:
    """Refuses a file without a list to go to, and asks before a long one. Raises `UsageError`."""
    from syndicate.audience.importing import LIST_NAME, MANY, glance

    found = glance(parts, basis)
    if where and not LIST_NAME.fullmatch(where):
        raise UsageError(f"--list {where!r} is not a name", hint="Use letters, digits, - and _, at most 64.")
    if not (where or found.own):
        raise UsageError("on which list are they to be?", hint="Add --list LIST.")
    if found.rows <= MANY or yes:
        return
    if not sys.stdin.isatty() or out.as_json:
        raise UsageError(
            f"nothing was imported: {shown} has more than {MANY} rows, and nobody can be asked here",
            hint="Look with --dry-run, then add --yes if each of these people asked for it.",
        )
    if not typer.confirm(f"About {counted(found.rows, 'row')}. Did each of these people ask to be written to? Import?"):
        out.say("Nothing was imported.")
        raise typer.Exit


def default_report(app: App, shown: str) -> Path:
    """Where the report goes if nobody says."""
    return app.root / "var" / "imports" / f"{Path(shown).name}.report.csv"


def show(out: Output, shown: str, where: str, summary: Summary, report: Report, *, dry_run: bool) -> None:
    """What became of the rows."""
    out.data(document(shown, where, summary, report.path, dry_run=dry_run))
    for part, service in summary.recognised:
        out.say(f"{part}: recognised as {'an' if service[0] in 'AEIOUaeiou' else 'a'} {service} export")
    counts = {**counts_of(summary), "refused": summary.refused}
    out.columns([(f"{number:,}", word) for word, number in counts.items() if number], indent=2, styles=["bold"])
    for problem in summary.problems:
        out.problem(problem)
    out.columns(
        [(f"{one.file}:{one.line}", one.outcome, f"{one.address}: {one.reason}") for one in report.first],
        styles=["", "yellow"],
    )
    if report.path:
        out.say(f"All rows that were not taken or look wrong: {near(report.path)}", "yellow")
    if summary.unproven:
        out.say(
            f"{counted(summary.unproven, 'row')} without proof of consent: pending, not mailed. Where you know how and"
            " when these people agreed, run it again with --consent-source TEXT and --consent-date DATE.",
            "yellow",
        )
    if dry_run:
        out.say("Dry run: nothing was changed.", "yellow")
    out.say(f"Next: syndicate audience export{f' --list {where}' if where else ''}", "dim")


def counts_of(summary: Summary) -> dict[str, int]:
    """Word -> rows."""
    from syndicate.model.people import Taken

    return {"unchanged" if kind is Taken.KNOWN else kind.value: summary.taken.get(kind, 0) for kind in Taken}


def near(path: Path) -> Path:
    """As short as it can be typed from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def document(shown: str, where: str, summary: Summary, report: Path | None, *, dry_run: bool) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "file": shown,
        "list": where,
        "dry_run": dry_run,
        "recognised": dict(summary.recognised),
        "rows": summary.rows,
        **counts_of(summary),
        "unproven": summary.unproven,
        "refused": summary.refused,
        "report": report,
        "problems": summary.problems,
    }


@group.command("export")
def export(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="Where to; - for stdout.")] = STDIO,
    where: Annotated[str, typer.Option("--list", metavar="LIST", help="Only those who are or were on it.")] = "",
    segment: Annotated[str, typer.Option(metavar="EXPRESSION", help="Only these of the list.")] = "",
    form: Annotated[str, typer.Option("--format", metavar="csv|jsonl", help="Else by the file's name, or csv.")] = "",
) -> None:
    """The people as a table or JSON lines, with tags, fields, consent and suppression; `audience import` reads it."""
    now = session(context)
    if now.out.as_json:
        raise UsageError("an export is no single JSON document", hint="Use --format jsonl: a document on each line.")
    chosen = form or ("jsonl" if Path(file).suffix in {".jsonl", ".ndjson"} else "csv")
    if chosen not in {"csv", "jsonl"}:
        raise UsageError(f"--format {form!r} is not known", hint="It is csv or jsonl.")
    app = now.app()
    counter = Counted(lines_of(app, where, segment))
    with opened(file) as target:
        write(app, counter, target, chosen)
    if file != STDIO:
        now.out.say(f"{counted(counter.count, 'row')} in {file}", "bold")


class Counted:
    """Passes lines on, and counts them."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.count = 0

    def __iter__(self) -> Iterator[Line]:
        for line in self._lines:
            self.count += 1
            yield line


def lines_of(app: App, where: str, segment: str) -> Iterator[Line]:
    """What is exported. Raises `UsageError`."""
    from syndicate.audience.exporting import lines, readers, strangers, within
    from syndicate.audience.store import Subscribers
    from syndicate.model.segments import SegmentError

    store = Subscribers(app.database(), app.secrets, app.clock)
    if where and store.count(where) is None:
        names = ", ".join(one.name for one in store.lists())
        raise UsageError(f"there is no list {where!r}", hint=f"The lists are: {names}." if names else "There is none.")
    if not segment:
        yield from lines(store.export(where), where)
        yield from strangers(app.database(), where)
        return
    if not where:
        raise UsageError("--segment chooses from a list", hint="Add --list LIST.")
    zone = app.settings.publication.timezone
    try:
        yield from lines(within(store.export(where), readers(app.database(), where, segment, zone)), where)
    except SegmentError as error:
        raise UsageError(f"--segment: {error}") from None


@contextmanager
def opened(file: str) -> Iterator[TextIO]:
    """Stdout, or a file that is there only when it is whole, and that only its owner can read."""
    if file == STDIO:
        yield sys.stdout
        return
    with replacing_text(Path(file)) as stream:
        yield stream


def write(app: App, lines: Counted, target: TextIO, form: str) -> None:
    """Writes the lines in this format."""
    from syndicate.audience.exporting import field_names, write_lines, write_table

    if form == "jsonl":
        write_lines(lines, target)
    else:
        write_table(lines, field_names(app.database()), target)
