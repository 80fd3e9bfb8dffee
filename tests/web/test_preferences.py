"""What readers change by the links of their letters, and what a letter shows in the browser."""

import re
from datetime import timedelta

import pytest

from syndicate.audience.tokens import Purpose
from syndicate.model.people import Standing
from tests.web.site import LINKS, Site, link_of, path_of


def active(site: Site, address: str = "ada@example.org") -> list[str]:
    found = site.store.find(address)
    assert found
    return [one.list for one in found.memberships if one.state is Standing.ACTIVE]


def checked(text: str) -> list[str]:
    return re.findall(r'value="(\w+)" checked', text)


def test_the_page_shows_what_somebody_gets_and_takes_a_list_away_at_once(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, site.subscribed("ada@example.org", "weekly", "daily"))
    page = site.get(link)
    assert checked(page.text) == ["weekly", "daily"]
    assert "a…@example.org" in page.text
    assert "ada@" not in page.text
    saved = site.post(link, ("list", "daily"), ("name", ""), ("do", "save"))
    assert (saved.status, checked(saved.text)) == (200, ["daily"])
    assert active(site) == ["daily"]


def test_a_list_more_is_asked_about_by_mail(site: Site) -> None:
    link = site.link(Purpose.PREFERENCES, site.subscribed("ada@example.org", "weekly"))
    site.clock.advance(timedelta(days=2))
    saved = site.post(link, ("list", "weekly"), ("list", "daily"), ("name", ""), ("do", "save"))
    assert "open the link in the mail" in saved.text
    assert site.woken
    site.settle()
    assert active(site) == ["weekly"]
    site.post(link_of(site.mails()[-1], "/c/"), ("list", "daily"))
    assert sorted(active(site)) == ["daily", "weekly"]


def test_a_name_is_kept_if_it_is_one(site: Site) -> None:
    reader = site.subscribed("ada@example.org")
    link = site.link(Purpose.PREFERENCES, reader)
    for name, kept in [("Ada Okafor", "Ada Okafor"), ("Ада О’Нил-Şen Jr.", "Ада О’Нил-Şen Jr."), ("", "")]:
        assert site.post(link, ("list", "weekly"), ("name", name), ("do", "save")).status == 200
        assert site.store.find(reader).name == kept  # type: ignore[union-attr]
    for name in (
        "Win $$ http://evil.test",
        "www.evil",
        "evil.test",
        "a@b",
        "a\r\nBcc: b",
        "x" * 101,
        "<b>",
        "\u202eadA",
    ):
        answer = site.post(link, ("list", "weekly"), ("name", name), ("do", "save"))
        assert (answer.status, "evil.test" in answer.text) == (400, False)
        assert site.store.find(reader).name == ""  # type: ignore[union-attr]


def test_leaving_all_lists_counts_for_those_to_come(site: Site) -> None:
    reader = site.subscribed("ada@example.org", "weekly", "daily")
    assert site.post(site.link(Purpose.PREFERENCES, reader), ("do", "all")).status == 200
    assert active(site) == []
    assert site.store.refusals(["ada@example.org"], "any list to come")


@pytest.mark.parametrize("does", ["leave", "all"])
def test_a_mistake_can_be_taken_back_within_the_hour_and_not_later(site: Site, does: str) -> None:
    link = site.link(Purpose.UNSUBSCRIBE, site.subscribed("ada@example.org", "weekly", "daily"))
    left = site.post(link, ("do", does))
    assert left.title == "You are unsubscribed"
    assert len(site.mails()) == 1, "nobody is told by mail"
    assert sorted(active(site)) == ([] if does == "all" else ["daily"])
    site.clock.advance(timedelta(minutes=59))
    assert site.post(link, ("do", "back")).title == "You are back"
    assert sorted(active(site)) == ["daily", "weekly"]
    assert site.store.refusals(["ada@example.org"], "weekly") == {}
    site.post(link, ("do", does))
    site.clock.advance(timedelta(minutes=61))
    assert site.post(link, ("do", "back")).status == 410
    assert sorted(active(site)) == ([] if does == "all" else ["daily"])


def test_a_reader_from_a_file_leaves_and_comes_back(site: Site) -> None:
    site.tick()
    mail = next(one for one in site.mails("ravi@example.net"))
    link, page = path_of(link_of(mail, "/u/")), path_of(link_of(mail, "/p/"))
    assert checked(site.get(page).text) == ["readers"]
    assert "r…@example.net" in site.get(link).text
    site.post(page, ("do", "save"))
    assert site.store.refusals(["ravi@example.net"], "readers")
    assert checked(site.get(page).text) == []
    site.post(page, ("list", "readers"), ("do", "save"))
    assert site.store.refusals(["ravi@example.net"], "readers") == {}
    site.post(link, ("do", "all"))
    assert site.store.refusals(["ravi@example.net"], "another")
    assert site.post(link, ("do", "back")).title == "You are back"
    assert site.store.suppressions("ravi@example.net") == ()


def test_whoever_was_erased_finds_working_pages_that_know_nothing(site: Site) -> None:
    reader = site.subscribed("ada@example.org")
    links = [site.link(purpose, reader) for purpose in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES)]
    site.store.erase("ada@example.org")
    before = site.rows()
    for link in links:
        assert site.get(link).status == 200
        assert "example.org" not in site.get(link).text
    for fields in ([("do", "leave")], [("do", "all")], [("List-Unsubscribe", "One-Click")]):
        assert site.post(links[0], *fields).status == 200
    assert site.post(links[1], ("list", "weekly"), ("name", "Ada"), ("do", "save")).status == 200
    assert site.rows() == before


@pytest.mark.parametrize("does", ["", "leave", "everything"])
def test_what_the_pages_do_not_send_changes_nothing(site: Site, does: str) -> None:
    link = site.link(Purpose.PREFERENCES, site.subscribed("ada@example.org"))
    before = site.rows()
    assert site.post(link, ("do", does)).status == 400
    assert site.rows() == before


def test_an_audience_that_was_renamed_is_left_under_its_new_name_too(site: Site) -> None:
    from dataclasses import replace

    from syndicate.web.office import desk

    site.tick()
    token = link_of(site.mails("ravi@example.net")[0], "/u/").rpartition("/")[2]
    settings = site.app.settings
    renamed = replace(settings.audiences["readers"], list="members-of-old")
    audiences = {"members-of-old": renamed}
    channels = {"weekly-digest": replace(settings.channels["weekly-digest"], audience="members-of-old")}
    later = desk(replace(site.app, settings=replace(settings, audiences=audiences, channels=channels)))
    holder = later.choices.holder(Purpose.UNSUBSCRIBE, token)
    assert holder
    later.choices.leave(holder, "one-click")
    assert {one.list for one in site.store.suppressions("ravi@example.net")} == {"readers", "members-of-old"}


def test_a_letter_in_the_browser_is_nobody_s_own(site: Site) -> None:
    site.subscribed("ada@example.org")
    site.tick()
    mail = site.mails("ada@example.org")[-1]
    part = mail.get_body(("plain",))
    assert part
    found = re.search(rf"{LINKS}(/v/\S+)", part.get_content())
    assert found
    page = site.get(found[1])
    assert page.status == 200
    assert "The Rise of MLOps Training in India" in page.text
    assert "slot-" not in page.text
    assert "ada@" not in page.text
    assert not re.search(rf"{LINKS}/[upc]/", page.text)
    assert "sandbox" in page.header("content-security-policy")
    assert "script" not in page.header("content-security-policy")
    wrong = found[1][:-1] + ("0" if found[1][-1] != "0" else "1")
    assert [site.get(path).status for path in (wrong, found[1].replace("/v/", "/v/A"), f"{found[1]}/")] == [404] * 3


def test_a_letter_that_was_not_sent_is_not_shown(site: Site) -> None:
    from syndicate.audience.links import view
    from syndicate.testing.entries import entry

    site.app.ledger().enter(entry("secret/1", plan="{}"), site.clock())
    keys = site.app.keys()
    for key in ("secret/1", "nothing/1", "confirmation+/1"):
        assert site.get(path_of(view(keys, LINKS, key))).status == 404
