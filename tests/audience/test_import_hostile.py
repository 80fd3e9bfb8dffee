"""Files that were made to break an import, or by hand: one bad row is one refused row with its line."""

import gzip
import json
import os
import tracemalloc
import zipfile
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syndicate.audience.bundle import parts
from syndicate.audience.cells import guarded, unguarded
from syndicate.audience.layout import Basis
from syndicate.audience.records import Records, Row
from syndicate.audience.source import NotReadableError
from syndicate.model.people import Standing
from tests.audience.importing import NOW, Reading
from tests.audience.test_reading import HOSTILE


def read(path: Path) -> list[Row]:
    return [row for part in parts(path, path.name) for row in Records(part, Basis(now=NOW))]


@pytest.mark.parametrize("cell", HOSTILE)
@pytest.mark.parametrize("name", ["people.csv", "people.jsonl"])
def test_a_hostile_address_is_one_refused_row(tmp_path: Path, cell: str, name: str) -> None:
    if name == "people.csv":
        rows = f"email\tname\nfirst@x.test\tA\n{cell}\tB\nlast@x.test\tC\n"
    else:
        address = cell.strip('"').replace('""', '"')
        rows = "\n" + "".join(json.dumps({"email": one}) + "\n" for one in ("first@x.test", address, "last@x.test"))
    found = Reading(tmp_path, rows, name)
    assert [one.address for one in found.newcomers] == ["first@x.test", "last@x.test"]
    assert list(found.refused) == [3]
    assert found.refused[3]


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("<a@x.test>", "a@x.test"),
        ("a@х.test", "a@xn--u1a.test"),
        ("a@faß.de", "a@xn--fa-hia.de"),
        ("A@X.TEST", "A@x.test"),
        ("a+b@x.test", "a+b@x.test"),
    ],
)
def test_an_odd_address_that_is_one_is_taken(tmp_path: Path, cell: str, address: str) -> None:
    assert Reading(tmp_path, f"email\n{cell}\n").only.address == address


def test_a_role_is_refused_unless_it_is_asked_for(tmp_path: Path) -> None:
    text = "email\npostmaster@x.test\n"
    assert Reading(tmp_path, text).refused == {
        2: "the address belongs to a duty and not to a person; --roles takes it all the same"
    }
    assert Reading(tmp_path, text, roles=True).only.address == "postmaster@x.test"
    left = Reading(tmp_path, "email,status\npostmaster@x.test,unsubscribed\n")
    assert left.only.state is Standing.UNSUBSCRIBED


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("\t=1+1", "=1+1"),
        ("Robert'); DROP TABLE subscriber;--", "Robert'); DROP TABLE subscriber;--"),
        ("{{ 7*7 }}", "{{ 7*7 }}"),
        ("A\r\nBcc: v@x.test", "A Bcc: v@x.test"),
        ("A\x1b[31m\x00B", "A[31mB"),
        ("A\u202egnp.exe", "Agnp.exe"),
        ("half \ud83d of a face", "half  of a face"),
    ],
)
def test_a_name_is_text_on_one_line(tmp_path: Path, name: str, read: str) -> None:
    row = json.dumps({"email": "a@x.test", "name": name, "note": name, name: "x"})
    found = Reading(tmp_path, f"{row}\n", "people.jsonl")
    assert (found.only.name, found.only.fields["note"]) == (read, read)
    assert all(key.isprintable() and key.encode() for key in found.only.fields)


def test_a_name_tag_or_field_of_excessive_length_is_not_used(tmp_path: Path) -> None:
    long = "x" * 300
    found = Reading(tmp_path, f"email,name,tags,{long}\na@x.test,{long},{long},1\n")
    assert (found.only.name, found.only.tags, found.only.fields) == ("", (), {})
    assert found.notes == {
        2: "the name has more than 255 characters and is not used; 1 of the tags are too long or too many, and not used"
    }


def test_a_cell_of_excessive_length_refuses_its_row_and_no_other(tmp_path: Path) -> None:
    found = Reading(tmp_path, f"email,note\na@x.test,{'x' * 10_001}\nb@x.test,B\n")
    assert (found.refused, found.only.address) == ({2: "a cell has more than 8,192 characters"}, "b@x.test")


@pytest.mark.parametrize("name", ["people.csv", "people.jsonl"])
def test_a_line_without_end_refuses_itself_in_constant_memory(tmp_path: Path, name: str) -> None:
    head, row = (
        ("email,note\n", "b@x.test,B\n")
        if name == "people.csv"
        else ('{"email":"a@x.test"}\n', '{"email":"b@x.test"}\n')
    )
    with (tmp_path / name).open("w") as file:
        file.write(head)
        for _ in range(30):
            file.write("x" * 1_000_000)
        file.write(f"\n{row}")
    tracemalloc.start()
    try:
        (part,) = parts(tmp_path / name, name)
        rows = list(Records(part, Basis(now=NOW)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [row.line for row in rows if isinstance(row.found, str)] == [2]
    assert rows[-1].who == "b@x.test"
    assert peak < 20_000_000


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    rows = "".join(f"r{number}@x.test,Reader {number}\n" for number in range(20_000))
    found = Reading(tmp_path, f'email,name\n"a@x.test,Ada\n{rows}')
    assert len(found.newcomers) == 20_000
    assert found.refused == {2: "a quote is not closed, or text follows the closing quote"}


def test_short_rows_blank_ones_and_trailing_commas_are_read_and_a_comment_is_refused(tmp_path: Path) -> None:
    found = Reading(tmp_path, "email,name,city\n\na@x.test\n,,\n# a comment\nb@x.test,B,C,,\n")
    assert [one.address for one in found.newcomers] == ["a@x.test", "b@x.test"]
    assert list(found.refused) == [5]


def test_a_row_with_a_cell_too_many_may_hide_a_no_and_is_refused(tmp_path: Path) -> None:
    found = Reading(tmp_path, "email,name\na@x.test,Okafor, Ada\nb@x.test,B\n")
    assert found.refused == {2: "3 cells where the header has 2; is a separator not in quotes?"}
    assert found.only.address == "b@x.test"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_line_ends_and_separators_are_told_apart(
    tmp_path: Path, encoding: str, end: str, separator: str
) -> None:
    text = end.join(["email,name", "zoe@x.test,Zoë", "a@x.test,Ada", ""]).replace(",", separator)
    found = Reading(tmp_path, text.encode(encoding))
    assert [(one.address, one.name) for one in found.newcomers] == [("zoe@x.test", "Zoë"), ("a@x.test", "Ada")]


@pytest.mark.parametrize(
    ("date", "reason"),
    [
        ("31/02/2026", "consent_date: '31/02/2026' is no date; there is no such day or time"),
        ("1970-01-01", "consent_date: '1970-01-01' is before there were newsletters"),
        ("2031-01-01", "consent_date: '2031-01-01' is in the future"),
    ],
)
def test_a_date_of_consent_that_cannot_be_is_no_consent(tmp_path: Path, date: str, reason: str) -> None:
    found = Reading(tmp_path, f"email,consent_source,consent_date\na@x.test,form,{date}\nb@x.test,form,2025-01-01\n")
    assert (found.refused, found.only.address) == ({2: reason}, "b@x.test")


def test_a_bad_date_never_keeps_a_no_out(tmp_path: Path) -> None:
    found = Reading(tmp_path, "email,status,consent_date,unsubscribed_at\na@x.test,unsubscribed,never,31/02/2026\n")
    assert found.only.state is Standing.UNSUBSCRIBED


def test_a_date_of_joining_that_cannot_be_read_gives_way_to_the_importers(tmp_path: Path) -> None:
    text = "email,created_at\na@x.test,1/3/23\n"
    assert Reading(tmp_path, text).refused == {2: "created_at: '1/3/23' could be two dates; write it like 2023-03-01"}
    assert Reading(tmp_path, text, source="form", given=NOW).only.grounds.given == NOW


def test_a_column_cannot_confirm_anybody_nor_name_a_list(tmp_path: Path) -> None:
    found = Reading(tmp_path, "email,status,list\na@x.test,confirmed,board\n")
    assert (found.only.grounds.source, found.only.grounds.given) == ("", None)
    (row,) = found.rows
    assert not isinstance(row.found, str)
    assert (row.found.list, found.only.fields) == ("", {"list": "board"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"one,two\nx,y\n", "no column is named email (found: one, two)"),
        (b"email,Email\na@x.test,b@x.test\n", "two columns are named email"),
        (b",".join([b"email"] + [b"c"] * 10_000), "the header has 10,001 columns"),
        (b"\xd0\xcf\x11\xe0rest", "this is an old Excel workbook, not CSV"),
        (gzip.compress(b"email\n" * 99, mtime=0), "this is a compressed file, not CSV"),
        (b"\n<!doctype html><html>", "this is a web page, not CSV"),
        (b"PK\x03\x04rest", "this ZIP archive is damaged (File is not a zip file)"),
        (b'[{"email": "a@x.test"}]', "this is one JSON list"),
        ("email\na@x.test\n".encode("utf-16")[2:], "no column is named email (found: email)"),
    ],
)
def test_a_file_that_is_no_list_says_so(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "people.csv").write_bytes(content)
    with pytest.raises(NotReadableError) as caught:
        read(tmp_path / "people.csv")
    assert caught.value.args[0] == reason
    assert caught.value.args[1]


def test_archives_that_hold_no_list_say_so(tmp_path: Path) -> None:
    cases = {
        "[Content_Types].xml": (b"<x/>", "this is an Excel workbook, not CSV"),
        "notes.pdf": (b"%PDF", "there is no CSV or JSONL file in this ZIP archive"),
        "bomb.csv": (
            b"\0" * 5_000_000,
            "bomb.csv in this ZIP archive is no list of people: it unpacks to more than 200",
        ),
    }
    for name, (content, reason) in cases.items():
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        with pytest.raises(NotReadableError) as caught:
            parts(tmp_path / "a.zip", "a.zip")
        assert caught.value.args[0].startswith(reason)


def test_a_damaged_archive_says_so_when_it_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", "email\n" + "".join(f"r{number}@x.test\n" for number in range(5000)))
    damaged = bytearray((tmp_path / "a.zip").read_bytes())
    damaged[2000:2100] = bytes(100)
    (tmp_path / "a.zip").write_bytes(damaged)
    (part,) = parts(tmp_path / "a.zip", "a.zip")
    with pytest.raises(NotReadableError, match="this ZIP archive is damaged"):
        list(Records(part, Basis(now=NOW)))


def test_what_is_no_file_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(NotReadableError, match="this is not a file"):
            parts(path, "x")
    with pytest.raises(FileNotFoundError):
        parts(tmp_path / "missing.csv", "x")


def test_json_that_is_none_refuses_its_line(tmp_path: Path) -> None:
    found = Reading(
        tmp_path,
        '{"email": "a@x.test"}\n{"email": \n[1]\n{}\n' + "[" * 100_000 + '\n{"name": "x"}\n{"email": ["b@x.test"]}\n'
        + json.dumps({"email": "c@x.test"} | {f"k{number}": 1 for number in range(70)}) + '\n{"email": "d@x.test"}\n',
        "people.jsonl",
    )  # fmt: skip
    assert [one.address for one in found.newcomers] == ["a@x.test", "d@x.test"]
    assert list(found.refused) == [2, 3, 4, 5, 6, 7, 8]
    assert found.refused[8] == "the header has 71 columns"


def test_rows_pass_through_and_do_not_stay_in_memory(tmp_path: Path) -> None:
    with (tmp_path / "people.csv").open("w") as file:
        file.write("email,name,note\n")
        file.writelines(f"reader.{number}@x.test,Reader {number},{'x' * 600}\n" for number in range(6_000))
    (part,) = parts(tmp_path / "people.csv", "people.csv")
    tracemalloc.start()
    try:
        rows = iter(Records(part, Basis(now=NOW)))
        assert sum(1 for _ in islice(rows, 1000)) == 1000
        _, early = tracemalloc.get_traced_memory()
        assert sum(1 for _ in rows) == 5_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * early


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1-1", "'+1-1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1+1", "'\t=1+1"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("  =1", "'  =1"),
        ("＝1+1", "'＝1+1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠x", "'＠x"),
        ("'=1", "''=1"),
        ("Ada", "Ada"),
        ("O'Neil", "O'Neil"),
        ("'quoted'", "'quoted'"),
        ("1-2", "1-2"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_takes_for_a_formula_is_guarded(cell: str, shown: str) -> None:
    assert guarded(cell) == shown
    assert unguarded(shown) == cell


@given(st.text(st.sampled_from("'=+-@\t\r\n ＝a")))
def test_guarding_loses_nothing_and_leaves_no_formula(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert guarded(cell).lstrip()[:1] not in set("=+-@＝＋－＠")


WORDS = [
    "\r\n",
    "email",
    "name",
    "status",
    "a@x.test",
    "b@x.test",
    "unsubscribed",
    "sep=",
    "\ufeff",
    '{"email":',
    "}",
    "[",
]
PIECES = st.sampled_from([*',;\t\n\r" \0@<>=é', *WORDS])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.lists(PIECES, max_size=40).map(lambda cells: "".join(cells).encode()), st.binary(max_size=80))
)
def test_no_content_whatever_ends_in_anything_but_rows_or_a_reason(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "people.csv").write_bytes(content)
    with suppress(NotReadableError):
        assert all(row.found for row in read(tmp_path / "people.csv"))
