"""A person's whole life with a newsletter, in a real browser, through a real SMTP server, over real sockets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from playwright.sync_api import expect, sync_playwright

from syndicate.model.people import Grounds, Newcomer, Taken
from syndicate.testing.smtp import SmtpServer
from tests.conftest import missing
from tests.project import Project
from tests.web.site import Site, link_of, parse, path_of, site_of

pytestmark = pytest.mark.chromium
BODY = b"List-Unsubscribe=One-Click"
ARTICLE = """---
title: 'The second week of MLOps training'
publish_date: 2025-03-{day}
---

There is something new each week.
"""


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def live(project: Project, server: SmtpServer) -> Iterator[Site]:
    """The members' digest leaves through the server."""
    mail = f"accounts:\n  mail: {{adapter: smtp, host: 127.0.0.1, port: {server.port}, tls: none}}\n"
    with site_of(
        project,
        **{
            "mode: rehearsal": "mode: live",
            "accounts:\n": mail,
            "    account: outbox\n    audience: members": "    account: mail\n    audience: members",
        },
    ) as site:
        yield site


def received(server: SmtpServer) -> list[EmailMessage]:
    """The mails that the server answers for, in the order in which they came."""
    return [message_from_bytes(one.data, policy=default) for one in server.journal]  # type: ignore[misc]


def week_later(site: Site, day: int) -> None:
    """There is an article more, and the next occasion comes."""
    name = site.project.folder / "seeds" / f"week-{day}.md"
    name.write_text(ARTICLE.format(day=day).replace("second", f"{day}th"), "utf-8")
    site.clock.advance(timedelta(days=7))
    site.tick()


def test_from_the_form_to_being_forgotten(live: Site, server: SmtpServer) -> None:
    site = live
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        missing("chromium")
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=program).new_page(java_script_enabled=False)
        page.goto(f"{site.address}/subscribe")
        page.get_by_label("Weekly").check()
        page.get_by_label("E-mail address").fill("ada@example.org")
        site.clock.advance(timedelta(seconds=5))
        page.get_by_role("button", name="Subscribe").click()
        expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
        site.settle()
        (confirmation,) = received(server)
        site.tick()
        assert len(received(server)) == 1, "nobody is mailed who has not confirmed"

        page.goto(site.address + path_of(link_of(confirmation, "/c/")))
        page.get_by_role("button", name="Yes, send me these").click()
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()

    week_later(site, 14)
    edition = received(server)[-1]
    assert len(received(server)) == 2
    assert edition["To"] == "ada@example.org"

    url = str(edition["List-Unsubscribe"]).strip("<>")
    assert len(url) <= 60
    head = f"POST {path_of(url)} HTTP/1.1\r\nHost: news.magick.test\r\nContent-Length: 26\r\nConnection: close\r\n"
    kind = "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    assert parse(site.raw((head + kind).encode() + BODY)).status == 200
    week_later(site, 21)
    assert len(received(server)) == 2, "not mailed again"

    assert site.store.erase("ada@example.org").anything
    site.app.database().close()
    database = b"".join(path.read_bytes() for path in (site.project.folder / "var").glob("syndicate.db*"))
    assert b"ada@example.org" not in database.lower()
    said = Grounds("import", given=site.clock())
    assert site.store.import_chunk([Newcomer(address="ADA@example.org", grounds=said)], "weekly") == [Taken.ERASED]
    week_later(site, 28)
    assert len(received(server)) == 2
    assert site.store.find("ada@example.org") is None
