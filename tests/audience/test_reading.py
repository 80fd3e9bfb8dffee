"""Files of readers as people bring them: every good row is read, every other one has its reason."""

import gzip
import json
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syndicate.audience.csv import Readers
from syndicate.model import Recipient, Severity


class File:
    """A readers' file in a project of its own, read once."""

    def __init__(self, folder: Path, content: str | bytes) -> None:
        (folder / "readers.csv").write_bytes(content.encode() if isinstance(content, str) else content)
        self.readers = Readers(Path("readers.csv"), folder)
        self.found = list(self.readers)
        self.addresses = [reader.address for reader in self.found]
        self.problems = [f"{problem.where}: {problem.message}" for problem in self.readers.problems]
        self.left_out = [tuple(entry) for entry in self.readers.left_out]


def test_the_starters_readers_are_read_without_a_problem(root: Path) -> None:
    readers = Readers(Path("config/readers.csv"), root)
    assert [(reader.address, reader.name) for reader in readers] == [
        ("ada@example.org", "Ada Okafor"),
        ("ravi@example.net", "Ravi Menon"),
        ("jose@example.com", "José Álvarez"),
    ]
    assert readers.problems == []
    assert readers.left_out == []


def test_other_columns_are_fields_under_simple_names(tmp_path: Path) -> None:
    file = File(tmp_path, "Email Address,First Name,Last Name,Sign-up Form,Empty\na@x.test, Ada ,Okafor,web,\n")
    assert file.found == [
        Recipient("a@x.test", "Ada Okafor", {"first_name": "Ada", "last_name": "Okafor", "sign_up_form": "web"})
    ]


@pytest.mark.parametrize(
    "header",
    ["email", "E-Mail", "e-mail address", "MAIL", " Email Address ", "Courriel", "Eメール", "address", "E-post"],
)
def test_the_column_of_addresses_has_many_names(tmp_path: Path, header: str) -> None:
    assert File(tmp_path, f"note,{header}\nx,a@x.test\n").addresses == ["a@x.test"]


def test_an_address_column_is_no_postal_address_where_there_is_an_email_column(tmp_path: Path) -> None:
    assert File(tmp_path, "address,email\n1 Main St,a@x.test\n").addresses == ["a@x.test"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    text = "name,email\nAda,a@x.test\n".replace(",", separator)
    assert File(tmp_path, text).found == [Recipient("a@x.test", "Ada")]


def test_excels_line_that_names_the_separator_is_obeyed(tmp_path: Path) -> None:
    file = File(tmp_path, "sep=;\nemail;name\na@x.test;Okafor, Ada\nbad;x\n")
    assert file.found == [Recipient("a@x.test", "Okafor, Ada")]
    assert file.problems == ["readers.csv:4: the row is left out: the @ is missing"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_told_apart(tmp_path: Path, encoding: str, end: str) -> None:
    text = f"email,name{end}jose@x.test,José{end}a@x.test,Ada{end}"
    file = File(tmp_path, text.encode(encoding))
    assert file.found == [Recipient("jose@x.test", "José"), Recipient("a@x.test", "Ada")]
    assert file.problems == []


def test_windows_1252_is_read_and_reported_with_its_first_line(tmp_path: Path) -> None:
    file = File(tmp_path, "email,name\na@x.test,Ada\nzoe@x.test,Zoë Œuvre\n".encode("cp1252"))
    assert file.found[1].name == "Zoë Œuvre"
    assert file.problems == ["readers.csv:3: not UTF-8; read as Windows-1252"]
    assert file.readers.problems[0].severity is Severity.WARNING


def test_a_stray_byte_behind_the_first_megabyte_is_found(tmp_path: Path) -> None:
    rows = "".join(f"r{number}@x.test,{'x' * 400}\n" for number in range(3_000))
    file = File(tmp_path, b"email,note\n" + rows.encode() + b"zoe@x.test,Zo\xeb\n")
    assert file.found[-1].fields == {"note": "Zoë"}
    assert file.problems == ["readers.csv:3002: not UTF-8; read as Windows-1252"]


def test_a_list_without_a_header_is_read_and_reported(tmp_path: Path) -> None:
    file = File(tmp_path, "Ada,a@x.test\nRavi,b@x.test\n")
    assert file.found == [Recipient("a@x.test", "Ada"), Recipient("b@x.test", "Ravi")]
    assert file.problems == ["readers.csv:1: there is no header; addresses were looked for in column 2"]


@pytest.mark.parametrize(
    ("cell", "address", "name"),
    [
        (" a@x.test ", "a@x.test", ""),
        ("mailto:a@x.test?subject=x", "a@x.test", ""),
        ("Ada Okafor <a@x.test>", "a@x.test", "Ada Okafor"),
        ('"""Okafor, Ada"" <a@x.test>"', "a@x.test", "Okafor, Ada"),
        ("<a@x.test>", "a@x.test", ""),
        ("A.B+c@X.TEST", "A.B+c@x.test", ""),
        ("a@faß.de", "a@xn--fa-hia.de", ""),
        ("a@х.test", "a@xn--u1a.test", ""),
    ],
)
def test_an_address_is_read_as_people_write_it(tmp_path: Path, cell: str, address: str, name: str) -> None:
    assert File(tmp_path, f"email\n{cell}\n").found == [Recipient(address, name)]


HOSTILE = [
    "a@b@c.test",
    "=?x?q?=41=42collab=40psres.net=3e=20?=foobar@psres.net",
    '"""a\\""b""@x.test"',
    "a b@x.test",
    '"a@x.test\r\nBcc: v@x.test"',
    '"a@x.test,b@y.test"',
    "a@x.test;b@y.test",
    "A <a@x.test> B",
    "a@[127.0.0.1]",
    "a@localhost",
    "a@x",
    "a@-x.test",
    "a@x..test",
    ".a@x.test",
    "a..b@x.test",
    f"{'x' * 65}@x.test",
    f"x@{'a' * 64}.test",
    f"x@{('a' * 60 + '.') * 5}test",
    "a@x.test\0",
    "a@x.test\u200b",
    "-oQ/tmp -X/tmp/x@x.test",
    "-oQ@x.test",
    "a%b@x.test",
    "a!b@x.test",
    "a@x.test.",
    "\u2160@x.test",
    "δοκιμή@π.test",
    "user%40x.test",
    "/etc/x@x.test",
    "a|b@x.test",
    "a`b@x.test",
    "a@x.local",
    "a@x.test\u2028b",
    "@x.test",
    "a@",
    "@",
    "a@x.t_st",
    "a@x.test>",
    "<a@x.test",
    "a@ab--cd.test",
    "a(c)@x.test",
    "a@x.123",
    f"{'é' * 9000}@x.test",
    "= 1+1",
    "'; DROP TABLE x",
]


@pytest.mark.parametrize("cell", HOSTILE)
def test_a_hostile_address_is_one_problem_and_the_others_are_read(tmp_path: Path, cell: str) -> None:
    file = File(tmp_path, f"email\tname\nfirst@x.test\tA\n{cell}\tB\nlast@x.test\tC\n")
    assert file.addresses == ["first@x.test", "last@x.test"]
    (problem,) = file.problems
    assert problem.startswith("readers.csv:3: the row is left out: ")
    ((who, reason),) = file.left_out
    assert who.isprintable()
    assert reason in problem


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("+1-1", "+1-1"),
        ("@SUM(1)", "@SUM(1)"),
        ("\t=1+1", "=1+1"),
        ("＝1+1", "＝1+1"),
        ("Robert'); DROP TABLE subscriber;--", "Robert'); DROP TABLE subscriber;--"),
        ("{{ 7*7 }}", "{{ 7*7 }}"),
        ('"A"\nB', '"A" B'),
        ("A\x1b[31m\x00B", "A[31mB"),
        ("A\u202egnp.exe", "Agnp.exe"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_a_name_is_text_on_one_line_and_nothing_else(tmp_path: Path, name: str, read: str) -> None:
    quoted = name.replace('"', '""')
    file = File(tmp_path, f'email,name\na@x.test,"{quoted}"\n')
    assert file.found == [Recipient("a@x.test", read)]
    assert file.problems == []


def test_a_name_that_no_header_could_hold_is_not_used_and_its_reader_kept(tmp_path: Path) -> None:
    file = File(tmp_path, f"email,name\na@x.test,{'x' * 300}\n")
    assert file.found == [Recipient("a@x.test", "")]
    assert file.problems == ["readers.csv:2: the name has more than 255 characters and is not used"]


def test_an_address_that_differs_in_case_only_is_the_same_reader(tmp_path: Path) -> None:
    file = File(tmp_path, "email\nada@x.test\nADA@X.TEST\nada+news@x.test\nAda@x.test\n")
    assert file.addresses == ["ada@x.test", "ada+news@x.test"]
    assert file.left_out == [
        ("ADA@x.test", "the address stands in an earlier row"),
        ("Ada@x.test", "the address stands in an earlier row"),
    ]
    assert file.problems == []


def test_one_address_a_thousand_times_is_one_entry(tmp_path: Path) -> None:
    file = File(tmp_path, "email\n" + "ada@x.test\n" * 1000)
    assert file.addresses == ["ada@x.test"]
    assert len(file.left_out) == 1


@pytest.mark.parametrize(
    ("column", "value", "mailed"),
    [
        ("status", "active", True),
        ("status", "Subscribed", True),
        ("status", "", True),
        ("status", "unsubscribed", False),
        ("status", "bounced", False),
        ("status", "pending", False),
        ("status", "what is this", False),
        ("state", "Texas", True),
        ("state", "cancelled", False),
        ("subscriber_type", "regular", True),
        ("unsubscribed", "no", True),
        ("unsubscribed", "yes", False),
        ("unsubscribed_at", "2024-01-01", False),
        ("UNSUB_TIME", "2024-01-01", False),
        ("email_disabled", "FALSE", True),
        ("email_disabled", "true", False),
        ("subscribed_to_emails", "false", False),
        ("subscribed_to_emails", "true", True),
        ("subscribed", "2024-01-01", True),
    ],
)
def test_who_said_no_is_not_mailed_whatever_the_column_is_called(
    tmp_path: Path, column: str, value: str, mailed: bool
) -> None:
    file = File(tmp_path, f"email,{column}\na@x.test,{value}\n")
    assert file.addresses == ["a@x.test"] * mailed
    assert len(file.left_out) == (not mailed)
    assert file.problems == []


def test_a_no_in_any_row_counts_for_the_rows_above_it(tmp_path: Path) -> None:
    file = File(tmp_path, "email,status\na@x.test,active\nb@x.test,active\nA@x.test,unsubscribed\n")
    assert file.addresses == ["b@x.test"]
    assert file.left_out == [
        ("a@x.test", "another row says that the address is not to be mailed"),
        ("A@x.test", "status unsubscribed"),
    ]


def test_a_short_row_is_read_and_blank_rows_are_passed_over(tmp_path: Path) -> None:
    file = File(tmp_path, "email,name,city\n\na@x.test\n,,\n   \nb@x.test,B,C,,\n")
    assert file.addresses == ["a@x.test", "b@x.test"]


def test_a_row_with_a_cell_too_many_is_read_if_that_cannot_hide_a_no(tmp_path: Path) -> None:
    file = File(tmp_path, "email,name\na@x.test,Okafor, Ada\nb@x.test,B\n")
    assert file.addresses == ["a@x.test", "b@x.test"]
    assert file.problems == [
        "readers.csv:2: 3 cells where the header has 2; is a separator not in quotes? What no column claims is ignored."
    ]
    file = File(tmp_path, "email,name,status\na@x.test,Okafor, Ada,unsubscribed\nb@x.test,B,active\n")
    assert file.addresses == ["b@x.test"]


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    rows = "".join(f"r{number}@x.test,Reader {number}\n" for number in range(20_000))
    file = File(tmp_path, f'email,name\n"a@x.test,Ada\n{rows}')
    assert len(file.addresses) == 20_000
    assert file.problems == [
        "readers.csv:2: the row is left out: a quote is not closed, or text follows the closing quote"
    ]


def test_a_quote_that_is_closed_by_the_next_one_costs_one_row(tmp_path: Path) -> None:
    file = File(tmp_path, 'email,name\n"a@x.test,Ada\nb@x.test,B\nc@x.test,"Menon, R."\nd@x.test,D\n')
    assert file.addresses == ["b@x.test", "c@x.test", "d@x.test"]
    assert [problem.split(": ")[0] for problem in file.problems] == ["readers.csv:2"]


def test_a_quoted_line_break_does_not_move_the_line_numbers(tmp_path: Path) -> None:
    file = File(tmp_path, 'email,note\na@x.test,"one\r\ntwo"\nbad,x\n')
    assert file.found == [Recipient("a@x.test", "", {"note": "one two"})]
    assert file.problems == ["readers.csv:4: the row is left out: the @ is missing"]


def test_text_within_a_quoted_cell_never_becomes_a_row(tmp_path: Path) -> None:
    file = File(tmp_path, 'email,name\n"evil\nvictim@x.test,Victim\n",x\na@x.test,A\n')
    assert file.addresses == ["a@x.test"]


def test_a_line_without_end_costs_one_row(tmp_path: Path) -> None:
    file = File(tmp_path, "email,name\na@x.test,A\n" + "x" * 3_000_000 + "\nb@x.test,B\n")
    assert file.addresses == ["a@x.test", "b@x.test"]
    assert file.problems == ["readers.csv:3: the row is left out: the line is longer than 1,000,000 characters"]


def test_a_cell_that_is_too_long_costs_one_row(tmp_path: Path) -> None:
    file = File(tmp_path, f"email,note\na@x.test,{'x' * 10_000}\nb@x.test,B\n")
    assert file.addresses == ["b@x.test"]
    assert file.problems == ["readers.csv:2: the row is left out: a cell has more than 8,192 characters"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", ": there is no reader in it"),
        (b"email,name\n", ": there is no reader in it"),
        (b"one,two\nx,y\n", ": no column is named email (found: one, two)"),
        (b"email,Email\na@x.test,b@x.test\n", ": two columns are named email"),
        (b",".join([b"email"] + [b"c"] * 10_000), ": the header has 10,001 columns"),
        (b"PK\x03\x04rest", ": this is an Excel workbook or a ZIP archive, not CSV"),
        (gzip.compress(b"email\n", mtime=0), ": this is a compressed file, not CSV"),
        (b"\n<!doctype html><html>", ": this is a web page, not CSV"),
        ("email\na@x.test\n".encode("utf-16")[2:], ": no column is named email (found: email)"),
    ],
)
def test_a_file_that_is_no_list_is_one_problem(tmp_path: Path, content: bytes, problem: str) -> None:
    file = File(tmp_path, content)
    assert file.found == []
    assert file.problems == [f"readers.csv{problem}"]


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    file = File(tmp_path, "email,note,Note\na@x.test,one,two\n")
    assert file.found == [Recipient("a@x.test", "", {"note": "two"})]
    assert file.problems == ["readers.csv:1: two columns are named note; the last is used"]


def test_a_role_is_mailed_and_told(tmp_path: Path) -> None:
    file = File(tmp_path, "email\npostmaster@x.test\n")
    assert file.addresses == ["postmaster@x.test"]
    assert file.problems == ["readers.csv:2: postmaster@x.test is a role: did a person sign up with it?"]


def test_what_is_no_file_is_told_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, message in [
        ("missing.csv", "there is no such file"),
        (".", "this is not a file"),
        ("pipe", "this is not a file"),
        ("/dev/zero", "this is not a file"),
    ]:
        readers = Readers(Path(path), tmp_path)
        assert list(readers) == []
        assert [problem.message for problem in readers.problems] == [message]
        assert readers.problems[0].severity is Severity.ERROR


def test_a_file_of_the_wrong_kind_does_not_flood(tmp_path: Path) -> None:
    file = File(tmp_path, "email\n" + "bad\n" * 1500 + "a@x.test\n")
    assert file.addresses == ["a@x.test"]
    assert len(file.problems) == 1001
    assert file.problems[-1] == "readers.csv: 500 more rows have problems"


def test_a_second_pass_starts_anew(tmp_path: Path) -> None:
    readers = File(tmp_path, "email\na@x.test\nbad\n").readers
    assert [reader.address for reader in readers] == ["a@x.test"]
    assert (len(readers.problems), len(readers.left_out)) == (1, 1)


def test_whoever_holds_the_list_of_left_out_rows_sees_it_grow(tmp_path: Path) -> None:
    (tmp_path / "readers.csv").write_text("email\na@x.test\nbad\n")
    readers = Readers("readers.csv", tmp_path)
    later = (who for who, _ in readers.left_out)
    assert len(list(readers)) == 1
    assert list(later) == ["bad"]


def test_the_fingerprint_is_that_of_the_bytes(tmp_path: Path) -> None:
    first = File(tmp_path, "email\na@x.test\n").readers.fingerprint()
    assert len(first) == 64
    assert File(tmp_path, "email\nb@x.test\n").readers.fingerprint() != first
    assert Readers("missing.csv", tmp_path).fingerprint() == ""


def test_the_exports_of_other_services_are_read_as_they_were_meant(shared: Path) -> None:
    folder = shared / "cases" / "subscribers"
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    counts = {}
    for name, want in expected.items():
        readers = Readers(Path(name), folder)
        if "active" in want:
            counts[name] = (sum(1 for _ in readers), want["active"])
    assert len(counts) == 15
    assert {name: found for name, (found, _) in counts.items()} == {name: want for name, (_, want) in counts.items()}


def test_the_hostile_export_loses_only_what_is_no_address(shared: Path) -> None:
    readers = Readers(Path("hostile.csv"), shared / "cases" / "subscribers")
    assert [reader.address.partition("@")[0] for reader in readers] == [
        "ok",
        "a",
        "nea",
        "olle",
        "spaced",
        "postmaster",
        "user",
        "only-one-field",
    ]


def test_readers_pass_through_and_do_not_stay_in_memory(tmp_path: Path) -> None:
    count = 30_000
    with (tmp_path / "readers.csv").open("w") as file:
        file.write("email,name,note\n")
        file.writelines(f"reader.{number}@example.org,Reader {number},{'x' * 600}\n" for number in range(count))
    tracemalloc.start()
    try:
        assert sum(1 for _ in Readers("readers.csv", tmp_path)) == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / count < 300  # bytes; a row as text has 650, and a hash in a set about 100


WORDS = ["\r\n", "email", "name", "status", "a@x.test", "b@x.test", "unsubscribed", "sep=", "\ufeff", "\u2028"]
CELLS = st.sampled_from([*',;\t\n\r" \0@<>=é', *WORDS])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.lists(CELLS, max_size=40).map(lambda cells: "".join(cells).encode()), st.binary(max_size=80))
)
def test_no_content_whatever_raises_and_no_reader_comes_twice(tmp_path: Path, content: bytes) -> None:
    file = File(tmp_path, content)
    assert len({address.lower() for address in file.addresses}) == len(file.addresses)
    assert file.found or file.problems or file.left_out
    assert all(reader.name.isprintable() or "\ufeff" in reader.name for reader in file.found)
