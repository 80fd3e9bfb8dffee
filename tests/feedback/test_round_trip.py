"""There and back: a mail goes out through a provider's adapter, and its event comes home with our own mark alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from syndicate.app import App, assemble
from syndicate.audience.store import Subscribers
from syndicate.returns.acting import act
from syndicate.returns.intake import Answer, receive
from syndicate.testing.callers import Call, SvixCalls
from syndicate.testing.clock import Clock
from syndicate.testing.http import Fault
from syndicate.testing.providers import FakeProvider, Taken
from tests.adapters.providers import KINDS
from tests.adapters.test_providers_promises import EDITION, live
from tests.project import MONDAY, Project

SECRET = "f" * 32
SVIX = SvixCalls(Clock()())
#: What the provider tells of one mail, by the mark that it was handed and without an id of its own.
CALLS: dict[str, Callable[[str, Taken], Call]] = {
    "postmark": lambda kind, mail: bare(
        {
            "RecordType": "SpamComplaint" if kind == "complaint" else "Delivery",
            "MessageID": "",
            "Email" if kind == "complaint" else "Recipient": mail.recipient,
            "Metadata": {"syndicate_mark": mail.mark},
        }
    ),
    "brevo": lambda kind, mail: bare(
        {
            "event": "spam" if kind == "complaint" else "delivered",
            "email": mail.recipient,
            "X-Mailin-custom": json.dumps({"syndicate_mark": mail.mark}),
        }
    ),
    "resend": lambda kind, mail: SVIX.event(
        {
            "type": "email.complained" if kind == "complaint" else "email.delivered",
            "data": {"email_id": "", "to": [mail.recipient], "tags": {"syndicate_mark": mail.mark}},
        }
    ),
}


def bare(event: dict[str, Any]) -> Call:
    """What is not signed."""
    return {}, json.dumps(event).encode()


@contextmanager
def sent(project: Project, name: str, *faults: Fault) -> Iterator[tuple[App, FakeProvider]]:
    """The digest of the starter, sent through a provider whose webhook is configured."""
    with KINDS[name].fake() as network:
        live(project, name, network.url, 1)
        (project.folder / "var" / "path").write_text(SECRET)
        (project.folder / "var" / "path").chmod(0o600)
        options = f", signing_secrets: [{SVIX.secret}]" if name == "resend" else ""
        hook = f'feedback:\n  webhooks:\n    back: {{provider: {name}, secret: "${{file:var/path}}"{options}}}\n'
        project.configure(("audiences:\n", f"{hook}audiences:\n"))
        network.fault(*faults)
        project.syndicate("send", "weekly-digest", "--at", MONDAY, "--yes")
        app = assemble(project.folder / "config" / "syndicate.yaml", Clock())
        yield app, network
        app.close()


@pytest.mark.parametrize("name", CALLS)
def test_a_complaint_finds_its_reader_by_our_mark(project: Project, name: str) -> None:
    with sent(project, name) as (app, network):
        mail, other = network.taken[:2]
        headers, body = CALLS[name]("complaint", mail)
        for _ in range(2):  # they say it more than once
            assert receive(app, "back", SECRET, headers, body) == Answer(200, "kept")
            act(app)
        people = Subscribers(app.database(), app.secrets, app.clock)
        assert people.suppressions(mail.recipient)
        assert not people.suppressions(other.recipient)


@pytest.mark.parametrize("name", CALLS)
def test_a_mark_of_somebody_else_finds_nobody(project: Project, name: str) -> None:
    with sent(project, name) as (app, network):
        mail, other = network.taken[:2]
        forged = Taken(recipient=mail.recipient, mark=other.mark, sha256="")
        headers, body = CALLS[name]("complaint", forged)
        assert receive(app, "back", SECRET, headers, body).status == 200
        act(app)
        assert not Subscribers(app.database(), app.secrets, app.clock).suppressions(mail.recipient)


def test_an_event_settles_a_call_that_got_no_answer(project: Project) -> None:
    with sent(project, "postmark", Fault(then="close", apply=True)) as (app, network):
        (doubt,) = [one for one in app.ledger().deliveries(EDITION) if one.state == "unknown"]
        mail = next(one for one in network.taken if one.recipient == doubt.recipient)
        headers, body = CALLS["postmark"]("delivered", mail)
        assert receive(app, "back", SECRET, headers, body).status == 200
        act(app)
        assert {one.state for one in app.ledger().deliveries(EDITION)} == {"sent"}
