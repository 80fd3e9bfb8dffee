"""Everything that can become of an HTTP request, and what it means."""

import inspect
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests

from syndicate.adapters import http
from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Request, Unknown
from syndicate.testing.certificates import authority
from syndicate.testing.http import FakeNetwork, Fault, Received, Reply

NOW = datetime(2025, 3, 10, 12, tzinfo=UTC)


class Yes(FakeNetwork):
    """Takes everything."""

    def handle(self, request: Received) -> Reply:
        return Reply(200, b'{"ok": true}')


def date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


@pytest.fixture
def network() -> Iterator[Yes]:
    with Yes() as running:
        yield running


def outcome(url: str, body: bytes = b"{}", read_timeout: float = 5, table: http.Table | None = None) -> Outcome:
    with http.session() as session:
        answer = http.exchange(
            session, Request("POST", url, body), {"Authorization": "Bearer canary-token"}, read_timeout
        )
    return http.sort(answer, table or http.Table(), lambda: NOW)


def answered(status: int, **headers: str) -> Outcome:
    return http.sort(
        http.Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}), http.Table()
    )


# F-70: what a server can do to a request -> what it means, and whether it was read
MATRIX = [
    ("no answer, FIN", Fault(then="close", apply=True), Unknown, 1),
    ("no answer, RST", Fault(then="reset", apply=True), Unknown, 1),
    ("no answer in time", Fault(then="hang", apply=True), Unknown, 1),
    ("garbage", Fault(raw=b"\xff\xfe\x00 what?\r\n", apply=True), Unknown, 1),
    ("half a status line", Fault(raw=b"HTTP/1.1 20"), Unknown, 1),
    ("half a body", Fault(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), Unknown, 1),
    ("broken chunks", Fault(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Unknown, 1),
    (
        "broken gzip",
        Fault(raw=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
        Unknown,
        1,
    ),
    ("500", Fault(Reply(500)), Unknown, 1),
    ("502, empty", Fault(Reply(502)), Unknown, 1),
    ("503", Fault(Reply(503)), Unknown, 1),
    ("400", Fault(Reply(400, b"<html>")), Refused, 1),
    ("404", Fault(Reply(404)), Refused, 1),
    ("408", Fault(Reply(408)), Deferred, 1),
    ("429", Fault(Reply(429)), Deferred, 1),
    ("401", Fault(Reply(401)), Paused, 1),
    ("403", Fault(Reply(403)), Paused, 1),
    ("302", Fault(Reply(302, headers={"Location": "/elsewhere"})), Unknown, 1),
    ("307", Fault(Reply(307, headers={"Location": "/elsewhere"})), Paused, 1),
    ("202, empty", Fault(Reply(202)), Receipt, 1),
    ("cut before a large body was handed over", Fault(unread=True), Deferred, 0),
]


@pytest.mark.parametrize(("fault", "expected", "read"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX])
def test_f70_the_fault_matrix(network: Yes, fault: Fault, expected: type[Outcome], read: int) -> None:
    network.fault(fault)
    large = b"x" * (8_000_000 if fault.unread else 10)  # more than the buffers between us hold
    found = outcome(network.url, large, read_timeout=0.2 if fault.then == "hang" else 30)
    assert isinstance(found, expected)
    assert len(network.journal) == read  # nothing was repeated, no redirect followed
    assert "canary" not in repr(found)


def test_nobody_listens(network: Yes) -> None:
    network.stop()
    assert outcome(network.url) == Deferred("the connection failed: Connection refused", reached=False)


def test_a_host_that_is_not_there() -> None:
    # .invalid is never resolved (RFC 6761 §6.4); a machine without a resolver gives the same answer
    found = outcome("https://nowhere.invalid/secret-path")
    assert isinstance(found, Deferred)
    assert "host not found" in found.reason
    assert "secret" not in found.reason


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    with Yes(authority(tmp_path).server()) as network:
        found = outcome(network.url)
    assert isinstance(found, Paused)
    assert "certificate is not trusted" in found.reason
    assert network.journal == []


def test_a_server_that_speaks_no_tls(network: Yes) -> None:
    assert isinstance(outcome(network.url.replace("http:", "https:")), Deferred)
    assert network.journal == []


@pytest.mark.parametrize(
    "url", ["", "x", "ftp://x.test/", "http://", "http://a b/", "http://[::1/", "http://x.test:99999/"]
)
def test_an_address_that_is_none_pauses_the_account(url: str) -> None:
    assert isinstance(outcome(url), Paused)


def test_an_answer_without_end_is_cut(network: Yes) -> None:
    network.fault(Fault(Reply(200, b"x" * (http.MAX_ANSWER + 100_000))))
    with http.session() as session:
        answer = http.exchange(session, Request("POST", network.url, b"{}"), {})
    assert isinstance(answer, http.Answer)
    assert len(answer.body) == http.MAX_ANSWER
    assert answer.json() == {}


SLOW = {
    "in the head": b"HTTP/1.1 200 OK\r\n" + b"X-Wait: y\r\n" * 500,
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b" " * 5000,
    "in a body without a length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}" + b" " * 5000,
}


@pytest.mark.parametrize("raw", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("tls", [False, True])
def test_an_answer_that_comes_byte_by_byte_ends_at_the_deadline(raw: bytes, tls: bool, tmp_path: Path) -> None:
    ca = authority(tmp_path)
    with Yes(ca.server() if tls else None) as network, http.session() as session:
        session.verify = str(ca.ca_file) if tls else True
        network.fault(Fault(raw=raw, drip=0.01, apply=True))
        answer = http.exchange(session, Request("POST", network.url, b"{}"), {}, 5, deadline=0.3)
        assert answer == http.Broken("no whole answer in time", sent=True)
        assert isinstance(http.sort(answer, http.Table()), Unknown)
        assert isinstance(http.exchange(session, Request("POST", network.url, b"{}"), {}, 5, deadline=5), http.Answer)


def test_a_request_that_is_not_taken_whole_by_the_deadline_was_not_made() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf, http.session() as session:  # nobody reads
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        answer = http.exchange(session, Request("POST", url, b"x" * 50_000_000), {}, 5, deadline=0.3)
    assert answer == http.Broken("no whole answer in time", sent=False)
    assert isinstance(http.sort(answer, http.Table()), Deferred)


def test_proxies_and_passwords_of_the_environment_are_not_used(network: Yes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert isinstance(outcome(network.url), Receipt)


def test_a_network_that_repeats_the_token_does_not_get_it_into_a_reason(network: Yes) -> None:
    network.fault(Fault(Reply(400, b'{"message": "not Bearer canary-token"}')))
    table = http.Table(explain=lambda answer: answer.json()["message"])
    assert outcome(network.url, table=table) == Refused("400 not Bearer ***")


def test_a_secret_in_the_address_is_filled_in_and_never_shown(network: Yes) -> None:
    elsewhere = {"Location": "https://x.test/bot-canary-token/send"}
    network.fault(Fault(Reply(400, b'{"message": "/bot-canary-token"}')), Fault(Reply(302, headers=elsewhere)))
    request = Request("POST", f"{network.url}/{{secret}}/send", b"{}")
    table = http.Table(explain=lambda answer: answer.json()["message"])
    with http.session() as session:
        answers = [http.exchange(session, request, {}, holes={"{secret}": "bot-canary-token"}) for _ in range(2)]
    assert network.journal[0].path == "/bot-canary-token/send"
    assert http.sort(answers[0], table) == Refused("400 /***")
    assert http.sort(answers[1], http.Table()) == Unknown("302: sent on to x.test/***/send, which is not followed")


def test_a_request_without_a_body_has_none(network: Yes) -> None:
    with http.session() as session:
        http.exchange(session, Request("GET", network.url, b""), {})
    (request,) = network.journal
    assert not {"transfer-encoding", "content-length"} & request.headers.keys()


def test_how_far_a_request_without_a_body_got_nobody_knows(network: Yes) -> None:
    network.fault(Fault(then="close"))
    with http.session() as session:
        answer = http.exchange(session, Request("POST", network.url, b""), {})
    assert isinstance(http.sort(answer, http.Table()), Unknown)


@pytest.mark.parametrize(
    ("value", "after"),
    [
        (str(int((NOW + timedelta(minutes=5)).timestamp())), timedelta(minutes=5)),
        ("2025-03-10T12:05:00.000000Z", timedelta(minutes=5)),
        ("2025-03-10T11:00:00Z", timedelta(0)),
        ("99999999999", timedelta(days=30)),
        ("2025-03-10T12:05:00", None),
        ("soon", None),
        ("9" * 30, None),
        ("", None),
    ],
)
def test_a_limit_may_end_at_a_moment_in_a_header(value: str, after: timedelta | None) -> None:
    answer = http.Answer(429, {"x-reset": value})
    assert http.sort(answer, http.Table(reset="x-reset"), lambda: NOW) == Deferred("429", after)


def test_retry_after_counts_more_than_a_moment() -> None:
    answer = http.Answer(429, {"retry-after": "7", "x-reset": "2025-03-10T12:05:00Z"})
    assert http.sort(answer, http.Table(reset="x-reset"), lambda: NOW) == Deferred("429", timedelta(seconds=7))


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry_after": "120"}, timedelta(seconds=120)),
        ({"retry_after": "99999999999"}, timedelta(days=30)),
        ({"retry_after": "-5"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": date(NOW + timedelta(minutes=5)), "date": date(NOW)}, timedelta(minutes=5)),
        ({"retry_after": date(NOW)}, timedelta(0)),
    ],
)  # fmt: skip
def test_retry_after_in_seconds_or_as_a_date(headers: dict[str, str], after: timedelta | None) -> None:
    assert answered(429, **headers) == Deferred("429", after)


def test_a_date_is_read_against_our_clock_where_the_server_has_none() -> None:
    answer = http.Answer(429, {"retry-after": date(NOW + timedelta(minutes=1))})
    assert http.sort(answer, http.Table(), lambda: NOW) == Deferred("429", timedelta(minutes=1))


def test_a_table_comes_before_the_status() -> None:
    table = http.Table(special={500: lambda answer: Deferred("as the network says")})
    assert http.sort(http.Answer(500), table) == Deferred("as the network says")


REQUESTS = [
    kind
    for _, kind in inspect.getmembers(requests.exceptions, inspect.isclass)
    if issubclass(kind, requests.RequestException)
]


def raised(kind: type[requests.RequestException]) -> requests.RequestException:
    """An instance without the library's own constructor, which may want a response."""
    error = kind.__new__(kind)
    OSError.__init__(error, "canary")
    return error


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_every_exception_of_requests_is_in_the_tables(kind: type[requests.RequestException]) -> None:
    assert (kind.__name__ in http.HAPPENED) != (kind.__name__ in http.UNSENDABLE)
    before, after = (http.translate(raised(kind), sent=sent) for sent in (False, True))
    assert isinstance(http.sort(before, http.Table()), Paused if kind.__name__ in http.UNSENDABLE else Deferred)
    assert isinstance(http.sort(after, http.Table()), Unknown)
    assert "canary" not in before.reason + after.reason


def test_the_tables_name_nothing_that_is_not_there() -> None:
    names = {kind.__name__ for kind in REQUESTS}
    assert {*http.HAPPENED, *http.UNSENDABLE} == names


def test_tls_that_breaks_after_the_request_leaves_a_doubt() -> None:
    error = requests.exceptions.SSLError(ssl.SSLError(1, "bad record mac"))
    assert isinstance(http.sort(http.translate(error, sent=True), http.Table()), Unknown)
