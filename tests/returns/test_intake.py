"""Webhooks over their whole way in, and mailboxes from the wire to the suppression, with a real mail in between."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from time import sleep

import pytest

from syndicate.app import App, assemble
from syndicate.errors import UsageError
from syndicate.feedback.inbox import Inbox
from syndicate.feedback.verp import delivery_of
from syndicate.returns.acting import act
from syndicate.returns.intake import Answer, check_feedback, fetch, listen, receive
from syndicate.testing.clock import Clock
from syndicate.testing.hooks import MailgunCalls, SendGridCalls
from syndicate.testing.imap import ImapServer
from syndicate.testing.smtp import SmtpServer
from tests.feedback import mails
from tests.project import MONDAY, Project, starter

SECRET = "f" * 32
ADA = "ada@example.org"
DIGEST = "kind: digest                    # one message about many articles, to an audience\n    account: outbox"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twilio(clock: Clock) -> SendGridCalls:
    return SendGridCalls(clock())


@pytest.fixture
def gun(clock: Clock) -> MailgunCalls:
    return MailgunCalls(clock())


@pytest.fixture(scope="session")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has written its mails once, to be copied."""
    project = starter(tmp_path_factory.mktemp("sent") / "newsroom")
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
    return project.folder


@pytest.fixture
def project(sent: Path, tmp_path: Path) -> Project:
    return Project(shutil.copytree(sent, tmp_path / "newsroom"))


@pytest.fixture
def app(project: Project, clock: Clock, twilio: SendGridCalls, gun: MailgunCalls) -> Iterator[App]:
    for name, text in (("path", SECRET), ("key", gun.key)):
        (project.folder / "var" / name).write_text(text)
        (project.folder / "var" / name).chmod(0o600)
    project.configure(
        (
            "audiences:\n",
            (
                "feedback:\n  webhooks:\n"
                f'    grid: {{provider: sendgrid, secret: "${{file:var/path}}", public_keys: [{twilio.public_key}]}}\n'
                '    gun: {provider: mailgun, secret: "${file:var/path}", signing_keys: ["${file:var/key}"]}\n'
                "audiences:\n"
            ),
        )
    )
    app = assemble(project.folder / "config" / "syndicate.yaml", clock)
    yield app
    app.close()


def mark(app: App, recipient: str = ADA) -> str:
    """The mark of the mail to one recipient, read from the file that the starter's account writes."""
    for path in sorted((app.root / "outbox").rglob("*.eml")):
        text = path.read_text("utf-8", "replace")
        if recipient in text:
            found = re.search(r"^Message-ID: <([0-9a-f]{32})@", text, re.MULTILINE)
            assert found
            return found[1]
    raise AssertionError(f"no mail to {recipient}")


def suppressed(app: App, address: str = ADA) -> bool:
    """Whether the address is on the list of those who get no mail."""
    from syndicate.audience.store import Subscribers

    return bool(Subscribers(app.database(), app.secrets, app.clock).suppressions(address))


def kept(app: App) -> int:
    """Reports in the inbox."""
    return len(Inbox(app.database()).latest(10_000))


def test_a_complaint_at_sendgrid_suppresses_the_reader_of_our_mail(app: App, twilio: SendGridCalls) -> None:
    headers, body = twilio.call(twilio.event("spamreport", ADA, "e1", mark(app)))
    assert receive(app, "grid", SECRET, headers, body) == Answer(200, "kept")
    assert not suppressed(app)  # first it is kept, then answered, then acted on
    assert [one.note for one in act(app)] == ["suppressed: complained"]
    assert suppressed(app)


def test_a_bounce_at_mailgun_too(app: App, gun: MailgunCalls) -> None:
    headers, body = gun.call(gun.event("permanent", ADA, mark(app)), "t1")
    assert receive(app, "gun", SECRET, headers, body).status == 200
    act(app)
    assert suppressed(app)


@pytest.mark.parametrize(
    ("name", "secret"),
    [("grid", "e" * 32), ("grid", ""), ("grid", "ä"), ("nobody", SECRET), ("", SECRET), ("grid", SECRET + "x")],
)
def test_t_24_without_the_secret_of_the_path_nobody_learns_anything(
    app: App, twilio: SendGridCalls, name: str, secret: str
) -> None:
    headers, body = twilio.call(twilio.event("bounce", ADA, "e1", mark(app)))
    assert receive(app, name, secret, headers, body) == Answer(404, "not found")
    assert kept(app) == 0


def test_t_24_a_wrong_signature_is_refused_and_nothing_is_stored(
    app: App, twilio: SendGridCalls, gun: MailgunCalls
) -> None:
    headers, body = twilio.call(twilio.event("bounce", ADA, "e1", mark(app)))
    assert receive(app, "grid", SECRET, headers, body + b" ").status == 401
    assert receive(app, "grid", SECRET, {}, body).status == 401
    _, other = MailgunCalls(gun.now, "another key").call(gun.event("permanent", ADA, mark(app)), "t1")
    answer = receive(app, "gun", SECRET, {}, other)
    assert (answer.status, answer.text) == (401, "not signed")
    assert kept(app) == 0


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[" * 100_000, b'{"a":1,"a":2}', b"\xff\xfe{\x00}\x00"])
def test_t_26_nonsense_is_answered_400_even_if_it_is_signed(app: App, twilio: SendGridCalls, body: bytes) -> None:
    headers, signed = twilio.signed(body)
    assert receive(app, "grid", SECRET, headers, signed).status == 400
    assert receive(app, "gun", SECRET, {}, body).status in {400, 401}
    assert kept(app) == 0


def test_t_24_more_than_five_megabytes_are_not_looked_at(app: App) -> None:
    assert receive(app, "grid", SECRET, {}, b"x" * 5_000_001).status == 413


def test_he34_a_right_signature_of_mailgun_on_another_body_is_a_forgery(app: App, gun: MailgunCalls) -> None:
    headers, body = gun.call(gun.event("delivered", ADA, mark(app)), "t1")
    assert receive(app, "gun", SECRET, headers, body).status == 200
    assert receive(app, "gun", SECRET, headers, body).status == 200  # a repeat
    _, forged = gun.call(gun.event("complained", ADA, mark(app)), "t1")
    answer = receive(app, "gun", SECRET, {}, forged)
    assert answer.status == 401
    assert "other words" in answer.alarm
    act(app)
    assert kept(app) == 1
    assert not suppressed(app)


def test_he35_the_same_event_many_times_at_once_is_one(app: App, twilio: SendGridCalls) -> None:
    headers, body = twilio.call(twilio.event("spamreport", ADA, "e1", mark(app)))
    app.database()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: receive(app, "grid", SECRET, headers, body).status, range(200)))
    assert set(answers) == {200}
    assert kept(app) == 1


def test_two_events_of_one_name_from_two_sources_are_two(app: App, twilio: SendGridCalls, gun: MailgunCalls) -> None:
    receive(app, "grid", SECRET, *twilio.call(twilio.event("bounce", ADA, "t1", mark(app))))
    receive(app, "gun", SECRET, *gun.call(gun.event("permanent", ADA, mark(app)), "t1"))
    assert kept(app) == 2


def test_while_the_database_cannot_be_written_the_provider_comes_again(
    app: App, twilio: SendGridCalls, project: Project
) -> None:
    headers, body = twilio.call(twilio.event("bounce", ADA, "e1", mark(app)))
    app.database().close()
    app.database.made.clear()
    database = project.folder / "var" / "syndicate.db"
    away = database.with_suffix(".away")
    database.rename(away)
    database.write_bytes(b"this is no database" * 1000)
    answer = receive(app, "grid", SECRET, headers, body)
    assert (answer.status, answer.text) == (503, "come again")
    away.replace(database)
    assert receive(app, "grid", SECRET, headers, body).status == 200


def test_while_a_key_cannot_be_read_the_provider_comes_again(app: App, gun: MailgunCalls, project: Project) -> None:
    headers, body = gun.call(gun.event("permanent", ADA, mark(app)), "t1")
    (project.folder / "var" / "key").unlink()
    answer = receive(app, "gun", SECRET, headers, body)
    assert (answer.status, answer.text) == (503, "come again")
    assert "gun" in answer.alarm


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("{}", "name either a `maildir` or an `imap` server"),
        ("{maildir: x, imap: mail.example.com}", "name either"),
        ("{imap: mail.example.com, tls: none}", "would send the password in the clear"),
        ("{imap: mail.example.com, prot: 993}", "unknown key 'prot'"),
    ],
)
def test_a_mailbox_that_is_set_up_wrongly_is_a_problem_of_the_check(project: Project, options: str, fault: str) -> None:
    project.configure(("audiences:\n", f"feedback:\n  mailboxes:\n    returned: {options}\naudiences:\n"))
    said = project.syndicate("check")
    assert said.status == 1
    assert fault in said.out
    assert "config/syndicate.yaml:" in said.out


def test_a_webhook_that_is_set_up_wrongly_is_a_problem_of_the_check(project: Project, app: App) -> None:
    assert list(check_feedback(app)) == []
    project.configure(("provider: sendgrid", "provider: sendgird"), ("signing_keys:", "signing_kes:"))
    said = project.syndicate("check")
    assert said.status == 1
    assert "there is no provider 'sendgird'" in said.out
    assert "signing_kes" in said.out
    assert "config/syndicate.yaml:" in said.out


def test_t_22_a_secret_in_the_file_is_a_warning_and_is_not_shown(project: Project) -> None:
    project.configure(
        (
            "audiences:\n",
            "feedback:\n  mailboxes:\n    in: {imap: mail.example.com, username: b, password: hunter2}\naudiences:\n",
        )
    )
    said = project.syndicate("check")
    assert "a secret stands in the file" in said.out
    assert "hunter2" not in said.out + project.syndicate("config", "show").out


# The whole way: a real mail over SMTP, its bounce over IMAP or a Maildir, and what becomes of the reader.


@pytest.fixture
def posted(tmp_path: Path) -> Iterator[tuple[Project, SmtpServer]]:
    """A project that mails for real, with an address of its own for each bounce."""
    project = starter(tmp_path / "posting")
    with SmtpServer() as server:
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"accounts:\n  mail: {{adapter: smtp, host: 127.0.0.1, port: {server.port}, tls: none}}\n"),
            (DIGEST, DIGEST.replace("outbox", "mail")),
            ("  linkedin: https", f"  bounces: {mails.BOUNCES}\n  linkedin: https"),
            ("audiences:\n", "feedback:\n  mailboxes:\n    returned: {maildir: var/mail}\naudiences:\n"),
        )
        yield project, server


def inboxes(project: Project, *found: bytes) -> Path:
    """A Maildir with these mails."""
    folder = project.folder / "var" / "mail"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, mail in enumerate(found):
        (folder / "new" / f"{number}.host").write_bytes(mail)
    return folder


def mail_to(server: SmtpServer, recipient: str = ADA) -> tuple[str, str]:
    """The envelope sender and the mark of what was sent to one recipient."""
    mail = next(mail for mail in server.journal if mail.recipient == recipient)
    found = re.search(rb"^Message-ID: <([0-9a-f]{32})@", mail.data, re.MULTILINE)
    assert found
    return mail.sender, found[1].decode()


def test_d_28_each_mail_goes_out_from_an_address_of_its_own(posted: tuple[Project, SmtpServer]) -> None:
    project, server = posted
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
    senders = {mail.recipient: mail.sender for mail in server.journal}
    assert len(set(senders.values())) == len(senders) == 3
    secret = (project.folder / "var" / "secret").read_text().strip().encode()
    assert all(delivery_of([sender], mails.BOUNCES, [secret]) for sender in senders.values())


def test_d_28_the_return_address_is_no_part_of_what_a_dry_run_shows(posted: tuple[Project, SmtpServer]) -> None:
    from hashlib import sha256

    project, server = posted
    project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    lines = (project.folder / "proofs" / "manifest.jsonl").read_text().splitlines()
    shown = {line["recipient"]: line["sha256"] for line in map(json.loads, lines)}
    project.syndicate("run", "--once", "--at", MONDAY)
    for mail in server.journal:
        assert shown[mail.recipient] == sha256(mail.data).hexdigest()


def test_a_bounce_comes_back_and_its_reader_gets_no_more_mail(posted: tuple[Project, SmtpServer]) -> None:
    project, server = posted
    project.syndicate("run", "--once", "--at", MONDAY)
    sender, _ = mail_to(server)
    inboxes(
        project,
        mails.vacation(sender),
        mails.postfix(sender, mark="x" * 32),
        mails.postfix("bounces+1.aaaaaaaa@x.test"),
    )
    said = project.syndicate("feedback", "fetch", "--json")
    assert said.status == 0
    assert said.json["fetched"] == [{"mailbox": "returned", "mails": 3, "reports": 2, "fault": None}]
    assert [(one["person"], one["note"]) for one in said.json["done"]] == [(ADA, "suppressed: bounced")]
    listed = project.syndicate("feedback", "list", "--json").json["reports"]
    assert {one["state"] for one in listed} == {"done", "new"}
    shown = project.syndicate("feedback", "show", str(said.json["done"][0]["number"]))
    assert "Diagnostic-Code: smtp; 550 5.1.1" in shown.out
    assert project.syndicate("feedback", "fetch").status == 0
    assert "0 of 3 mails" in project.syndicate("feedback", "rates").out


def test_a_complaint_over_imap_is_acted_on_by_the_tick(posted: tuple[Project, SmtpServer]) -> None:
    project, server = posted
    project.syndicate("run", "--once", "--at", MONDAY)
    sender, mark = mail_to(server)
    with ImapServer(folders=("INBOX", "Done")) as imap:
        project.configure(
            (
                "{maildir: var/mail}",
                f"{{imap: localhost, port: {imap.port}, tls: none, username: bounces, password: right, done: Done}}",
            )
        )
        imap.deliver(mails.complaint("fbl@example.com", sender, mark=mark))
        clock = Clock()
        app = assemble(project.folder / "config" / "syndicate.yaml", clock)
        try:
            clock.advance(timedelta(minutes=1))
            assert listen(app).fetched == ()  # a server is asked at each fifth minute
            clock.advance(timedelta(minutes=4))
            heard = listen(app)
            assert [one.note for one in heard.done] == ["suppressed: complained"]
            assert [mail.flags for mail in imap.folders["Done"]] == [{"\\Seen"}]
        finally:
            app.close()


def test_t_25_a_return_address_beside_the_message_id_of_another_mail_is_not_ours(
    posted: tuple[Project, SmtpServer],
) -> None:
    project, server = posted
    project.syndicate("run", "--once", "--at", MONDAY)
    sender, _ = mail_to(server)
    _, other = mail_to(server, "ravi@example.net")
    inboxes(project, mails.postfix(sender, mark=other))
    assert project.syndicate("feedback", "fetch", "--json").json["done"] == []


def test_a_test_mail_has_no_return_address_that_names_the_mail_of_another(
    posted: tuple[Project, SmtpServer],
) -> None:
    project, server = posted
    project.syndicate("send", "weekly-digest", "--at", MONDAY, "--test", "me@example.com", "--yes")
    assert [mail.sender for mail in server.journal] == ["news@example.com"]


def test_in_a_rehearsal_no_mailbox_is_visited(posted: tuple[Project, SmtpServer]) -> None:
    project, _ = posted
    folder = inboxes(project, mails.vacation("a@x.test"))
    project.configure(("mode: live", "mode: rehearsal"))
    project.syndicate("run", "--once", "--at", MONDAY)
    assert len(list((folder / "new").iterdir())) == 1


def test_a_run_reads_the_mailboxes_first(posted: tuple[Project, SmtpServer]) -> None:
    project, server = posted
    project.syndicate("run", "--once", "--at", MONDAY)
    sender, mark = mail_to(server)
    folder = inboxes(project, mails.postfix(sender, mark=mark))
    project.syndicate("run", "--once", "--at", "2025-03-10T12:01")
    assert list((folder / "new").iterdir()) == []
    assert project.syndicate("feedback", "list", "--json").json["reports"][0]["note"] == "suppressed: bounced"


def test_a_mailbox_that_cannot_be_read_stops_only_itself(posted: tuple[Project, SmtpServer]) -> None:
    project, _ = posted
    inboxes(project)
    project.configure(("    returned:", "    gone: {maildir: var/nowhere}\n    returned:"))
    said = project.syndicate("feedback", "fetch")
    assert said.status == 1
    assert "no Maildir" in said.out
    assert "returned  0 mails read" in said.out


def test_a_mailbox_that_there_is_not_is_named(app: App) -> None:
    with pytest.raises(UsageError, match="there is no mailbox 'x'"):
        fetch(app, ["x"])


def test_an_account_that_was_paused_goes_on_by_a_persons_word(posted: tuple[Project, SmtpServer]) -> None:
    project, server = posted
    project.syndicate("run", "--once", "--at", MONDAY)
    sender, mark = mail_to(server)
    inboxes(project, mails.postfix(sender, status="5.7.26", diagnosis="550 5.7.26 unauthenticated", mark=mark))
    project.syndicate("feedback", "fetch")
    status = project.syndicate("status")
    assert status.status == 3
    assert "blocked by" in status.out
    assert project.syndicate("editions", "resume", "--account", "mail").status == 0
    assert project.syndicate("status").status == 0
    assert project.syndicate("editions", "resume", "--account", "mial").status == 2


def row_count(project: Project, table: str) -> int:
    """Rows of a table, read from beside the process that writes them."""
    with closing(sqlite3.connect(project.folder / "var" / "syndicate.db")) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(count)


@pytest.mark.parametrize("table", ["report", "suppression"])
def test_f_72_a_kill_between_keeping_and_acting_loses_nothing(posted: tuple[Project, SmtpServer], table: str) -> None:
    project, server = posted
    rows = "".join(f"r{number}@example.org,Reader,2025-01-01,form\n" for number in range(40))
    (project.folder / "config" / "readers.csv").write_text("email,name,consent_date,consent_source\n" + rows, "utf-8")
    project.syndicate("run", "--once", "--at", MONDAY)
    inboxes(project, *(mails.postfix(mail.sender, recipient=mail.recipient, mark="") for mail in server.journal))
    command = [sys.executable, "-m", "syndicate", "feedback", "fetch"]
    for most in (5, 20):
        process = subprocess.Popen(command, cwd=project.folder, stdout=subprocess.DEVNULL)
        while row_count(project, table) < most and process.poll() is None:
            sleep(0.002)
        process.kill()
        process.wait()
        assert row_count(project, "suppression") < 40
    assert project.syndicate("feedback", "fetch").status == 0
    assert row_count(project, "report") == row_count(project, "report WHERE state = 'done'") == 40
    assert row_count(project, "suppression") == 40
