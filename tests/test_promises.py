"""The five promises, each proved from the command line to the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from syndicate.adapters.dkim import dns_record
from syndicate.testing.linkedin import TOKEN, FakeLinkedIn
from syndicate.testing.smtp import Fault, SmtpServer
from tests.project import MONDAY, Project

READERS = ["ada@example.org", "ravi@example.net", "jose@example.com"]


@dataclass(frozen=True)
class Wire:
    """The networks behind a live project."""

    smtp: SmtpServer
    linkedin: FakeLinkedIn

    def hashes(self) -> list[str]:
        """SHA-256 of everything that arrived, as the manifest hashes it."""
        mails = [sha256(mail.data).hexdigest() for mail in self.smtp.journal]
        posts = [
            sha256(f"{got.method} {self.linkedin.url}{got.path}\n".encode() + got.body).hexdigest()
            for got in self.linkedin.journal
        ]
        return sorted(mails + posts)


@pytest.fixture
def wire(project: Project) -> Iterator[Wire]:
    """Turns the project live, with an SMTP server and a fake LinkedIn on loopback."""
    with SmtpServer() as smtp, FakeLinkedIn() as linkedin:
        accounts = f"""
  mail: {{adapter: smtp, host: 127.0.0.1, port: {smtp.port}, tls: none}}
  page: {{adapter: linkedin, token: "${{file:var/token}}", author: "urn:li:organization:1", base_url: "{linkedin.url}"}}
"""
        (project.folder / "var").mkdir()
        (project.folder / "var" / "token").write_text(TOKEN)
        (project.folder / "var" / "token").chmod(0o600)
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("  outbox: {adapter: file, folder: outbox}", f"  outbox: {{adapter: file, folder: outbox}}{accounts}"),
            ("account: outbox\n    audience", "account: mail\n    audience"),
            ("account: outbox\n    template: linkedin", "account: page\n    template: linkedin\n    approval: none"),
        )
        yield Wire(smtp, linkedin)


def manifest(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


def test_a_dry_run_shows_the_very_bytes_that_are_sent_to_every_recipient(project: Project, wire: Wire) -> None:
    dry = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    assert dry.status == 0, dry
    assert wire.hashes() == []
    shown = manifest(project.folder / "proofs")
    assert [line["recipient"] for line in shown[:3]] == READERS

    live = project.syndicate("run", "--once", "--at", MONDAY)
    assert live.status == 0, live
    assert wire.hashes() == sorted(line["sha256"] for line in shown)
    assert len(shown) == 5


def test_the_ledger_keeps_the_hash_of_what_was_sent(project: Project, wire: Wire) -> None:
    project.syndicate("run", "--once", "--at", MONDAY)
    keys = [row["key"] for row in project.syndicate("editions", "list", "--json").json["editions"]]
    deliveries = [
        one for key in keys for one in project.syndicate("editions", "show", key, "--json").json["deliveries"]
    ]
    assert sorted(one["sha256"] for one in deliveries) == wire.hashes()
    assert {one["state"] for one in deliveries} == {"sent"}


def test_a_dry_run_opens_no_socket_and_changes_no_state(project: Project, wire: Wire) -> None:
    project.syndicate("run", "--once", "--at", MONDAY)
    connections, requests = wire.smtp.connections, len(wire.linkedin.journal)
    before = project.files()
    said = project.syndicate("run", "--once", "--at", "2025-03-17T12:00", "--dry-run")
    assert said.status == 0
    assert project.files() == before
    assert (wire.smtp.connections, len(wire.linkedin.journal)) == (connections, requests)


def test_the_same_run_again_sends_nothing_from_any_command(project: Project, wire: Wire) -> None:
    project.syndicate("run", "--once", "--at", MONDAY)
    sent = wire.hashes()
    assert len(sent) == 5
    for command in (
        ["run", "--once", "--at", MONDAY],
        ["run", "--once", "--at", "2025-03-10T12:01"],
        ["send", "weekly-digest", "--at", MONDAY, "--yes"],
        ["post", "seeds/001_0bc78cdf9e41f4cf.md", "--to", "linkedin", "--at", MONDAY, "--yes"],
    ):
        said = project.syndicate(*command)
        assert said.status == 0, said
        assert wire.hashes() == sent


def test_a_dead_network_stops_only_itself_and_loses_nobody(project: Project, wire: Wire) -> None:
    wire.smtp.stop()
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert len(wire.linkedin.published) == 2
    row = project.syndicate("editions", "show", "weekly-digest/2025-03-10T09:00", "--json").json
    assert [one["recipient"] for one in row["deliveries"]] == READERS
    assert {one["state"] for one in row["deliveries"]} == {"deferred"}, said


def test_a_refused_address_stops_only_itself(project: Project, wire: Wire) -> None:
    wire.smtp.fault("rcpt", Fault(b"550 5.1.1 no such user\r\n"))
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 1
    row = project.syndicate("editions", "show", "weekly-digest/2025-03-10T09:00", "--json").json
    assert [one["state"] for one in row["deliveries"]] == ["refused", "sent", "sent"]
    assert "5.1.1" in row["deliveries"][0]["reason"]


def test_silence_after_the_last_dot_is_shown_by_name_and_waits_for_a_person(project: Project, wire: Wire) -> None:
    wire.smtp.fault("dot", Fault(b"", "close", keep=True))
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 3, said
    status = project.syndicate("status")
    assert status.status == 3
    assert "weekly-digest/2025-03-10T09:00:ada@example.org" in status.out
    arrived = len(wire.smtp.journal)
    project.syndicate("run", "--once", "--at", MONDAY)
    assert len(wire.smtp.journal) == arrived
    resolved = project.syndicate("resolve", "weekly-digest/2025-03-10T09:00:ada@example.org", "--sent")
    assert resolved.status == 0, resolved
    assert project.syndicate("status").status == 0


def test_a_broken_article_stops_only_itself(project: Project, wire: Wire) -> None:
    (project.folder / "seeds" / "broken.md").write_bytes(b"---\ntitle: [never closed\n---\n\x00\xff text")
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 0, said
    assert len(wire.smtp.journal) == 3
    assert "seeds/broken.md" in project.syndicate("check").out


def test_a_broken_template_stops_only_its_own_edition(project: Project, wire: Wire) -> None:
    template = project.folder / "templates" / "linkedin.txt.j2"
    template.write_text(template.read_text("utf-8") + "{{ article.sumary }}\n", "utf-8")
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 1
    assert "linkedin.txt.j2" in said.out
    assert "sumary" in said.out
    assert len(wire.smtp.journal) == 3
    assert wire.linkedin.published == []


def test_everything_left_out_has_a_reason_that_one_command_prints(project: Project, wire: Wire) -> None:
    (project.folder / "seeds" / "draft.md").write_text("---\ntitle: Not yet\ndraft: true\n---\nText.\n", "utf-8")
    with (project.folder / "config" / "readers.csv").open("a", encoding="utf-8") as rows:
        rows.write("not an address,Nobody,2025-01-01,paper\n")
    project.syndicate("run", "--once", "--at", MONDAY)
    key = "weekly-digest/2025-03-10T09:00"
    assert "it is a draft" in project.syndicate("why", key, "not-yet").out
    assert "not an address" in project.syndicate("why", key, "not an address").out
    assert "it is a draft" in project.syndicate("articles", "--at", MONDAY).out


def test_in_rehearsal_nothing_leaves_and_nothing_is_used_up(project: Project, wire: Wire) -> None:
    project.configure(("mode: live", "mode: rehearsal"))
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 0, said
    assert "mode: rehearsal" in said.out
    assert wire.hashes() == []
    project.configure(("mode: rehearsal", "mode: live"))
    project.syndicate("run", "--once", "--at", MONDAY)
    assert len(wire.hashes()) == 5


def test_no_secret_shows_anywhere(project: Project, wire: Wire) -> None:
    shown = [
        project.syndicate(*command)
        for command in (
            ["run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs"],
            ["run", "--once", "--at", MONDAY],
            ["config", "show"],
            ["config", "show", "--json"],
            ["status", "--json"],
        )
    ]
    assert not any(TOKEN in said.out + said.err for said in shown)
    holding = [name for name, content in project.files().items() if TOKEN.encode() in content]
    assert holding == ["var/token"]


def test_a_test_mail_arrives_and_counts_for_nothing(project: Project, wire: Wire) -> None:
    said = project.syndicate("send", "weekly-digest", "--at", MONDAY, "--test", "me@example.com", "--yes")
    assert said.status == 0, said
    assert [mail.recipient for mail in wire.smtp.journal] == ["me@example.com"]
    assert not (project.folder / "var" / "syndicate.db").exists()
    project.syndicate("run", "--once", "--at", MONDAY)
    assert [mail.recipient for mail in wire.smtp.journal] == ["me@example.com", *READERS]
    wrong = project.syndicate("send", "weekly-digest", "--test", "not an address", "--yes")
    assert wrong.status == 2
    assert "--test: " in wrong.err


@pytest.mark.parametrize("rows", [None, "email,name\n", "email\nnot an address\n"], ids=["missing", "empty", "bad"])
def test_an_audience_that_nobody_is_in_uses_up_no_article(project: Project, wire: Wire, rows: str | None) -> None:
    readers = project.folder / "config" / "readers.csv"
    good = readers.read_text("utf-8")
    if rows is None:
        readers.unlink()
    else:
        readers.write_text(rows, "utf-8")
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 1
    assert "config/readers.csv" in said.out
    assert len(wire.linkedin.published) == 2
    readers.write_text(good, "utf-8")
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
    assert [mail.recipient for mail in wire.smtp.journal] == READERS


def test_a_rehearsal_never_says_that_it_sent(project: Project, wire: Wire) -> None:
    project.configure(("mode: live", "mode: rehearsal"))
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert "would be sent 3" in said.out
    document = project.syndicate("run", "--once", "--at", MONDAY, "--json").json
    assert {one["rehearsed"] for one in document["done"]} == {True}


def test_a_delivery_that_comes_later_says_why_and_when(project: Project, wire: Wire) -> None:
    wire.smtp.stop()
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert "Connection refused" in said.out
    assert "tries again" in said.out
    assert "Under way" in project.syndicate("status").out


def test_an_article_that_is_renamed_and_later_retitled_is_not_sent_again(project: Project, wire: Wire) -> None:
    project.syndicate("run", "--once", "--at", MONDAY)
    sent = wire.hashes()
    seeds = project.folder / "seeds"
    moved = (seeds / "001_0bc78cdf9e41f4cf.md").rename(seeds / "elsewhere.md")
    project.syndicate("run", "--once", "--at", "2025-03-17T12:00")
    moved.write_text(moved.read_text("utf-8").replace("MLOps Training in Hyderabad:", "Hyderabad trains:"), "utf-8")
    said = project.syndicate("run", "--once", "--at", "2025-03-24T12:00")
    assert said.status == 0, said
    assert wire.hashes() == sent


def test_a_file_that_holds_a_new_article_under_a_new_slug_is_sent(project: Project, wire: Wire) -> None:
    issue = project.folder / "seeds" / "issue.md"
    text = (
        "---\ntitle: Issue {0}\nslug: issue-{0}\npublish_date: 2025-03-0{0}\ndescription: Of {0}.\n---\nText of {0}.\n"
    )
    issue.write_text(text.format(1), "utf-8")
    project.syndicate("run", "--once", "--at", MONDAY)
    arrived = len(wire.smtp.journal)
    issue.write_text(text.format(2), "utf-8")
    said = project.syndicate("run", "--once", "--at", "2025-03-17T12:00")
    assert said.status == 0, said
    assert len(wire.smtp.journal) == arrived + 3


def test_a_signed_dry_run_shows_the_signed_bytes_and_anybody_can_verify_them(project: Project, wire: Wire) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (project.folder / "var" / "dkim.pem").write_bytes(pem)
    (project.folder / "var" / "dkim.pem").chmod(0o600)
    signature = 'dkim: {domain: example.com, selector: s1, private_key: "${file:var/dkim.pem}"}'
    project.configure(("tls: none}", f"tls: none, {signature}}}"))
    said = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    assert said.status == 0, said
    project.syndicate("run", "--once", "--at", MONDAY)
    assert wire.hashes() == sorted(line["sha256"] for line in manifest(project.folder / "proofs"))
    record = dns_record(key).encode()
    assert all(dkim.verify(mail.data, dnsfunc=lambda name, timeout=0: record) for mail in wire.smtp.journal)


def test_a_signature_for_another_domain_is_found_before_anything_is_sent(project: Project, wire: Wire) -> None:
    project.configure(("tls: none}", 'tls: none, dkim: {domain: example.net, selector: s, private_key: "${env:X}"}}'))
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 2
    assert "which example.net cannot sign for" in said.err
