"""The SMTP conversation without a socket: any chunking, any order of submission, exact phases."""

import re
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.adapters.smtp_login import Login
from syndicate.adapters.smtp_mail import stuffed
from syndicate.adapters.smtp_protocol import Conversation, Settled
from syndicate.adapters.smtp_replies import Reply, ReplyReader
from syndicate.model import Deferred, Mail, Paused, Receipt, Refused, Unknown
from syndicate.testing.messages import mail

GREETING = b"220 hi\r\n250-test\r\n250 PIPELINING\r\n"


def chunks(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def read(parts: Iterable[bytes]) -> list[Reply | str]:
    """Replies, and what the reader fell over."""
    reader = ReplyReader()
    heard: list[Reply | str] = []
    for part in parts:
        heard += reader.feed(part)  # what came before a fault counts
        if reader.fault:
            return [*heard, str(reader.fault)]
    return heard


reply_lines = st.one_of(
    st.binary(max_size=30),
    st.builds(
        lambda code, mark, text: str(code).encode() + mark + text,
        st.integers(100, 999),
        st.sampled_from([b" ", b"-", b""]),
        st.binary(max_size=20),
    ),
)


@given(st.lists(reply_lines, max_size=8).map(b"\r\n".join), st.lists(st.integers(0, 300), max_size=12))
def test_any_chunking_gives_the_same_replies(data: bytes, cuts: list[int]) -> None:
    assert read(chunks(data, cuts)) == read([data])


def test_a_reply_of_many_lines_is_one_reply() -> None:
    assert read([b"250-a\r\n250-\r\n250 5.0.0 c\r\n"]) == [Reply(250, ("a", "", "5.0.0 c"))]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"2500 ok\r\n", "not an SMTP reply"),
        (b"25\r\n", "not an SMTP reply"),
        (b"150 ok\r\n", "not an SMTP reply"),
        (b"250_ok\r\n", "not an SMTP reply"),
        (b"250-a\r\n251 b\r\n", "changes its code"),
        (b"250-x\r\n" * 200, "too many lines"),
        (b"250 " + b"x" * 5000, "without end"),
        (b"250 " + b"x" * 5000 + b"\r\n", "not an SMTP reply"),
    ],
)
def test_what_is_no_reply_is_not_read_as_one(data: bytes, words: str) -> None:
    (fault,) = read([data])
    assert words in str(fault)


def unstuffed(wire: bytes) -> bytes:
    """What a receiver makes of the bytes before the final dot, line by line (RFC 5321 §4.5.2)."""
    lines = wire.split(b"\r\n")
    assert b"." not in lines, "the message ends early"
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


@given(st.lists(st.sampled_from([b".", b"..", b".a", b"a.", b"", b"\xc3\xbc", b"a"]), max_size=12))
def test_dots_come_back_as_they_were(lines: list[bytes]) -> None:
    data = b"\r\n".join([*lines, b""])
    assert unstuffed(stuffed(data)) == data


def conversation(*, starttls: bool = False, login: Login | None = None) -> Conversation:
    return Conversation(helo="me.test", starttls=starttls, login=login)


def ready(greeting: bytes = GREETING) -> Conversation:
    talk = conversation()
    for line in greeting.splitlines(keepends=True):
        talk.output()
        talk.receive(line)
    talk.output()
    return talk


def settled(events: list[Settled]) -> list[tuple[str, str]]:
    return [(event.mail.recipient, type(event.outcome).__name__) for event in events if isinstance(event.mail, Mail)]


A, B, C = (mail(f"{name}@x.test", b"%s\r\n" % name.encode()) for name in "abc")


def test_the_next_envelope_rides_behind_the_dot() -> None:
    talk = ready()
    talk.submit(A)
    talk.submit(B)
    talk.submit(C)
    assert talk.output() == b"MAIL FROM:<news@example.com>\r\nRCPT TO:<a@x.test>\r\nDATA\r\n"
    talk.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert talk.output() == b"a\r\n"
    assert talk.at_dot
    assert talk.output() == b".\r\nMAIL FROM:<news@example.com>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n"
    assert talk.output() == b""
    talk.receive(b"250 queued\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    assert settled(talk.events()) == [("a@x.test", "Receipt")]
    assert talk.output() == b"b\r\n"


def test_a_refusal_in_front_does_not_touch_what_rides_behind() -> None:
    talk = ready()
    talk.submit(A)
    talk.submit(B)
    talk.output()
    talk.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.output(), talk.output()
    talk.receive(b"550 5.6.0 no\r\n250 ok\r\n550 5.1.1 nobody\r\n554 none\r\n")
    assert settled(talk.events()) == [("a@x.test", "Refused"), ("b@x.test", "Refused")]
    talk.submit(C)
    assert talk.output().startswith(b"RSET\r\nMAIL FROM")


def test_only_the_mail_behind_the_dot_is_in_doubt() -> None:
    talk = ready()
    for one in (A, B, C):
        talk.submit(one)
    talk.output()
    talk.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.output(), talk.output()
    talk.lost(Deferred("reset by peer"))
    events = talk.events()
    assert settled(events) == [("a@x.test", "Unknown"), ("b@x.test", "Deferred"), ("c@x.test", "Deferred")]
    assert [event.answered for event in events] == [True, False, False]
    assert talk.ended == Deferred("reset by peer")


def test_a_body_without_its_dot_leaves_no_doubt() -> None:
    talk = ready()
    talk.submit(A)
    talk.output()
    talk.receive(b"250 ok\r\n250 ok\r\n354 go\r\n")
    talk.output()
    talk.lost(Deferred("reset by peer"))
    assert settled(talk.events()) == [("a@x.test", "Deferred")]


def test_in_lock_step_every_command_waits_for_its_answer() -> None:
    talk = ready(b"220 hi\r\n250 test\r\n")
    talk.submit(A)
    talk.submit(B)
    said = []
    for answer in (b"250 ok\r\n", b"550 5.1.1 no\r\n", b"250 reset\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
        said.append(talk.output())
        assert talk.output() == b""
        talk.receive(answer)
    assert [line.split()[0] for line in said] == [b"MAIL", b"RCPT", b"RSET", b"MAIL", b"RCPT", b"DATA"]
    assert talk.output() == b"b\r\n"


def test_mails_that_wait_for_a_sign_in_that_fails_share_its_fate() -> None:
    talk = conversation(login=Login("u", "p"))
    talk.submit(A)
    talk.submit(B)
    for answer in (b"220 hi\r\n", b"250-test\r\n250 AUTH PLAIN\r\n", b"535 5.7.8 no\r\n"):
        talk.output()
        talk.receive(answer)
    assert settled(talk.events()) == [("a@x.test", "Paused"), ("b@x.test", "Paused")]
    talk.submit(C)
    assert settled(talk.events()) == [("c@x.test", "Paused")]


def test_what_was_offered_before_tls_counts_for_nothing_after_it() -> None:
    talk = conversation(starttls=True, login=Login("u", "p"))
    for answer in (b"220 hi\r\n", b"250-test\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", b"220 go\r\n"):
        talk.output()
        talk.receive(answer)
    assert talk.shaking_hands
    talk.tls_started()
    assert talk.output() == b"EHLO me.test\r\n"
    talk.receive(b"250 test\r\n")
    assert isinstance(talk.ended, Paused)


@pytest.mark.parametrize("more", [b"250 inj\r\n", b"250 inj", b"inj\r\n", b"250-inj\r\n", b"421 bye\r\n"])
def test_what_was_said_before_the_handshake_is_not_read_as_if_it_came_through_tls(more: bytes) -> None:
    talk = conversation(starttls=True)
    talk.submit(A)
    for answer in (b"220 hi\r\n", b"250-test\r\n250 STARTTLS\r\n", b"220 go\r\n" + more):
        talk.output()
        talk.receive(answer)
    assert isinstance(talk.ended, Paused)
    assert "handshake" in talk.ended.reason
    assert settled(talk.events()) == [("a@x.test", "Paused")]


def test_a_password_is_not_shown() -> None:
    assert "sesame" not in repr(Login("u", "sesame"))


# A server that does anything at all: whatever it says, in whatever pieces, every mail is settled once, and a mail is
# called sent only if a whole 2xx came after its dot was handed out, and gone for good only on a whole 4xx or 5xx.
ANSWERS = [b"250 ok\r\n", b"354 go\r\n", b"450 later\r\n", b"550 5.1.1 no\r\n", b"421 bye\r\n", b"2", b"what?\r\n"]


@given(st.lists(st.sampled_from(ANSWERS), max_size=14), st.integers(1, 3), st.booleans())
def test_every_mail_is_settled_once_by_its_phase(answers: list[bytes], count: int, pipelining: bool) -> None:
    talk = ready(GREETING if pipelining else b"220 hi\r\n250 test\r\n")
    mails: list[Mail] = [mail(f"{number}@x.test") for number in range(count)]
    dots, events = 0, []
    for one in mails:
        talk.submit(one)
    for answer in answers:
        while True:
            dots += talk.at_dot
            if not talk.output():
                break
        talk.receive(answer)
        events += talk.events()
    talk.lost(Deferred("gone"))
    events += talk.events()
    outcomes = [event.outcome for event in events]
    assert sorted(recipient for recipient, _ in settled(events)) == [one.recipient for one in mails]
    assert sum(isinstance(outcome, Receipt | Unknown) for outcome in outcomes) <= dots
    assert sum(isinstance(outcome, Receipt) for outcome in outcomes) <= answers.count(b"250 ok\r\n")
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) <= answers.count(b"550 5.1.1 no\r\n")


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b".", b"a"]), max_size=10).map(b"".join))
def test_only_canonical_messages_are_spoken(data: bytes) -> None:
    talk = ready()
    talk.submit(mail(data=data))
    canonical = data.endswith(b"\r\n") and not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", data)
    assert bool(talk.output()) == canonical
    assert bool(settled(talk.events())) != canonical
