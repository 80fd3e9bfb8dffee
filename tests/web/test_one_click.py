"""One-click unsubscribing (RFC 8058), from a raw socket as a mailbox provider has it."""

import pytest

from syndicate.audience.tokens import Purpose
from syndicate.model.people import Standing
from tests.web.conftest import Rest
from tests.web.site import Site, link_of, parse, path_of

BODY = b"List-Unsubscribe=One-Click"
URLENCODED = "application/x-www-form-urlencoded"


def standing(site: Site, address: str = "ada@example.org") -> dict[str, Standing]:
    found = site.store.find(address)
    assert found
    return {one.list: one.state for one in found.memberships}


@pytest.fixture
def link(site: Site) -> str:
    """Of ada, who is on both lists, for the first of them."""
    return site.link(Purpose.UNSUBSCRIBE, site.subscribed("ada@example.org", "weekly", "daily"))


def test_the_bytes_of_a_mailbox_provider_unsubscribe_from_the_list_of_the_mail_alone(site: Site, link: str) -> None:
    request = (
        f"POST {link} HTTP/1.1\r\nHost: news.magick.test\r\nContent-Type: {URLENCODED}\r\n"
        "Content-Length: 26\r\nOrigin: null\r\nConnection: close\r\n\r\n"
    )
    answer = parse(site.raw(request.encode() + BODY))
    assert (answer.status, answer.text) == (200, "You are unsubscribed.\n")
    assert not {"set-cookie", "location"} & {name for name, _ in answer.headers}
    assert standing(site) == {"weekly": Standing.UNSUBSCRIBED, "daily": Standing.ACTIVE}
    (suppressed,) = site.store.suppressions("ada@example.org")
    assert (suppressed.list, suppressed.source) == ("weekly", "one-click")


def test_once_more_is_the_same(site: Site, link: str) -> None:
    answers = [site.ask("POST", link, BODY, Content_Type=URLENCODED) for _ in range(3)]
    assert {(one.status, one.text) for one in answers} == {(200, "You are unsubscribed.\n")}
    assert len(site.store.suppressions("ada@example.org")) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (BODY + b"&x=y", URLENCODED),
        (b"x=y&" + BODY, URLENCODED + "; charset=UTF-8"),
        (
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_both_encodings_of_a_form_are_understood(site: Site, link: str, body: bytes, kind: str) -> None:
    assert site.ask("POST", link, body, Content_Type=kind).status == 200
    assert standing(site)["weekly"] is Standing.UNSUBSCRIBED


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", URLENCODED),
        (b"list-unsubscribe=one-click", URLENCODED),
        (b"List-Unsubscribe=One-Clic", URLENCODED),
        (b"List-Unsubscribe=One-Click ", URLENCODED.replace("urlencoded", "nothing")),
        (b"List-Unsubscribe=One-Click&List-Unsubscribe=No", URLENCODED),
        (BODY, "text/plain"),
        (BODY, "application/json"),
        (b'{"List-Unsubscribe": "One-Click"}', "application/json"),
        (b"--b\r\n", "multipart/form-data; boundary=b"),
        (b"--b\r\n", "multipart/form-data"),
        (b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"; filename="x"\r\n\r\nOne-Click\r\n--b--\r\n',
         "multipart/form-data; boundary=b"),
        (b"&".join([b"a=b"] * 1000), URLENCODED),
        (b"\xff\xfe=\x00%ff%00", URLENCODED),
    ],
)  # fmt: skip
def test_any_other_body_is_refused_and_changes_nothing(rest: Rest, body: bytes, kind: str) -> None:
    before = rest.site.rows()
    assert rest.site.ask("POST", rest.link, body, Content_Type=kind).status == 400
    assert rest.site.rows() == before


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_no_other_method_changes_anything(rest: Rest, method: str) -> None:
    before = rest.site.rows()
    looks = {"Purpose": "prefetch", "Sec_Purpose": "prefetch", "X_HTTP_Method_Override": "POST"}
    answer = rest.site.ask(
        method,
        rest.link,
        BODY if method in {"PUT", "PATCH"} else b"",
        Content_Type=URLENCODED,
        **looks,
    )
    assert answer.status == (200 if method in {"GET", "HEAD"} else 405)
    assert (answer.body == b"") == (method == "HEAD")
    assert rest.site.rows() == before


def test_the_link_outlives_its_key_its_list_and_the_person(site: Site, link: str) -> None:
    folder = site.project.folder
    old = (folder / "var" / "secret").read_text().strip()
    assert len(old) >= 16
    from syndicate.audience.links import Directory
    from syndicate.audience.tokens import Keys

    later = Keys([b"another key that signs", site.app.secret()])
    token = link.rpartition("/")[2]
    found = Directory(site.app.database(), later, site.store.list_named).holder(Purpose.UNSUBSCRIBE, token)
    assert found is not None
    assert found.list == "weekly"
    site.store.erase("ada@example.org")
    assert site.ask("POST", link, BODY, Content_Type=URLENCODED).status == 200
    assert site.get(link).status == 200


def test_readers_from_a_file_leave_too_and_are_not_mailed_again(site: Site) -> None:
    site.tick()
    (mail,) = site.mails("ravi@example.net")
    url = str(mail["List-Unsubscribe"]).strip("<>")
    assert len(url) <= 60
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert site.ask("POST", path_of(url), BODY, Content_Type=URLENCODED).status == 200
    assert [one.list for one in site.store.suppressions("ravi@example.net")] == ["readers"]
    assert site.store.suppressions("ada@example.org") == ()
    assert link_of(mail, "/u/") == url
