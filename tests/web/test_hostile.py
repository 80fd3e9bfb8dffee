"""What strangers send: paths, hosts, bodies, tokens. Nothing of it changes anything or tells anything."""

import re
import socket
import threading
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
import uvicorn

from syndicate.audience.tokens import Purpose
from syndicate.testing.log import Heard
from syndicate.web import server
from syndicate.web.guard import FORM, Guard
from syndicate.web.office import Office
from syndicate.web.routes import application
from tests.project import Project
from tests.web.conftest import Rest
from tests.web.site import LINKS, Site, link_of, parse, site_of

URLENCODED = "application/x-www-form-urlencoded"
HEAD = ("POST /subscribe HTTP/1.1", "Host: news.magick.test", f"Content-Type: {URLENCODED}")
BODY = b"List-Unsubscribe=One-Click"


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    return ("\r\n".join([line, *headers, "Connection: close"]) + "\r\n\r\n").encode("latin-1") + body


@pytest.mark.parametrize(
    "path",
    [
        "/", "//", "//subscribe", "/subscribe/", "/SUBSCRIBE", "/subscribe%2f", "/subscribe;x", "/./subscribe",
        "/x/../subscribe", "/subscribe%00", "/%2e%2e/%2e%2e/etc/passwd", "/style.css/..%2f..%2fstyle.css",
        "/static/%5c..%5c", "/docs", "/redoc", "/openapi.json", "/u", "/u/", "/p/", "/c/", "/v/", "/v/x", "/admin",
        "/.git/config", "/u/a/b", "/hooks", "/hooks/x", "/hooks/x/y/", "/healthz/", "/metrics/", "/METRICS",
    ],
)  # fmt: skip
def test_what_is_no_route_is_not_found(rest: Rest, path: str) -> None:
    answer = rest.site.ask("GET", path)
    assert (answer.status, answer.text) == (404, "not found\n")
    assert answer.header("location") == ""


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/style.css"), ("DELETE", "/subscribe"), ("GET", "/hooks/x/y"), ("HEAD", "/hooks/x/y"),
     ("OPTIONS", "/hooks/x/y"), ("TRACE", "/hooks/x/y"), ("POST", "/metrics"), ("OPTIONS", "/subscribe")],
)  # fmt: skip
def test_another_method_is_not_allowed(rest: Rest, method: str, path: str) -> None:
    answer = rest.site.ask(method, path)
    assert answer.status == 405
    assert answer.header("allow")


def test_a_hook_that_is_not_configured_is_not_found(rest: Rest) -> None:
    answer = rest.site.ask("POST", "/hooks/sendgrid/secret", b"[]", Content_Type="application/json")
    assert (answer.status, answer.text) == (404, "not found\n")


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.CONFIRM])
def test_every_token_that_is_none_of_ours_has_one_answer(rest: Rest, purpose: Purpose) -> None:
    reader = rest.reader
    links = {one: rest.site.link(one, reader) for one in (Purpose.UNSUBSCRIBE, Purpose.PREFERENCES, Purpose.CONFIRM)}
    page, good = links[purpose].rsplit("/", 1)
    others = [link.rsplit("/", 1)[1] for one, link in links.items() if one is not purpose]
    flipped = [good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :] for at in range(20)]
    wrong = [
        *flipped,
        *others,
        "..",
        "%00",
        "x" * 10_000,
        good.swapcase(),
        good + ".",
        good[:-1],
        quote("☃" * 7),
        "%FF" * 20,
    ]
    before, told = rest.site.rows(), set()
    for token in wrong:
        for method, body in (
            ("GET", b""),
            ("POST", BODY),
            ("POST", b"do=all"),
            ("POST", b"do=save"),
            ("POST", b"list=weekly"),
        ):
            answer = rest.site.ask(method, f"{page}/{token}", body, Content_Type=URLENCODED)
            told.add((answer.status, answer.body))
    assert len(told) == 1, [status for status, _ in told]
    assert told.pop()[0] == 404
    assert rest.site.rows() == before
    assert rest.site.get(f"{page}/{good}?x=1").status == 200
    assert rest.site.ask("GET", f"{page}/{good}/").status == 404


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        (200, ["GET /subscribe HTTP/1.1", "Host: news.magick.test"]),
        (200, ["GET /subscribe HTTP/1.1", "Host: NEWS.magick.test:8443"]),
        (200, ["GET /subscribe HTTP/1.1", "Host: letters.magick.test"]),
        (200, ["GET /subscribe HTTP/1.1", "Host: 127.0.0.1:8000"]),
        (400, ["GET /subscribe HTTP/1.1", "Host: evil.test"]),
        (400, ["GET /subscribe HTTP/1.1", "Host: news.magick.test.evil.test"]),
        (400, ["GET /subscribe HTTP/1.1", "Host: news.magick.test", "Host: evil.test"]),
        (400, ["GET /subscribe HTTP/1.1", "Host: "]),
        (400, ["GET /subscribe HTTP/1.1"]),
        (400, ["GET /subscribe HTTP/1.0"]),
        (400, ["GET /subscribe HTTP/1.1", "X-Forwarded-Host: news.magick.test", "Host: evil.test"]),
        (404, ["GET http://evil.test/subscribe HTTP/1.1", "Host: news.magick.test"]),
        (400, ["GET /subscribe HTTP/1.1", "Host: news.magick.test", "X-Big: " + "x" * 40_000]),
        (400, ["GET /subscribe HTTP/1.1", "Host: news.magick.test", *[f"X-{n}: {'x' * 40}" for n in range(1000)]]),
        (400, ["GET /sub scribe HTTP/1.1", "Host: news.magick.test"]),
        (400, ["nonsense"]),
        (400, ["POST /subscribe HTTP/1.1", "Host: news.magick.test", "Content-Length: -1"]),
        (400, ["POST /subscribe HTTP/1.1", "Host: news.magick.test", "Content-Length: 5", "Content-Length: 6"]),
        (413, ["POST /subscribe HTTP/1.1", "Host: news.magick.test", f"Content-Length: {FORM + 1}"]),
        (413, ["POST /hooks/a/b HTTP/1.1", "Host: news.magick.test", "Content-Length: 5000001"]),
    ],
)
def test_a_request_for_somebody_else_or_of_no_size_is_refused(rest: Rest, status: int, lines: list[str]) -> None:
    assert parse(rest.site.raw(request(*lines))).status == status


def test_a_proxy_s_visitor_is_not_on_this_machine(rest: Rest) -> None:
    head = ("GET /subscribe HTTP/1.1", "Host: 127.0.0.1", "X-Forwarded-For: 198.51.100.7")
    assert parse(rest.site.raw(request(*head), source="127.0.0.9")).status == 400
    assert parse(rest.site.raw(request(*head))).status == 200, "nobody believes that header from others"


def chunked(size: int) -> bytes:
    piece = b"x" * 16_384
    return b"".join(b"4000\r\n" + piece + b"\r\n" for _ in range(size // len(piece))) + b"0\r\n\r\n"


def test_a_body_that_grows_on_the_way_is_cut_off(rest: Rest) -> None:
    head = (
        "POST /subscribe HTTP/1.1",
        "Host: news.magick.test",
        f"Content-Type: {URLENCODED}",
        "Transfer-Encoding: chunked",
    )
    received = rest.site.raw(request(*head, body=chunked(FORM * 2)[: FORM + 40_000]))
    assert parse(received).status == 413


def test_two_lengths_of_one_body_are_one_request_at_most(rest: Rest) -> None:
    smuggled = b"0\r\n\r\nPOST /subscribe HTTP/1.1\r\nHost: news.magick.test\r\n\r\n"
    head = ("POST /subscribe HTTP/1.1", "Host: news.magick.test", "Content-Length: 5", "Transfer-Encoding: chunked")
    received = rest.site.raw(request(*head, body=smuggled))
    assert received.count(b"HTTP/1.1 ") == 1
    assert parse(received).status == 400


def test_a_metric_is_for_this_machine_and_no_proxy_s_visitor(rest: Rest) -> None:
    assert rest.site.get("/metrics").status == 404, "this server was given no numbers"
    assert rest.site.get("/healthz").text == "ok\n"


def test_every_answer_says_what_a_browser_may_do_with_it(site: Site) -> None:
    token = site.link(Purpose.UNSUBSCRIBE, site.subscribed("ada@example.org"))
    for answer in (
        site.get("/subscribe"), site.get(token), site.get("/nothing"), site.get("/style.css"), site.get("/u/x"),
        site.ask("DELETE", "/subscribe"), site.ask("GET", "/subscribe", Host="evil.test"),
        site.ask("POST", token, BODY, Content_Type=URLENCODED),
    ):  # fmt: skip
        assert answer.header("referrer-policy") == "no-referrer"
        assert answer.header("x-content-type-options") == "nosniff"
        assert "noindex" in answer.header("x-robots-tag")
        policy = answer.header("content-security-policy")
        assert policy.startswith("default-src 'none'")
        assert "script-src" not in policy
        assert "unsafe-inline" not in policy
        assert answer.header("set-cookie") == answer.header("server") == answer.header("location") == ""
    assert not re.search(r"<script|\son\w+=|style=", site.get("/subscribe").text)


def test_a_slow_body_is_not_waited_for(site: Site) -> None:

    office = Office(lambda: site.app)
    guard = Guard(application(office, Heard().log, lambda: None), lambda: office().hosts, print, patience=0.05)
    listener = server.listen("127.0.0.1", 0)
    running = uvicorn.Server(server.configuration(guard, ()))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    with socket.create_connection(listener.getsockname(), 10) as connection:
        head = (
            "POST /subscribe HTTP/1.1",
            "Host: news.magick.test",
            f"Content-Type: {URLENCODED}",
            "Content-Length: 9",
        )
        connection.sendall(request(*head, body=b"email="))
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
    running.should_exit = True
    thread.join()
    listener.close()


def test_a_crawler_that_follows_every_link_of_every_mail_changes_nothing(site: Site) -> None:
    """As do the scanners of mailbox providers, browsers that load ahead, and previews in chats."""
    site.sign_up("bob@example.net", "daily")
    site.subscribed("ada@example.org")
    site.tick()
    mails = site.mails()
    assert len(mails) >= 6
    found = set()
    for mail in mails:
        for part in mail.walk():
            if part.get_content_maintype() == "text":
                found |= set(re.findall(rf"{re.escape(LINKS)}[^\s\"'<>]*", part.get_content()))
        found |= set(re.findall(rf"{re.escape(LINKS)}[^\s<>]*", str(mail["List-Unsubscribe"]) + str(mail["List-Help"])))
    pages = {urlsplit(url).path.split("/")[1] for url in found}
    assert pages == {"u", "p", "c", "v", "subscribe"}
    before = site.rows()
    for url in sorted(found):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = site.ask(method, url.removeprefix(LINKS), Sec_Purpose="prefetch", Purpose="prefetch")
            assert answer.status == (405 if method == "OPTIONS" else 200), url
    assert site.rows() == before


def test_pages_below_a_path_are_there_and_nowhere_else(project: Project) -> None:
    with site_of(project, **{f"links: {LINKS}": f"links: {LINKS}/letters"}) as site:
        assert site.address.endswith("/letters")
        page = site.get("/letters/subscribe")
        assert 'action="/letters/subscribe"' in page.text
        assert site.get(re.findall(r'href="(/letters/style[^"]+)"', page.text)[0]).status == 200
        assert site.get("/subscribe").status == 404
        form = re.findall(r'name="form" value="([^"]+)"', page.text)[0]
        site.clock.advance(timedelta(seconds=3))
        site.post("/letters/subscribe", ("list", "weekly"), ("email", "ada@example.org"), ("form", form))
        site.settle()
        assert site.get(link_of(site.mails()[0], "/letters/c/")).title == "Almost done"
