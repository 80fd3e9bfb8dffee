"""Sign-up with double opt-in, and what strangers try with it."""

import re
from datetime import timedelta

import pytest

from syndicate.audience.tokens import Purpose
from syndicate.model.people import Reason, Standing
from syndicate.web import pages
from tests.web.site import LINKS, MORNING, Site, link_of, path_of

HOSTILE = 'Win $$ http://evil.test"><script>alert(1)</script>'


def test_the_way_from_the_form_to_the_list(site: Site) -> None:
    answer = site.sign_up("Ada@Example.org", "weekly")
    assert (answer.status, answer.title) == (200, "Look into your mailbox")
    assert site.woken
    assert site.mails() == []
    site.settle()
    (mail,) = site.mails()
    assert mail["To"] == "Ada@example.org"
    link = link_of(mail, "/c/")
    assert len(link) <= 60
    page = site.get(link)
    assert (page.status, page.title) == (200, "Almost done")
    assert site.post(link, ("list", "weekly")).title == "Welcome"
    found = site.store.find("ada@example.org")
    assert found
    assert [(one.list, one.state) for one in found.memberships] == [("weekly", Standing.ACTIVE)]
    assert site.post(link, ("list", "weekly")).title == "Welcome", "twice is the same"
    assert site.get(link).title == "Welcome"


def test_what_the_visitor_read_and_where_they_were_is_on_record(site: Site) -> None:
    site.subscribed("ada@example.org")
    asked, confirmed = site.store.show("ada@example.org").consents
    assert (asked.what, confirmed.what) == ("asked", "confirmed")
    assert asked.source == "form"
    assert asked.wording.splitlines() == [
        pages.words("en").subscribe.consent.format(publication="Magick AI Dispatch"),
        "Weekly: Every Monday, in ten minutes",
    ]
    assert asked.ip == confirmed.ip == "127.0.0.1"
    assert confirmed.source == "confirmation"


def test_the_mail_is_plain_says_that_no_person_wrote_it_and_holds_nothing_of_the_visitor(site: Site) -> None:
    site.post(
        "/subscribe",
        ("list", "weekly"),
        ("email", "ada@example.org"),
        ("name", HOSTILE),
        ("form", site.nonce()),
        User_Agent=HOSTILE,
        Referer="http://evil.test/",
        Accept_Language="de",
    )
    site.settle()
    (mail,) = site.mails()
    assert mail.get_content_type() == "text/plain"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not [name for name in mail if name.lower().startswith("list-")]
    assert "evil" not in mail.as_string()
    assert re.findall(r"https?://[^/\s,]+", mail.get_content()) == [LINKS, "https://magick.ai"]


def test_nobody_can_tell_who_is_known(site: Site) -> None:
    site.subscribed("ada@example.org", "weekly")
    site.store.suppress("bounced@example.net", Reason.BOUNCE)
    site.store.erase("gone@example.com")
    site.clock.advance(timedelta(days=2))
    visitors = [
        "nobody@example.edu",
        "ada@example.org",
        "bounced@example.net",
        "gone@example.com",
        "nobody@example.edu",
    ]
    answers = [site.sign_up(one, source=f"127.0.1.{number}") for number, one in enumerate(visitors, 1)]
    told = {(one.status, one.body, tuple((k, v) for k, v in one.headers if k != "date")) for one in answers}
    assert len(told) == 1
    before = len(site.mails())
    site.settle()
    assert [str(one["To"]) for one in site.mails()[before:]] == ["nobody@example.edu"]


def test_one_mail_for_one_victim_however_often_and_from_wherever(site: Site) -> None:
    for number in range(40):
        assert site.sign_up("victim@example.org", source=f"127.0.{number}.1").status == 200
        site.settle()
    assert len(site.mails()) == 1
    (row,) = site.app.ledger().editions("confirmation+")
    assert row.counts["sent"] == 1  # type: ignore[index]
    assert site.app.ledger().editions() == [], "the list of editions is about letters"


def test_a_visitor_who_asks_too_often_is_told(site: Site) -> None:
    answers = [site.sign_up(f"reader{number}@example{number}.org") for number in range(6)]
    assert [one.status for one in answers] == [200] * 5 + [429]


def test_an_old_confirmation_works_no_more_and_a_new_one_does(site: Site) -> None:
    site.sign_up("ada@example.org")
    site.settle()
    link = link_of(site.mails()[0], "/c/")
    site.clock.advance(timedelta(days=8))
    assert site.get(link).status == site.post(link, ("list", "weekly")).status == 410
    site.sign_up("ada@example.org")
    site.settle()
    assert site.post(link, ("list", "weekly")).title == "Welcome"


def test_a_confirmation_brings_back_nobody_who_has_left(site: Site) -> None:
    reader = site.subscribed("ada@example.org")
    site.store.unsubscribe(reader, "weekly", source="test")
    assert site.post(site.link(Purpose.CONFIRM, reader), ("list", "weekly")).status == 410
    assert site.post(link_of(site.mails()[0], "/c/"), ("list", "weekly")).status == 410
    assert site.store.suppressions("ada@example.org")


@pytest.mark.parametrize("everywhere", [True, False])
def test_who_has_left_may_come_back_by_asking_again(site: Site, everywhere: bool) -> None:
    reader = site.subscribed("ada@example.org")
    site.store.unsubscribe(reader, *([] if everywhere else ["weekly"]), source="test")
    site.clock.advance(timedelta(days=2))
    assert site.subscribed("ada@example.org") == reader
    assert site.store.refusals(["ada@example.org"], "weekly") == {}


def test_only_what_the_page_showed_is_confirmed(site: Site) -> None:
    site.sign_up("ada@example.org", "weekly")
    site.settle()
    link = link_of(site.mails()[0], "/c/")
    site.sign_up("ada@example.org", "daily", source="127.0.0.66")
    site.settle()
    site.post(link, ("list", "weekly"), ("list", "secret"))
    found = site.store.find("ada@example.org")
    assert found
    states = {one.list: one.state for one in found.memberships}
    assert states == {"weekly": Standing.ACTIVE, "daily": Standing.PENDING}


FORM = {"list": "weekly", "email": "ada@example.org", "website": ""}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([("list", "weekly")], 400),
        ([("list", "weekly"), ("email", "a@example.org"), ("email", "b@example.org")], 400),
        ([("list", "weekly"), ("email[]", "a@example.org")], 400),
        ([("email", "a@example.org")], 400),
        ([("list", "secret"), ("email", "a@example.org")], 400),
        ([("list", "readers"), ("email", "a@example.org")], 400),
        ([("list", "wéekly ☃"), ("email", "a@example.org")], 400),
        ([("list", "weekly"), ("email", "abuse@example.org")], 400),
        ([("list", "weekly"), ("email", "a@b@example.org")], 400),
        ([("list", "weekly"), ("email", "=?x?q?=41?=@example.org")], 400),
        ([("list", "weekly"), ("email", "a@example.org\r\nBcc: x@example.org")], 400),
        ([("list", "weekly"), ("email", "a\0@example.org")], 400),
        ([("list", "weekly"), ("email", "x" * 5000 + "@example.org")], 400),
        ([("list", "weekly"), ("email", HOSTILE)], 400),
        ([("list", "weekly"), ("email", "a@example.org"), ("website", "https://evil.test")], 200),
    ],
)
def test_a_form_that_people_do_not_send_asks_nobody(site: Site, fields: list[tuple[str, str]], status: int) -> None:
    answer = site.post("/subscribe", *fields, ("form", site.nonce()), ("next", "//evil.test"))
    assert answer.status == status
    assert "evil.test" not in answer.header("location")
    assert "<script>" not in answer.text
    assert site.rows()["signup"] == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=b", ""])
def test_a_body_that_is_no_form_asks_nobody(site: Site, kind: str) -> None:
    answer = site.ask("POST", "/subscribe", b'{"email": "a@example.org", "list": "weekly"}', Content_Type=kind)
    assert answer.status == 400
    assert site.rows()["signup"] == []


def test_a_form_of_another_time_or_maker_is_shown_again_with_what_was_filled_in(site: Site) -> None:
    fresh = site.nonce()
    forged = fresh[:-1] + ("A" if fresh[-1] != "A" else "B")
    older = f"{int(MORNING.timestamp()) - 90_000:010}{fresh[10:]}"
    fields = (("list", "daily"), ("email", "ada@example.org"))
    for nonce in ("", "x", forged, older, "9" * 10_000):
        answer = site.post("/subscribe", *fields, ("form", nonce))
        assert answer.status == 400
        assert 'value="ada@example.org"' in answer.text
        assert 'value="daily" checked' in answer.text
    site.clock.advance(timedelta(hours=24))
    assert site.post("/subscribe", *fields, ("form", fresh)).status == 400
    again = site.nonce()
    assert [site.post("/subscribe", *fields, ("form", again)).status for _ in range(2)] == [200, 400]
    site.clock.advance(timedelta(seconds=-3))
    quick = site.nonce()
    site.clock.advance(timedelta(seconds=-2))
    assert "very quick" in site.post("/subscribe", *fields, ("form", quick)).text


def test_a_proxy_is_believed_only_where_it_is_listed(site: Site) -> None:
    lies = {"X_Forwarded_For": "198.51.100.7", "X_Real_IP": "198.51.100.7", "X_Forwarded_Host": "evil.test"}
    site.sign_up("ada@example.org", source="127.0.0.1", **lies)
    site.sign_up("bob@example.net", source="127.0.0.9", X_Forwarded_For="10.0.0.1, 198.51.100.8")
    with site.app.database().reading() as connection:
        assert connection.exec_driver_sql("SELECT ip FROM signup ORDER BY id").scalars().all() == [
            "127.0.0.1",
            "198.51.100.8",
        ]


def test_links_come_from_the_configuration_alone(site: Site) -> None:
    site.sign_up("ada@example.org", Host="letters.magick.test")
    site.settle()
    assert path_of(link_of(site.mails()[0], "/c/")).startswith("/c/")
