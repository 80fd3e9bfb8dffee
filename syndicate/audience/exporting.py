"""The people of the store as a table or as lines of JSON, streamed; what is exported can be imported as it is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TextIO
from zoneinfo import ZoneInfo

from syndicate.audience.cells import guarded
from syndicate.audience.formats import OWN
from syndicate.audience.records import MOST_OWN_COLUMNS
from syndicate.errors import UsageError
from syndicate.model.people import EVERYWHERE, Consent, Dossier, Membership, Said, Standing
from syndicate.model.segments import parse

if TYPE_CHECKING:
    from syndicate.database.transactions import Database

#: Numbers of one page of a stream.
PAGE = 1000
_AGREED = frozenset({Said.CONFIRMED, Said.IMPORTED})
_FIELDS = "SELECT fields FROM subscriber WHERE fields IS NOT NULL"
#: Addresses of which only that is known: not to be mailed. The erased have none.
_STRANGERS = """
    SELECT person, list, reason FROM suppression
    WHERE person LIKE '%@%' AND NOT EXISTS (SELECT 1 FROM subscriber WHERE subscriber.person = suppression.person)
    ORDER BY person, list
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A person on a list, as it is exported."""

    #: one text for each of `formats.OWN` but `tags`
    cells: Mapping[str, str]
    tags: Sequence[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


def lines(dossiers: Iterable[Dossier], list_name: str = "") -> Iterator[Line]:
    """A line for each membership, or for those of one list; one without a list for who is on none."""
    for dossier in dossiers:
        if (person := dossier.subscriber) is None:
            continue
        if not person.memberships and not list_name:
            yield _line(dossier, None)
        for one in person.memberships:
            if list_name in {"", one.list}:
                yield _line(dossier, one)


def readers(database: Database, list_name: str, segment: str, zone: str) -> Iterator[int]:
    """The numbers of a list's members, in whatever state, who are in a segment; in their order, page by page.

    Raises `SegmentError` for a faulty segment.
    """
    from sqlalchemy import select

    from syndicate.audience.segments import condition
    from syndicate.database.people import member, subscriber

    number = member.c.subscriber
    inside = condition(parse(segment), ZoneInfo(zone))
    query = select(number).select_from(member.join(subscriber)).where(member.c.list == list_name, inside)
    last = 0
    while True:
        with database.reading() as connection:
            page = connection.scalars(query.where(number > last).order_by(number).limit(PAGE)).all()
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]


def within(dossiers: Iterable[Dossier], readers: Iterator[int]) -> Iterator[Dossier]:
    """Those of the people whose numbers are among `readers`; both come in the order of the numbers."""
    wanted = next(readers, None)
    for dossier in dossiers:
        number = dossier.subscriber.reader if dossier.subscriber else 0
        while wanted is not None and wanted < number:
            wanted = next(readers, None)
        if wanted == number:
            yield dossier


def strangers(database: Database, list_name: str = "") -> Iterator[Line]:
    """A line for each address that is not to be mailed and is no subscriber's: who takes the people takes these too."""
    with database.reading() as connection:
        for person, where, reason in connection.exec_driver_sql(_STRANGERS):
            if where in {EVERYWHERE, list_name} or not list_name:
                everywhere = reason if where == EVERYWHERE else ""
                state = Standing.UNSUBSCRIBED
                yield Line({"email": person, "list": where or list_name, "status": state, "suppressed": everywhere})


def field_names(database: Database) -> Sequence[str]:
    """The names of all fields that anybody has, sorted. Raises `UsageError` if a table has no room for them."""
    most = MOST_OWN_COLUMNS - len(OWN)
    names: set[str] = set()
    with database.reading() as connection:  # by hand: json_each gives some names as they are escaped in JSON
        for (fields,) in connection.exec_driver_sql(_FIELDS):
            names |= json.loads(fields).keys()
            if len(names) > most:
                raise UsageError(
                    f"the fields have more than {most} names, too many for the columns of a table",
                    hint="Export as JSON lines: --format jsonl.",
                )
    return sorted(names)


def write_table(found: Iterable[Line], names: Sequence[str], file: TextIO) -> None:
    """Writes CSV (RFC 4180) with a column for each of the fields; every cell is quoted, and none is a formula."""
    table = csv.writer(file, quoting=csv.QUOTE_ALL)
    table.writerow([*OWN, *map(guarded, names)])
    for line in found:
        cells = {**line.cells, "tags": _tags_cell(line.tags)}
        fixed = (guarded(cells.get(name, "")) for name in OWN)
        table.writerow([*fixed, *(guarded(line.fields.get(name, "")) for name in names)])


def write_lines(found: Iterable[Line], file: TextIO) -> None:
    """Writes a JSON object on each line."""
    for line in found:
        cells = {name: line.cells.get(name, "") for name in OWN}
        document = {**cells, "tags": list(line.tags), "fields": dict(line.fields)}
        file.write(json.dumps(document, ensure_ascii=False) + "\n")


def _line(dossier: Dossier, membership: Membership | None) -> Line:
    person = dossier.subscriber
    assert person is not None
    where = membership.list if membership else ""
    out = {one.list: one.reason for one in dossier.suppressions}
    agreed = [one for one in dossier.consents if one.list == where and one.what in _AGREED]
    cells = {
        "email": person.address,
        "name": person.name,
        "list": where,
        "status": Standing.UNSUBSCRIBED if where and where in out else membership.state if membership else "",
        "suppressed": out.get(EVERYWHERE, ""),
        "created_at": _moment(person.created),
        "joined_at": _moment(membership.joined) if membership else "",
        **(_consent_cells(agreed[-1]) if agreed else {}),
    }
    return Line(cells, person.tags, person.fields)


def _consent_cells(consent: Consent) -> dict[str, str]:
    return {
        "consent_date": _moment(consent.given),
        "consent_source": consent.source,
        "consent_wording": consent.wording,
        "consent_evidence": consent.evidence,
        "consent_ip": consent.ip,
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat()


def _tags_cell(tags: Sequence[str]) -> str:
    """`"vip","weekly, digest"`, as Mailchimp writes them."""
    cell = io.StringIO()
    csv.writer(cell, quoting=csv.QUOTE_ALL, lineterminator="").writerow(tags)
    return cell.getvalue() if tags else ""
