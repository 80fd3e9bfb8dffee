"""What a server can do wrong at each step, and what it means for the mail."""

from collections.abc import Callable, Iterator

import pytest

from syndicate.adapters.smtp import Smtp, SmtpOptions
from syndicate.model import Deferred, Mail, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.testing.messages import mail
from syndicate.testing.smtp import Fault, SmtpServer
from tests.adapters.smtp_lanes import Notes, answers, jobs


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


def adapter(server: SmtpServer, **options: object) -> Smtp:
    settings = {"host": "127.0.0.1", "port": server.port, "tls": "none", "helo": "client.test", **options}
    return Smtp(SmtpOptions.model_validate(settings))


def one_by_one(server: SmtpServer, *mails: Mail, **options: object) -> list[Outcome]:
    smtp = adapter(server, **options)
    with smtp.open() as session:
        return [smtp.send(session, one, "key") for one in mails or (mail(),)]


def over_the_lane(server: SmtpServer, *mails: Mail, **options: object) -> list[Outcome]:
    found = answers(adapter(server, **options), jobs(*mails or (mail(),)))
    return [outcome for _, outcome in sorted(found.items())]


Send = Callable[..., list[Outcome]]


@pytest.fixture(params=[one_by_one, over_the_lane])
def send(request: pytest.FixtureRequest) -> Send:
    return request.param


# What happens at one step -> what it means for the mail, and how many mails the server then has.
RST = "reset"
FIN = "close"
MATRIX = [
    ("F-11 RST after the dot", "dot", Fault(b"", RST, keep=True), Unknown, 1),
    ("F-11 FIN after the dot", "dot", Fault(b"", FIN, keep=True), Unknown, 1),
    ("F-11 FIN before it was stored", "dot", Fault(b"", FIN), Unknown, 0),
    ("F-11 silence after the dot", "dot", Fault(b"", "hang", keep=True), Unknown, 1),
    ("F-11 HH09 half a reply", "dot", Fault(b"250 2.0", RST, keep=True), Unknown, 1),
    ("F-11 half a reply, then silence", "dot", Fault(b"250 2.0", "hang", keep=True), Unknown, 1),
    ("F-11 HH10 garbage", "dot", Fault(b"\xff\xfe\x00garbage\r\n", keep=True), Unknown, 1),
    ("F-11 a line of 200 KB", "dot", Fault(b"250 " + b"x" * 200_000, FIN, keep=True), Unknown, 1),
    ("F-11 a reply without end", "dot", Fault(b"250-x\r\n" * 500, FIN, keep=True), Unknown, 1),
    ("HH11 four digits", "dot", Fault(b"2500 ok\r\n", keep=True), Unknown, 1),
    ("354 after the dot", "dot", Fault(b"354 go on\r\n", keep=True), Unknown, 1),
    ("HH12 a bare 250", "dot", Fault(b"250\r\n", keep=True), Receipt, 1),
    ("HH13 LF alone ends the reply", "dot", Fault(b"250 ok\n", keep=True), Receipt, 1),
    ("F-13 250, then RST", "dot", Fault(b"250 ok\r\n", RST, keep=True), Receipt, 1),
    ("HH08 250 three times", "dot", Fault(b"250 OK\r\n" * 3, keep=True), Receipt, 1),
    ("F-14 421 in the banner", "banner", Fault(b"421 4.7.0 try later\r\n", FIN), Deferred, 0),
    ("F-14 421 to EHLO", "ehlo", Fault(b"421 4.3.2 closing\r\n", FIN), Deferred, 0),
    ("F-14 421 to MAIL", "mail", Fault(b"421 4.3.2 closing\r\n", FIN), Deferred, 0),
    ("F-14 421 to RCPT", "rcpt", Fault(b"421 4.3.2 closing\r\n", FIN), Deferred, 0),
    ("F-14 421 to DATA", "data", Fault(b"421 4.3.2 closing\r\n", FIN), Deferred, 0),
    ("F-14 421 to the dot", "dot", Fault(b"421 4.3.2 closing\r\n", FIN), Deferred, 0),
    ("F-15 450 to MAIL", "mail", Fault(b"450 4.7.1 later\r\n"), Deferred, 0),
    ("F-15 HH14 451 to RCPT", "rcpt", Fault(b"451 4.7.1 greylisted\r\n"), Deferred, 0),
    ("F-15 HH15 452 to RCPT", "rcpt", Fault(b"452 4.5.3 too many recipients\r\n"), Deferred, 0),
    ("F-15 451 to DATA", "data", Fault(b"451 4.3.0 later\r\n"), Deferred, 0),
    ("F-15 452 to the dot", "dot", Fault(b"452 4.3.1 no room\r\n"), Deferred, 0),
    ("F-16 HH16 550 to RCPT", "rcpt", Fault(b"550 5.1.1 no such user\r\n"), Refused, 0),
    ("554 to RCPT: we may not relay", "rcpt", Fault(b"554 5.7.1 <a@b.test>: Relay access denied\r\n"), Paused, 0),
    ("554 to DATA", "data", Fault(b"554 5.6.0 no\r\n"), Refused, 0),
    ("F-17 550 5.7.1 to the dot", "dot", Fault(b"550 5.7.1 policy\r\n"), Refused, 0),
    ("F-17 HH17 550 5.7.515", "dot", Fault(b"550 5.7.515 Access denied\r\n"), Paused, 0),
    ("F-17 HH18 550 5.7.26", "dot", Fault(b"550-5.7.26 unauthenticated\r\n550 5.7.26 see\r\n"), Paused, 0),
    ("F-17 421 4.7.26 is about the set-up too", "dot", Fault(b"451 4.7.26 unauthenticated\r\n"), Paused, 0),
    ("F-18 HH20 552 at the dot", "dot", Fault(b"552 5.3.4 too big\r\n"), Refused, 0),
    ("F-18 552 to MAIL", "mail", Fault(b"552 5.3.4 too big\r\n"), Refused, 0),
    ("F-18 HH21 mailbox full", "rcpt", Fault(b"552 5.2.2 mailbox full\r\n"), Refused, 0),
    ("F-18 HH22 spam", "dot", Fault(b"554 5.7.1 spam\r\n"), Refused, 0),
    ("F-19 HH02 554 in the banner", "banner", Fault(b"554 go away\r\n", FIN), Paused, 0),
    ("F-19 530 to MAIL", "mail", Fault(b"530 5.7.0 sign in first\r\n"), Paused, 0),
    ("550 to MAIL: the sender is refused", "mail", Fault(b"550 5.1.8 bad sender\r\n"), Paused, 0),
    ("HH01 no banner", "banner", Fault(b"", FIN), Deferred, 0),
    ("HH04 a banner line of 70 KB", "banner", Fault(b"220-" + b"x" * 70_000, FIN), Deferred, 0),
    ("HH05 a banner without end", "banner", Fault(b"220-x\r\n" * 2000, FIN), Deferred, 0),
    ("HH06 a banner that is none", "banner", Fault(b"HELLO THERE\r\n", FIN), Deferred, 0),
    ("F-20 a slow banner", "banner", Fault(b"220 test ready\r\n", drip=0.05), Deferred, 0),
    ("F-12 RST in the middle of the message", "body", Fault(None, RST), (Deferred, Unknown), 0),
    ("HH24 a reply before the dot", "data", Fault(b"354 go\r\n250 ok\r\n"), Deferred, 0),
    ("hung up at MAIL", "mail", Fault(b"", FIN), Deferred, 0),
    ("garbage to RCPT", "rcpt", Fault(b"ok\r\n"), Deferred, 0),
    ("250 to DATA", "data", Fault(b"250 ok\r\n"), Deferred, 0),
    ("a reply that changes its code", "mail", Fault(b"250-a\r\n550 b\r\n"), Deferred, 0),
]


@pytest.mark.parametrize("offers", [["PIPELINING"], []], ids=["pipelined", "lock-step"])
@pytest.mark.parametrize(("step", "fault", "expected", "kept"), [row[1:] for row in MATRIX], ids=[r[0] for r in MATRIX])
def test_the_fault_matrix(
    step: str, fault: Fault, expected: type[Outcome], kept: int, offers: list[str], server: SmtpServer, send: Send
) -> None:
    server.offers = offers
    server.fault(step, fault)
    # short only where silence is the fault: a busy machine must not look like one
    (outcome,) = send(server, timeout=0.2 if fault.drip else 30, final_timeout=0.2 if fault.then == "hang" else 30)
    assert isinstance(outcome, expected)
    assert len(server.journal) == kept


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("offers", [["PIPELINING"], []], ids=["pipelined", "lock-step"])
@pytest.mark.parametrize("code", [b"450 later\r\n", b"552 no\r\n"])
def test_what_happens_to_one_mail_does_not_touch_the_next(
    step: str, offers: list[str], code: bytes, server: SmtpServer, send: Send
) -> None:
    server.offers = offers
    server.fault(step, Fault(code))
    first, second = send(server, mail("a@example.org"), mail("b@example.org"))
    assert not isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert [one.recipient for one in server.journal] == ["b@example.org"]
    assert server.connections == 1


@pytest.mark.parametrize("pipelining", ["ride", "envelope", "off"])
@pytest.mark.parametrize(("step", "fault", "expected", "kept"), [row[1:] for row in MATRIX], ids=[r[0] for r in MATRIX])
def test_the_mail_that_rides_behind_a_fault_arrives_once(
    step: str, fault: Fault, expected: type[Outcome], kept: int, pipelining: str, server: SmtpServer
) -> None:
    server.fault(step, fault)
    patience = {"timeout": 0.2 if fault.drip else 30, "final_timeout": 0.2 if fault.then == "hang" else 30}
    smtp = adapter(server, pipelining=pipelining, **patience)
    mails = [mail(f"{name}@example.org") for name in ("first", "second", "third")]
    record = Notes()
    found = answers(smtp, jobs(*mails), record)
    arrived = [one.recipient for one in server.journal]
    assert isinstance(found[0], expected)
    assert arrived.count("first@example.org") == kept
    # An account at fault ends the run at the door: the others are not even asked for.
    rest = set() if isinstance(found[0], Paused) and step == "banner" else {1, 2}
    if pipelining == "ride" and fault.say == b"250 OK\r\n" * 3:
        rest = {2}  # nobody can tell to what the second and third belong, so the mail behind them is given up in time
    assert {number for number, outcome in found.items() if isinstance(outcome, Receipt)} - {0} == rest
    assert sorted(arrived[kept:]) == [mails[number].recipient for number in sorted(rest)]
    assert record.in_doubt == set()
    assert {number for number, outcome in found.items() if isinstance(outcome, Receipt | Unknown)} <= record.began
