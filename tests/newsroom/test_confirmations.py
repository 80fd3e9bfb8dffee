"""Everybody who signed up is asked once, whatever happens in between."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from syndicate.audience.signups import Signups, Visit
from syndicate.model.people import Standing
from syndicate.newsroom.confirmations import account_of, deliver_unfinished, enter, settle
from syndicate.testing.smtp import Fault, SmtpServer
from tests.project import Project
from tests.web.site import Site, site_of


@pytest.fixture
def site(project: Project) -> Iterator[Site]:
    with site_of(project) as made:
        yield made


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def mailing(project: Project, server: SmtpServer) -> Iterator[Site]:
    """Both lists are mailed through the server; nothing may leave yet."""
    mail = f"accounts:\n  mail: {{adapter: smtp, host: 127.0.0.1, port: {server.port}, tls: none}}\n"
    members, others = ("    account: outbox\n    audience: " + name for name in ("members", "others"))
    changes = {
        "accounts:\n": mail,
        members: members.replace("outbox", "mail"),
        others: others.replace("outbox", "mail"),
    }
    with site_of(project, **changes) as made:
        yield made


def signups(site: Site) -> Signups:
    return Signups(site.app.database(), site.app.keys(), site.clock)


def ask(site: Site, *addresses: str, lists: tuple[str, ...] = ("weekly",)) -> None:
    for address in addresses:
        signups(site).ask(Visit(address, lists, "Yes."))


def asked(site: Site) -> list[str]:
    return sorted(str(one["To"]) for one in site.mails())


ADDRESSES = ("ada@example.org", "bob@example.net", "eve@example.com")


def test_many_are_one_edition_and_each_has_a_link_of_their_own(site: Site) -> None:
    ask(site, *ADDRESSES)
    settle(site.app)
    assert asked(site) == sorted(ADDRESSES)
    (row,) = site.app.ledger().editions("confirmation+")
    assert (row.kind, row.account, row.state, row.counts["sent"]) == ("confirmation", "outbox", "done", 3)  # type: ignore[index]
    assert len({str(one.get_content()) for one in site.mails()}) == 3
    assert len({str(one["Message-ID"]) for one in site.mails()}) == 3
    settle(site.app)
    assert len(site.app.ledger().editions("confirmation+")) == 1
    assert site.rows()["signup"] == []


def test_lists_of_one_person_are_one_mail_that_names_them(site: Site) -> None:
    ask(site, "ada@example.org", lists=("weekly",))
    ask(site, "ada@example.org", lists=("daily", "weekly"))
    settle(site.app)
    (mail,) = site.mails()
    assert "Daily, Weekly" in mail.get_content()


def test_a_process_that_ends_before_it_has_entered_a_batch_loses_nobody(site: Site) -> None:
    ask(site, *ADDRESSES)
    signups(site).batch(lambda lists: "outbox")
    ask(site, "later@example.edu")
    settle(site.app)
    settle(site.app)
    assert asked(site) == sorted([*ADDRESSES, "later@example.edu"])


def test_a_process_that_ends_after_it_has_entered_a_batch_asks_nobody_twice(site: Site) -> None:
    ask(site, *ADDRESSES)
    (batch,) = signups(site).batch(lambda lists: "outbox")
    with site.app.database().reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM signup").all()
    enter(site.app, signups(site), *batch)
    with site.app.database().writing() as connection:  # as if the last commit had not come
        for row in rows:
            connection.exec_driver_sql(f"INSERT INTO signup VALUES ({', '.join('?' * len(row))})", tuple(row))
    settle(site.app)
    assert asked(site) == sorted(ADDRESSES)
    assert site.rows()["signup"] == []


def test_postmen_who_work_at_once_ask_everybody_once(site: Site) -> None:
    addresses = [f"reader{number}@example{number}.org" for number in range(20)]

    def sign_up_and_settle(number: int) -> None:
        ask(site, *addresses[number::4])
        settle(site.app)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sign_up_and_settle, range(4)))
    settle(site.app)
    assert asked(site) == sorted(addresses)
    found = [site.store.find(address) for address in addresses]
    assert {one.memberships[0].state for one in found if one} == {Standing.PENDING}


def test_in_a_rehearsal_nobody_is_asked_and_nobody_is_forgotten(mailing: Site, server: SmtpServer) -> None:
    ask(mailing, *ADDRESSES)
    assert settle(mailing.app) == 0
    assert server.connections == 0
    assert mailing.store.find("ada@example.org") is None, "not even taken into the store"
    live = replace(mailing.app, settings=replace(mailing.app.settings, mode="live"))  # type: ignore[arg-type]
    assert settle(live) == 1
    assert sorted(one.recipient for one in server.journal) == sorted(ADDRESSES)


def test_a_server_that_wants_to_be_asked_later_gets_the_same_bytes_then(mailing: Site, server: SmtpServer) -> None:
    live = replace(mailing.app, settings=replace(mailing.app.settings, mode="live"))  # type: ignore[arg-type]
    server.fault("dot", Fault(b"451 4.7.1 greylisted, come back\r\n", keep=True))
    ask(mailing, "ada@example.org")
    settle(live)
    mailing.clock.advance(timedelta(hours=1))
    deliver_unfinished(live)
    first, second = server.journal
    assert first.data == second.data
    (row,) = mailing.app.ledger().editions("confirmation+")
    assert row.counts["sent"] == 1  # type: ignore[index]


def test_the_account_is_that_of_the_channel_that_serves_the_list(site: Site) -> None:
    assert account_of(site.app, ["weekly"]) == account_of(site.app, ["nobody", "daily"]) == "outbox"
    assert account_of(site.app, ["readers"]) == "", "an audience from a file has no sign-up"
    assert account_of(site.app, ["nobody"]) == ""


def test_one_who_complained_is_never_asked_and_one_who_left_is(site: Site) -> None:
    site.store.suppress("eve@example.com", "complained")
    site.store.unsubscribe("bob@example.net", "weekly", source="test")
    site.store.unsubscribe("ada@example.org", source="test")
    ask(site, *ADDRESSES)
    settle(site.app)
    assert asked(site) == ["ada@example.org", "bob@example.net"]


def test_who_complains_while_the_question_waits_is_not_asked(site: Site) -> None:
    ask(site, "ada@example.org", "bob@example.net")
    (batch,) = signups(site).batch(lambda lists: "outbox")
    enter(site.app, signups(site), *batch)
    site.store.suppress("ada@example.org", "complained")
    deliver_unfinished(site.app)
    assert asked(site) == ["bob@example.net"]
