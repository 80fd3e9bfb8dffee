"""The operator hears of each thing once, by any account, and never at the cost of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from email.parser import BytesParser
from email.policy import default
from zoneinfo import ZoneInfo

import pytest

from syndicate.newsroom.tick import Newsroom
from syndicate.testing.clock import Clock
from syndicate.testing.http import Fault as HttpFault
from syndicate.testing.http import Reply
from syndicate.testing.log import Heard
from syndicate.testing.smtp import Fault, SmtpServer
from syndicate.testing.webhook import SECRET, WebhookReceiver
from tests.project import MONDAY, POSTS, Project, Said

DIGEST = "weekly-digest/2025-03-10T09:00"
TUESDAY = "2025-03-11T12:00"


@pytest.fixture
def hook(project: Project) -> Iterator[WebhookReceiver]:
    """A live project whose digest waits for approval, and an operator behind a webhook."""
    with WebhookReceiver() as receiver:
        account = f'hook: {{adapter: webhook, url: "{receiver.url}/", secret: "{SECRET}"}}'
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"operator: {{account: hook}}\naccounts:\n  {account}\n"),
            ("approval: none ", "approval: required "),
            (POSTS, ""),
        )
        yield receiver


def run(project: Project, at: str = MONDAY) -> Said:
    return project.syndicate("run", "--once", "--at", at)


def told(receiver: WebhookReceiver) -> list[str]:
    """The texts that arrived, without the last line of each."""
    texts = [json.loads(body)["data"]["text"] for body in receiver.accepted.values()]
    return [line for text in texts for line in text.splitlines()[:-2]]


def test_what_waits_is_told_once_however_often_it_is_seen(project: Project, hook: WebhookReceiver) -> None:
    for _ in range(3):
        assert run(project).status == 3
    assert told(hook) == [f"{DIGEST} waits for approval"]
    assert len(hook.journal) == 1
    (body,) = hook.accepted.values()
    assert json.loads(body)["data"]["title"] == f"Magick AI Dispatch: {DIGEST} waits for approval"


def test_a_draft_that_was_made_anew_is_news(project: Project, hook: WebhookReceiver) -> None:
    run(project)
    project.syndicate("editions", "approve", DIGEST)
    project.configure(("max: 10", "max: 9"))
    run(project)
    assert told(hook)[1:] == [f"{DIGEST} waits for approval (changed since it was drafted: channels.weekly-digest)"]


def test_a_failure_and_a_missed_occasion_are_told(project: Project, hook: WebhookReceiver) -> None:
    project.configure(("then: skip", "then: ask"))
    run(project, TUESDAY)
    assert told(hook) == [f"{DIGEST} was missed and waits: syndicate send weekly-digest"]
    project.configure(("approval: required ", "approval: none "), ("then: ask", "then: send"))
    (project.folder / "templates" / "digest.mjml.j2").write_text("{{ nothing }}", "utf-8")
    for _ in range(2):
        assert run(project, TUESDAY).status == 1
    assert len(told(hook)) == 2
    assert told(hook)[1].startswith(DIGEST)


def test_the_scheduler_tells_what_a_single_run_tells(project: Project, hook: WebhookReceiver) -> None:
    noon = datetime(2025, 3, 10, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
    room = Newsroom(project.folder / "config" / "syndicate.yaml", Heard().log, Clock(noon))
    room.tick()
    room.tick()
    room.app().close()
    assert told(hook) == [f"{DIGEST} waits for approval"]


@pytest.mark.parametrize("fault", [HttpFault(Reply(503)), HttpFault(Reply(401))], ids=["busy", "wrong secret"])
def test_what_could_not_be_told_is_told_the_next_time(
    project: Project, hook: WebhookReceiver, fault: HttpFault
) -> None:
    hook.fault(fault)
    assert run(project).status == 3
    assert told(hook) == []
    run(project)
    assert told(hook) == [f"{DIGEST} waits for approval"]


def test_an_operator_who_cannot_be_reached_changes_nothing_about_a_run(project: Project, hook: WebhookReceiver) -> None:
    hook.stop()
    project.configure(("approval: required ", "approval: none "))
    said = run(project)
    assert said.status == 0, said
    assert len(list((project.folder / "outbox").rglob("*.eml"))) == 3


def test_in_rehearsal_nobody_is_told(project: Project, hook: WebhookReceiver) -> None:
    project.configure(("mode: live", "mode: rehearsal"))
    run(project)
    project.configure(("mode: rehearsal", "mode: live"))
    project.syndicate("run", "--once", "--at", MONDAY, "--dry-run")
    assert hook.journal == []


def test_a_mail_account_sends_a_plain_mail(project: Project) -> None:
    with SmtpServer() as server:
        server.fault("dot", Fault(b"", "close", keep=True))
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"accounts:\n  mail: {{adapter: smtp, host: 127.0.0.1, port: {server.port}, tls: none}}\n"),
            ("accounts:\n", "operator: {account: mail, to: desk@example.com}\naccounts:\n"),
            ("account: outbox\n    audience", "account: mail\n    audience"),
            ("name: Magick AI Dispatch", 'name: "Dispatch, the café"'),
            (POSTS, ""),
        )
        for _ in range(2):
            assert run(project).status == 3
        notices = [mail for mail in server.journal if mail.recipient == "desk@example.com"]
    assert len(notices) == 1
    message = BytesParser(policy=default).parsebytes(notices[0].data)
    assert message["auto-submitted"] == "auto-generated"
    assert message["from"].addresses[0].display_name == "Dispatch, the café"
    assert f"{DIGEST}:ada@example.org is unknown" in message.get_content()


def test_an_operator_whose_account_is_not_there_is_a_mistake_of_the_configuration(project: Project) -> None:
    project.configure(("accounts:\n", "operator: {account: outbx}\naccounts:\n"))
    said = project.syndicate("plan")
    assert said.status == 2
    assert "there is no account 'outbx', did you mean 'outbox'?" in said.err


def test_an_operator_is_not_told_in_public(project: Project) -> None:
    page = 'page: {adapter: linkedin, token: "${env:NO_TOKEN}", author: "urn:li:person:1"}'
    project.configure(("accounts:\n", f"operator: {{account: page}}\naccounts:\n  {page}\n"))
    said = project.syndicate("plan")
    assert said.status == 2
    assert "it would publish what is meant for the operator" in said.err


def test_the_starter_can_tell_into_its_own_outbox(project: Project) -> None:
    project.configure(
        ("accounts:\n", "operator: {account: outbox}\naccounts:\n"), ("approval: none ", "approval: required ")
    )
    run(project)
    (notice,) = (project.folder / "outbox" / "operator").glob("*.txt")
    assert notice.read_text("utf-8").startswith(f"{DIGEST} waits for approval")
