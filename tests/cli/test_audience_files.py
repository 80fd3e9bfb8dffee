"""`audience import` and `audience export`, as a person or a script calls them."""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress

from syndicate.app import assemble
from syndicate.audience.store import Subscribers
from tests.project import Project

CONSENT = ("--consent-source", "fair in Pune", "--consent-date", "2025-01-02")
FILE = "email,name\na@x.test,Ada\nb@x.test,=1+1\nbad,X\n"


def write(project: Project, text: str, name: str = "people.csv") -> str:
    (project.folder / name).write_text(text, "utf-8")
    return name


def test_an_import_says_what_became_of_each_row(project: Project) -> None:
    said = project.syndicate("audience", "import", write(project, FILE), "--list", "weekly", *CONSENT)
    assert said.status == 1  # a row was refused
    assert "2  added" in said.out
    assert "1  refused" in said.out
    report = project.folder / "var/imports/people.csv.report.csv"
    assert "var/imports/people.csv.report.csv" in said.out
    assert list(csv.DictReader(io.StringIO(report.read_text("utf-8")))) == [
        {"file": "people.csv", "line": "4", "address": "bad", "outcome": "refused", "reason": "the @ is missing"}
    ]
    assert report.stat().st_mode & 0o077 == 0
    again = project.syndicate("audience", "import", "people.csv", "--list", "weekly", *CONSENT)
    assert "2  unchanged" in again.out


def test_an_import_is_one_json_document(project: Project) -> None:
    text = "email,active_subscription,email_disabled,created_at\na@x.test,false,false,2025-01-01\nb@x.test,,true,\n"
    said = project.syndicate("audience", "import", write(project, text), "--list", "weekly", "--json")
    assert said.status == 0
    assert said.json | {"report": None} == {
        "file": "people.csv",
        "list": "weekly",
        "dry_run": False,
        "recognised": {"people.csv": "Substack"},
        "rows": 2,
        "added": 0,
        "updated": 0,
        "unchanged": 0,
        "pending": 1,
        "unsubscribed": 1,
        "suppressed": 0,
        "erased": 0,
        "unproven": 1,
        "refused": 0,
        "report": None,
        "problems": [],
    }


def test_a_recognised_export_is_named_and_what_lacks_proof_is_explained(project: Project) -> None:
    text = "email,active_subscription,email_disabled,created_at\na@x.test,false,false,2025-01-01\n"
    said = project.syndicate("audience", "import", write(project, text), "--list", "weekly")
    assert "people.csv: recognised as a Substack export" in said.out
    assert "1 row without proof of consent: pending, not mailed." in said.out


def test_a_dry_run_tells_the_same_and_changes_nothing(project: Project) -> None:
    write(project, FILE + "A@x.test,Again\n")
    before = project.files()
    said = project.syndicate("audience", "import", "people.csv", "--list", "weekly", *CONSENT, "--dry-run")
    assert "people.csv:4  refused  bad: the @ is missing" in said.out
    said = project.syndicate("audience", "import", "people.csv", "--list", "weekly", *CONSENT, "--dry-run", "--json")
    assert project.files().keys() - before.keys() <= {"var/secret"}
    real = project.syndicate("audience", "import", "people.csv", "--list", "weekly", *CONSENT, "--json")
    assert said.json | {"dry_run": False, "report": None} == real.json | {"report": None}
    before = project.files()
    said = project.syndicate("audience", "import", "people.csv", "--list", "weekly", *CONSENT, "--dry-run", "--json")
    assert (said.json["added"], said.json["unchanged"]) == (0, 3)
    assert project.files() == before


def test_a_long_list_is_not_taken_without_being_asked_about(project: Project) -> None:
    write(project, "email\n" + "".join(f"r{number}@x.test\n" for number in range(501)))
    said = project.syndicate("audience", "import", "people.csv", "--list", "weekly")
    assert said.status == 2
    assert "nothing was imported: people.csv has more than 500 rows, and nobody can be asked here" in said.err
    assert "--yes" in said.err
    assert not (project.folder / "var/syndicate.db").exists()
    assert (
        project.syndicate("audience", "import", "people.csv", "--list", "weekly", "--yes", "--json").json["rows"] == 501
    )


def test_what_is_missing_is_asked_for(project: Project) -> None:
    write(project, FILE)
    cases = {
        ("people.csv",): "on which list are they to be?",
        ("people.csv", "--list", "two words"): "--list 'two words' is not a name",
        ("people.csv", "--list", "w", "--consent-date", "2025-01-01"): "--consent-date says when; how did they agree?",
        ("people.csv", "--list", "w", "--consent-source", "x", "--consent-date", "31/02/2025"): "is no date",
        ("missing.csv", "--list", "w"): "missing.csv: there is no such file",
        ("seeds", "--list", "w"): "seeds: this is not a file",
    }
    for arguments, message in cases.items():
        said = project.syndicate("audience", "import", *arguments)
        assert (said.status, message in said.err) == (2, True), said


def test_who_was_erased_is_not_brought_back(project: Project) -> None:
    project.syndicate("audience", "import", write(project, FILE), "--list", "weekly", *CONSENT)
    app = assemble(project.folder / "config/syndicate.yaml")
    with closing(app.database()):
        Subscribers(app.database(), app.secrets, app.clock).erase("a@x.test")
    said = project.syndicate("audience", "import", "people.csv", "--list", "weekly", *CONSENT, "--json")
    assert (said.json["erased"], said.json["unchanged"]) == (1, 1)
    exported = project.syndicate("audience", "export").out
    assert "a@x.test" not in exported
    assert "b@x.test" in exported


def test_an_export_is_a_table_or_json_lines_to_a_file_or_a_pipe(project: Project) -> None:
    project.syndicate("audience", "import", write(project, FILE), "--list", "weekly", *CONSENT)
    table = list(csv.DictReader(io.StringIO(project.syndicate("audience", "export", "--list", "weekly").out)))
    assert [(row["email"], row["name"], row["status"]) for row in table] == [
        ("a@x.test", "Ada", "active"),
        ("b@x.test", "'=1+1", "active"),
    ]
    said = project.syndicate("audience", "export", "out.jsonl")
    assert "2 rows in out.jsonl" in said.out
    path = project.folder / "out.jsonl"
    assert [json.loads(line)["name"] for line in path.read_text().splitlines()] == ["Ada", "=1+1"]
    assert path.stat().st_mode & 0o077 == 0
    some = project.syndicate("audience", "export", "--list", "weekly", "--segment", 'name = "Ada"', "--format", "jsonl")
    assert [json.loads(line)["email"] for line in some.out.splitlines()] == ["a@x.test"]


def test_what_cannot_be_exported_says_so(project: Project) -> None:
    project.syndicate("audience", "import", write(project, FILE), "--list", "weekly", *CONSENT)
    cases = {
        ("--list", "daily"): "there is no list 'daily'",
        ("--segment", "tag:x"): "--segment chooses from a list",
        ("--list", "weekly", "--segment", "tag:"): "--segment: ",
        ("--format", "xml"): "--format 'xml' is not known",
        ("--json",): "an export is no single JSON document",
    }
    for arguments, message in cases.items():
        said = project.syndicate("audience", "export", "out.csv", *arguments)
        assert (said.status, message in said.err + said.out) == (2, True), said
        assert not list(project.folder.glob("*out.csv*"))


def test_stdin_may_be_the_file(project: Project) -> None:
    command = [sys.executable, "-m", "syndicate", "audience", "import", "-", "--list", "weekly", *CONSENT, "--json"]
    done = subprocess.run(command, input=FILE.encode(), capture_output=True, cwd=project.folder, check=False)
    assert (done.returncode, json.loads(done.stdout)["added"]) == (1, 2)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, cwd=project.folder, check=False)
    assert json.loads(done.stdout)["problems"][0]["message"] == "there is nobody in it"


def test_an_import_that_was_killed_is_finished_by_running_it_again(project: Project) -> None:
    rows = "".join(f"r{number}@x.test,Reader {number}\n" for number in range(9000))
    write(project, f"email,name\n{rows}")
    command = [
        sys.executable,
        "-m",
        "syndicate",
        "audience",
        "import",
        "people.csv",
        "--list",
        "weekly",
        "--yes",
        *CONSENT,
    ]
    process = subprocess.Popen(command, cwd=project.folder, stdout=subprocess.DEVNULL)
    while process.poll() is None and not taken(project):
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    cut = taken(project)
    assert cut % 1000 == 0
    assert 0 < cut < 9000
    said = project.syndicate("audience", "import", "people.csv", "--list", "weekly", "--yes", *CONSENT, "--json")
    assert (said.json["unchanged"], said.json["added"]) == (cut, 9000 - cut)
    assert taken(project) == 9000


def taken(project: Project) -> int:
    """Members, as another process sees them."""
    path = project.folder / "var/syndicate.db"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM member").fetchone()[0])
    return 0
