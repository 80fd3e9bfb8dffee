"""A digest to a stored list, from the command line: who gets it, who does not and why, and who is forgotten."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.project import MONDAY, Project

KEY = "weekly-digest/2025-03-10T09:00"
PROVEN = ("--consent-source", "sign-up sheet", "--consent-date", "2024-05-01")
STORED = """readers: {list: weekly, segment: 'tag:python and not country = "DE"'}"""
SQLITE_FILES = {"syndicate.db", "syndicate.db-wal", "syndicate.db-shm"}


def add(project: Project, name: str, *more: str, proof: Sequence[str] = PROVEN) -> None:
    said = project.syndicate("audience", "add", f"{name}@example.org", "--list", "weekly", *proof, *more)
    assert said.status == 0, said.err


@pytest.fixture
def weekly(project: Project) -> Project:
    """Two who get it, and one of each kind who does not."""
    project.configure(("readers: {csv: config/readers.csv}", STORED))
    add(project, "Ada", "--name", "Ada", "--tag", "Python", "--field", "country=IN")
    add(project, "bob", "--tag", "python")
    add(project, "dora", "--tag", "python", "--field", "country=DE")
    add(project, "pending", "--tag", "python", proof=())
    add(project, "left", "--tag", "python")
    assert project.syndicate("audience", "remove", "left@example.org", "--list", "weekly").status == 0
    add(project, "bounced", "--tag", "python")
    project.syndicate("audience", "suppress", "bounced@example.org", "--reason", "bounced")
    return project


def run(project: Project, *more: str) -> None:
    said = project.syndicate("run", "--once", "--at", MONDAY, *more)
    assert said.status == 0, said.err


def manifest(folder: Path) -> dict[str, str]:
    lines = map(json.loads, (folder / "manifest.jsonl").read_text("utf-8").splitlines())
    return {line["recipient"]: line["sha256"] for line in lines if line["edition"] == KEY}


def database(project: Project) -> bytes:
    return (project.folder / "var" / "syndicate.db").read_bytes()


def test_a_dry_run_shows_the_very_bytes_that_are_sent_and_changes_nothing(weekly: Project) -> None:
    before = database(weekly)
    said = weekly.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "dry")
    assert said.status == 0, said.err
    assert weekly.syndicate("preview", "weekly-digest", "--at", MONDAY, "--out", "proofs").status == 0
    assert database(weekly) == before
    run(weekly)
    sent = weekly.syndicate("editions", "show", KEY, "--json").json["deliveries"]
    assert [one["recipient"] for one in sent] == ["Ada@example.org", "bob@example.org"]
    assert [one["state"] for one in sent] == ["sent", "sent"]
    assert {one["recipient"]: one["sha256"] for one in sent} == manifest(weekly.folder / "dry")
    assert manifest(weekly.folder / "proofs") == manifest(weekly.folder / "dry")


def test_those_left_out_are_counted_and_why_tells_of_each(weekly: Project) -> None:
    run(weekly)
    shown = weekly.syndicate("editions", "show", KEY).out
    for line in ("1 reader  bounced", "1 reader  has not confirmed", "1 reader  is not in the segment", "unsubscribed"):
        assert line in shown
    add(weekly, "late", "--tag", "python")
    for name, why in {
        "dora": "is not in the segment",
        "pending": "has not confirmed",
        "left": "unsubscribed",
        "bounced": "bounced",
        "nobody": "is not on the list weekly",
        "late": "after the edition was entered",
    }.items():
        said = weekly.syndicate("why", KEY, f"{name}@example.org")
        assert said.status == 0
        assert "left out" in said.out
        assert why in said.out
    assert "sent" in weekly.syndicate("why", KEY, "ADA@example.org").out


def test_plan_counts_the_readers_and_makes_no_database(project: Project) -> None:
    project.configure(("readers: {csv: config/readers.csv}", STORED))
    said = project.syndicate("plan", "--at", MONDAY, "--json").json
    assert [one["readers"] for one in said["channels"] if one["channel"] == "weekly-digest"] == [0]
    assert not (project.folder / "var" / "syndicate.db").exists()
    add(project, "ada", "--tag", "python")
    said = project.syndicate("plan", "--at", MONDAY, "--json").json
    assert [one["readers"] for one in said["channels"] if one["channel"] == "weekly-digest"] == [1]


def test_a_list_of_nobody_uses_up_no_article(project: Project) -> None:
    project.configure(("readers: {csv: config/readers.csv}", STORED))
    add(project, "ada", "--tag", "python", proof=())
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 1
    assert "the audience readers has no reader" in said.out + said.err
    add(project, "ada")
    run(project)
    assert [one["state"] for one in project.syndicate("editions", "show", KEY, "--json").json["deliveries"]] == ["sent"]


def test_the_guards_hold_for_a_list(weekly: Project) -> None:
    weekly.configure(("    audience: readers\n", "    audience: readers\n    max_recipients: 1\n"))
    said = weekly.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 3
    assert "more than 1 recipients" in said.out + said.err
    assert weekly.syndicate("editions", "show", KEY).status == 2


def test_who_comes_in_voids_an_approval_and_who_leaves_does_not(weekly: Project) -> None:
    weekly.configure(("approval: none ", "approval: required "))
    weekly.syndicate("run", "--once", "--at", MONDAY)
    weekly.syndicate("audience", "remove", "bob@example.org")
    add(weekly, "eve", "--tag", "python")
    said = weekly.syndicate("editions", "approve", KEY)
    assert said.status == 3
    assert "audiences.readers" in said.err
    weekly.syndicate("audience", "remove", "ada@example.org")
    assert weekly.syndicate("editions", "approve", KEY).status == 0
    run(weekly)
    found = weekly.syndicate("editions", "show", KEY, "--json").json["deliveries"]
    assert {one["recipient"]: (one["state"], one["reason"][:12]) for one in found} == {
        "Ada@example.org": ("skipped", "unsubscribed"),
        "eve@example.org": ("sent", "written, 227"),
    }


def test_an_erased_reader_is_nowhere_and_stays_away(weekly: Project) -> None:
    run(weekly)
    person = weekly.syndicate("audience", "show", "ADA@example.org", "--json").json
    assert person["subscriber"]["name"] == "Ada"
    assert [one["edition"] for one in person["deliveries"]] == [KEY]
    assert [one["what"] for one in person["consents"]] == ["imported"]
    said = weekly.syndicate("audience", "erase", "ADA@example.org", "--yes", "--json").json
    assert (said["erased"][0]["erasure"]["deliveries"], said["erased"][0]["files"]) == (1, [])
    for path in (weekly.folder / "var").rglob("*"):
        assert not path.is_file() or b"ada@example.org" not in path.read_bytes().lower(), path
    add_again = weekly.syndicate("audience", "add", "ada@example.org", "--list", "weekly", *PROVEN)
    assert "asked to be forgotten" in add_again.out
    assert "asked to be forgotten" in weekly.syndicate("why", KEY, "ada@example.org").out
    shown = weekly.syndicate("editions", "show", KEY, "--json").json
    assert shown["edition"]["counts"]["sent"] == 2


def test_a_file_brings_no_erased_reader_back(project: Project) -> None:
    readers = project.folder / "config" / "readers.csv"
    readers.write_text("email\nada@example.org\nADA@example.org\nbob@example.org\n", "utf-8")
    project.syndicate("audience", "erase", "ada@example.org", "--yes")
    project.syndicate("audience", "suppress", "bob@example.org")
    readers.write_text(readers.read_text("utf-8") + "cleo@example.org\n", "utf-8")
    run(project)
    found = project.syndicate("editions", "show", KEY, "--json").json
    assert {one["recipient"]: one["state"] for one in found["deliveries"]} == {
        "bob@example.org": "skipped",
        "cleo@example.org": "sent",
    }
    assert all(one["who"].startswith("hmac:") for one in found["left_out"])
    assert len(found["left_out"]) == 2
    assert b"ada@example.org" not in database(project).lower()


def test_reports_of_imports_forget_too_and_other_files_are_named(weekly: Project) -> None:
    reports = weekly.folder / "var" / "imports"
    reports.mkdir(parents=True)
    (reports / "people.csv.report.csv").write_text("line,who\n2,Ada@example.org\n3,bob@example.org\n", "utf-8")
    (weekly.folder / "var" / "mine.txt").write_text("ada@example.org", "utf-8")
    said = weekly.syndicate("audience", "erase", "ada@example.org", "--yes", "--json").json
    assert (reports / "people.csv.report.csv").read_text("utf-8") == "line,who\n3,bob@example.org\n"
    assert said["erased"][0]["files"] == ["var/mine.txt"]


def test_nobody_is_erased_without_being_asked(weekly: Project) -> None:
    said = weekly.syndicate("audience", "erase", "ada@example.org")
    assert said.status == 2
    assert "--yes" in said.err
    assert weekly.syndicate("audience", "show", "ada@example.org", "--json").json["subscriber"] is not None


def test_lists_are_shown_with_their_counts(weekly: Project) -> None:
    (weekly_list,) = weekly.syndicate("audience", "list", "--json").json["lists"]
    assert weekly_list == {
        "list": "weekly",
        "mailable": 3,
        "counts": {"pending": 1, "active": 4, "unsubscribed": 1},
    }
    assert weekly.syndicate("audience", "list").out.split()[-5:] == ["weekly", "1", "4", "1", "1"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("add", "ada", "--list", "weekly"), "is not an address"),
        (("add", "ada@example.org", "--list", "so so"), "is not a name"),
        (("add", "ada@example.org", "--list", "weekly", "--field", "x"), "has no ="),
        (("show", "nobody@@example.org"), "is not an address"),
    ],
)
def test_what_cannot_be_understood_changes_nothing(weekly: Project, command: tuple[str, ...], words: str) -> None:
    before = weekly.syndicate("audience", "list").out
    said = weekly.syndicate("audience", *command)
    assert said.status == 2
    assert words in said.err
    assert weekly.syndicate("audience", "list").out == before


def test_a_suppression_is_taken_back(weekly: Project) -> None:
    assert "not suppressed" in weekly.syndicate("audience", "suppress", "bounced@example.org", "--lift").out
    with closing(sqlite3.connect(weekly.folder / "var" / "syndicate.db")) as connection:
        assert connection.execute("SELECT person, list FROM suppression").fetchall() == [("left@example.org", "weekly")]
