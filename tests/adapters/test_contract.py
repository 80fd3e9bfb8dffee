"""The contract suite over every adapter there is; those of the networks have theirs beside their own tests."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate import adapters
from syndicate.adapters.file import File, FileOptions
from syndicate.adapters.linkedin import LinkedIn, LinkedInOptions
from syndicate.adapters.smtp import Smtp, SmtpOptions
from syndicate.adapters.webhook import Webhook, WebhookOptions
from syndicate.testing import http, linkedin, smtp, webhook
from syndicate.testing.adapters import AdapterContract, Subject
from tests.adapters.providers import KINDS


class TestFile(AdapterContract):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        folder = tmp_path / "outbox"

        def in_the_way() -> None:
            folder.write_text("not a folder")

        def taken() -> None:
            (folder / "linkedin").mkdir(parents=True)
            (folder / "linkedin/an-article.txt").write_text("another message")

        return Subject(
            make=lambda: File(FileOptions(folder=folder)),
            received=lambda: [*folder.rglob("*.eml"), *folder.rglob("an-article.json")],
            faults={"locked out": in_the_way, "refuses": taken},
        )


class TestSmtp(AdapterContract):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        with smtp.SmtpServer(password=("news", "open sesame")) as server:

            def fault(step: str, what: smtp.Fault) -> None:
                server.fault(step, what)

            options = {"host": "127.0.0.1", "port": server.port, "tls": "none", "helo": "client.test"}
            yield Subject(
                make=lambda: Smtp(
                    SmtpOptions.model_validate({**options, "username": "news", "password": "open sesame"})
                ),
                received=lambda: server.journal,
                secrets=("open sesame",),
                faults={
                    "unreachable": server.stop,
                    "busy": lambda: fault("rcpt", smtp.Fault(b"450 4.2.1 later\r\n")),
                    "locked out": lambda: fault("auth", smtp.Fault(b"535 5.7.8 not open sesame\r\n")),
                    "refuses": lambda: fault("rcpt", smtp.Fault(b"550 5.1.1 no such user\r\n")),
                    "lost answer": lambda: fault("dot", smtp.Fault(b"", "close", keep=True)),
                    "garbage": lambda: fault("dot", smtp.Fault(b"what?\r\n", keep=True)),
                },
            )


class TestLinkedIn(AdapterContract):
    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        with linkedin.FakeLinkedIn() as network:

            def at_the_post(fault: http.Fault) -> None:
                network.fault(None, None, fault)  # two requests before it bring the picture

            echo = http.Reply(401, f'{{"code":"REVOKED_ACCESS_TOKEN","message":"{linkedin.TOKEN}"}}'.encode())
            yield Subject(
                make=lambda: LinkedIn(
                    LinkedInOptions.model_validate(
                        {"token": linkedin.TOKEN, "author": "urn:li:person:782bbtaQ", "base_url": network.url}
                    )
                ),
                received=lambda: network.published,
                secrets=(linkedin.TOKEN,),
                faults={
                    "unreachable": network.stop,
                    "busy": lambda: at_the_post(http.Fault(linkedin.THROTTLED)),
                    "locked out": lambda: at_the_post(http.Fault(echo)),
                    "refuses": lambda: at_the_post(http.Fault(http.Reply(400, b'{"message":"no"}'))),
                    "lost answer": lambda: at_the_post(http.Fault(then="close", apply=True)),
                    "garbage": lambda: at_the_post(http.Fault(linkedin.UNAVAILABLE, apply=True)),
                },
            )


class TestWebhook(AdapterContract):
    repeat: timedelta | None = None

    @pytest.fixture
    def subject(self) -> Iterator[Subject]:
        with webhook.WebhookReceiver() as network:
            options = WebhookOptions.model_validate(
                {"url": f"{network.url}/hook", "secret": webhook.SECRET, "repeat": self.repeat}
            )
            yield Subject(
                make=lambda: Webhook(options),
                received=lambda: list(network.accepted),
                secrets=(webhook.SECRET, webhook.SECRET.removeprefix("whsec_")),
                keys=lambda: [request.headers["webhook-id"] for request in network.journal],
                faults={
                    "unreachable": network.stop,
                    "busy": lambda: network.fault(http.Fault(http.Reply(429, headers={"Retry-After": "7"}))),
                    "locked out": lambda: network.fault(http.Fault(http.Reply(401))),
                    "refuses": lambda: network.fault(http.Fault(http.Reply(422))),
                    "lost answer": lambda: network.fault(http.Fault(then="reset", apply=True)),
                    "garbage": lambda: network.fault(http.Fault(raw=b"\xff\xfe what?\r\n\r\n", apply=True)),
                },
            )


class TestWebhookThatKnowsRepeats(TestWebhook):
    repeat = timedelta(days=1)


def test_no_adapter_is_left_out() -> None:
    suites = [path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    suites = [text for text in suites if re.search(r"^class \w+\((?:AdapterContract|Social)\):", text, re.MULTILINE)]
    for name in adapters.BUILTIN.keys() - KINDS.keys():
        kind = adapters.load(name).__name__
        assert any(re.search(rf"\) -> {kind}:|lambda: {kind}\(", text) for text in suites), name
