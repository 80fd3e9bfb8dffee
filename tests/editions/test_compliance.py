"""A mail that lacks what law and mailbox providers ask for does not leave this machine, and is told what it lacks."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syndicate.app import App, assemble
from syndicate.editions import compliance
from syndicate.editions.drafts import Proof, proofs
from syndicate.model import Letter
from syndicate.pipeline import make_plan
from syndicate.testing.clock import Clock
from syndicate.testing.smtp import SmtpServer
from tests.project import MONDAY, Project

ADDRESS = 'postal_address: "Magick AI, 4th Floor, 12 Example Road, Hyderabad 500081, India"'
DIGEST = "kind: digest                    # one message about many articles, to an audience\n    account: outbox"
CSV = "readers: {csv: config/readers.csv}"
NOON = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
BARE = "email,name\nada@example.org,Ada\nbob@example.org,Bob\n"


@pytest.fixture
def live(project: Project) -> Iterator[tuple[Project, SmtpServer]]:
    """The starter, mailing for real."""
    with SmtpServer() as server:
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"accounts:\n  mail: {{adapter: smtp, host: 127.0.0.1, port: {server.port}, tls: none}}\n"),
            (DIGEST, DIGEST.replace("outbox", "mail")),
        )
        yield project, server


def run(project: Project) -> str:
    """One run that fails; what it said."""
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 1, said
    return said.out


def readers(project: Project, text: str) -> None:
    (project.folder / "config" / "readers.csv").write_text(text, "utf-8")


def rewrite(project: Project, name: str, old: str, new: str) -> None:
    """Changes a template; the piece must be there."""
    path: Path = project.folder / "templates" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_what_is_complete_goes_out(live: tuple[Project, SmtpServer]) -> None:
    project, server = live
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
    assert len(server.journal) == 3
    for mail in server.journal:
        assert b"List-Unsubscribe: <https://" in mail.data
        assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in mail.data


def test_l_01_without_a_postal_address_nothing_is_sent(live: tuple[Project, SmtpServer]) -> None:
    project, server = live
    project.configure((", " + ADDRESS, ""))
    said = run(project)
    assert server.journal == []
    assert "weekly-digest/2025-03-10T09:00 cannot be sent: publication.sender.postal_address is missing" in said
    line = 1 + (project.folder / "config/syndicate.yaml").read_text().splitlines().index(
        "  sender: {name: Magick AI, email: news@example.com}"
    )
    assert f"config/syndicate.yaml:{line}:" in said
    assert "Write `postal_address:" in said


def test_l_01_a_template_that_hides_the_postal_address_is_stopped(live: tuple[Project, SmtpServer]) -> None:
    project, server = live
    rewrite(project, "digest.txt.j2", "publication.postal_address", "publication.name")
    said = run(project)
    assert server.journal == []
    assert "the text part does not show the postal address" in said
    assert "into the template digest" in said


@pytest.mark.parametrize(
    ("name", "piece", "part"),
    [
        ("digest.txt.j2", '{{ slot("unsubscribe") }}', "text"),
        ("digest.mjml.j2", '{{ footer_link("unsubscribe") }}', "HTML"),
    ],
)
def test_d_05_a_part_without_a_way_out_is_stopped(
    live: tuple[Project, SmtpServer], name: str, piece: str, part: str
) -> None:
    project, server = live
    rewrite(project, name, piece, "write to us")
    assert f"the {part} part has no unsubscribe link" in run(project)
    assert server.journal == []


def test_d_20_unsubscribe_links_have_to_be_https(live: tuple[Project, SmtpServer]) -> None:
    project, server = live
    project.configure(("url: https://magick.ai", "url: http://magick.ai"))
    said = run(project)
    assert server.journal == []
    assert "unsubscribe links have to be https" in said
    assert "Set publication.links" in said


def test_l_04_a_file_that_says_nothing_of_consent_is_not_mailed(live: tuple[Project, SmtpServer]) -> None:
    project, server = live
    readers(project, BARE)
    said = run(project)
    assert server.journal == []
    assert "audiences.readers: nothing says that these people asked for mail" in said
    line = 1 + (project.folder / "config/syndicate.yaml").read_text().splitlines().index(f"  {CSV}")
    assert f"config/syndicate.yaml:{line}:" in said


def test_l_04_a_word_for_all_of_them_is_a_basis(live: tuple[Project, SmtpServer]) -> None:
    project, server = live
    readers(project, BARE)
    project.configure((CSV, 'readers: {csv: config/readers.csv, consent: "form on example.com, double opt-in"}'))
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
    assert len(server.journal) == 2


def test_l_04_a_reader_whose_row_says_nothing_is_left_out_and_the_others_are_mailed(
    live: tuple[Project, SmtpServer],
) -> None:
    project, server = live
    readers(
        project,
        "email,name,consent_date,consent_source\nada@example.org,Ada,2024-11-02,form\nbob@example.org,Bob,2024-11-02,\n"
        "eve@example.org,Eve,,form\n",
    )
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
    assert [mail.recipient for mail in server.journal] == ["ada@example.org"]
    assert compliance.UNDOCUMENTED in project.syndicate("why", "weekly-digest/2025-03-10T09:00", "bob@example.org").out


def test_a_dry_run_stops_where_the_run_would(live: tuple[Project, SmtpServer]) -> None:
    project, _ = live
    project.configure((", " + ADDRESS, ""))
    said = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run")
    assert said.status == 1
    assert "postal_address is missing" in said.out


def test_what_stays_on_this_disk_needs_no_consent(project: Project) -> None:
    readers(project, BARE)
    project.configure((", " + ADDRESS, ""))
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0


def test_a_test_mail_to_named_addresses_needs_no_consent(live: tuple[Project, SmtpServer]) -> None:
    project, server = live
    readers(project, BARE)
    said = project.syndicate("send", "weekly-digest", "--at", MONDAY, "--test", "me@example.com", "--yes")
    assert said.status == 0, said
    assert [mail.recipient for mail in server.journal] == ["me@example.com"]


def test_the_check_reports_the_same(live: tuple[Project, SmtpServer]) -> None:
    project, _ = live
    readers(project, BARE)
    project.configure((", " + ADDRESS, ""), ("url: https://magick.ai", "url: http://magick.ai"))
    found = project.syndicate("check", "--json").json["problems"]
    mine = [problem for problem in found if problem["code"] == compliance.CODE]
    assert len(mine) == 3
    assert all(problem["severity"] == "error" and problem["line"] and problem["hint"] for problem in mine)


def test_the_check_of_the_starter_finds_nothing_of_the_kind(project: Project) -> None:
    found = project.syndicate("check", "--json").json["problems"]
    assert not [problem for problem in found if problem["code"] == compliance.CODE]


@pytest.fixture
def app(live: tuple[Project, SmtpServer]) -> Iterator[App]:
    app = assemble(live[0].folder / "config" / "syndicate.yaml", Clock())
    yield app
    app.close()


def test_d_20_a_letter_without_its_headers_is_stopped(app: App) -> None:
    part = next(part for part in make_plan(app, NOON).channels if part.editions)
    (found,) = [one for one in proofs(app, part.editions) if isinstance(one, Proof)]
    letter = found.message
    assert isinstance(letter, Letter)
    assert list(compliance.faults(app, part.channel, letter)) == []
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post"):
        without = replace(letter, headers=tuple(header for header in letter.headers if header[0] != name))
        (fault,) = compliance.faults(app, part.channel, without)
        assert "List-Unsubscribe" in fault.message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Magick AI,\n4th Floor", True),
        ("<p>Magick&nbsp;AI,<br>4th floor</p>", True),
        ("Magick AI", False),
        ("", False),
    ],
)
def test_an_address_is_found_however_its_lines_are_broken(text: str, shown: bool) -> None:
    assert compliance.shows(text, "Magick AI, 4th Floor") is shown


@pytest.mark.parametrize(
    ("links", "good"),
    [
        ("https://x.test", True),
        ("http://x.test", False),
        ("http://127.0.0.1:8000", True),
        ("http://localhost.x.test", False),
    ],
)
def test_links_are_https_or_stay_on_this_machine(links: str, good: bool) -> None:
    assert compliance.secure(links) is good
