"""How many sign-ups are let through, from whom, and what is kept of them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.audience.signups import Answer, Signups, Visit, counted_as, network_of
from syndicate.audience.tokens import Keys
from syndicate.database import open_database
from syndicate.testing.clock import Clock

KEYS = Keys([b"0123456789abcdef"])
BUSY, QUIET, TAKEN = Answer.BUSY, Answer.QUIET, Answer.TAKEN


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def signups(clock: Clock) -> Iterator[Signups]:
    with closing(open_database("sqlite://", Path())) as database:
        yield Signups(database, KEYS, clock)


def visit(number: int = 0, address: str = "", *, ip: str = "", lists: tuple[str, ...] = ("weekly",)) -> Visit:
    """One of many, each from elsewhere."""
    address = address or f"reader{number}@example{number % 97}.org"
    ip = ip or f"198.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
    return Visit(address, lists, "Yes, please.", f"form {number}", ip, "a program")


def waiting(signups: Signups) -> list[str]:
    return [
        one.address
        for number, account in signups.batch(lambda lists: "outbox")
        for one in signups.of_batch(number, account)
    ]


def test_ten_thousand_forms_from_a_thousand_places_make_one_mail(signups: Signups, clock: Clock) -> None:
    answers = []
    for number in range(10_000):
        clock.advance(timedelta(seconds=8))  # within a day
        answers.append(
            signups.ask(visit(number, "victim@example.org", ip=f"203.0.{number % 1000 // 250}.{number % 250}"))
        )
    assert answers.count(TAKEN) == 1
    assert waiting(signups) == ["victim@example.org"]


def test_an_address_has_one_mail_a_day_for_a_list_and_three_for_all(signups: Signups, clock: Clock) -> None:
    asked = [("a",), ("a",), ("b",), ("a", "b"), ("b", "a"), ("c",)]
    answers = [signups.ask(visit(number, "ada@example.org", lists=lists)) for number, lists in enumerate(asked)]
    assert answers == [TAKEN, QUIET, TAKEN, TAKEN, QUIET, QUIET]
    clock.advance(timedelta(days=1, seconds=1))
    assert signups.ask(visit(9, "ada@example.org", lists=("a",))) is TAKEN


@pytest.mark.parametrize("again", ["ADA@example.org", "a.d.a@example.org", "ada+1@example.org", "Ada+spam@EXAMPLE.org"])
def test_other_spellings_of_a_mailbox_count_as_the_same(signups: Signups, again: str) -> None:
    assert signups.ask(visit(1, "ada@example.org")) is TAKEN
    assert signups.ask(visit(2, again)) is QUIET


def test_a_visitor_has_five_an_hour_and_is_told(signups: Signups, clock: Clock) -> None:
    answers = [signups.ask(visit(number, ip="203.0.113.7")) for number in range(7)]
    assert answers == [TAKEN] * 5 + [BUSY] * 2
    assert signups.ask(visit(8, ip="203.0.113.8")) is TAKEN
    clock.advance(timedelta(hours=1, seconds=1))
    assert signups.ask(visit(9, ip="203.0.113.7")) is TAKEN


def test_all_addresses_of_one_ipv6_network_are_one_visitor(signups: Signups) -> None:
    answers = [signups.ask(visit(number, ip=f"2001:db8:1:2::{number:x}")) for number in range(6)]
    assert answers == [TAKEN] * 5 + [BUSY]
    assert signups.ask(visit(7, ip="2001:db8:1:3::1")) is TAKEN


def test_a_domain_has_fifty_an_hour(signups: Signups) -> None:
    answers = [signups.ask(visit(number, f"reader{number}@example.org")) for number in range(52)]
    assert answers == [TAKEN] * 50 + [BUSY] * 2
    assert signups.ask(visit(99, "reader@example.net")) is TAKEN


def test_the_form_closes_at_ten_times_the_usual(signups: Signups, clock: Clock) -> None:
    for day in range(5):
        for number in range(30):
            assert signups.ask(visit(1000 * day + number)) is TAKEN
        clock.advance(timedelta(days=1))
    answers = [signups.ask(visit(10_000 + number)) for number in range(310)]
    assert answers == [TAKEN] * 300 + [BUSY] * 10


def test_a_form_counts_once(signups: Signups) -> None:
    form = visit(1)
    assert signups.ask(form) is TAKEN
    assert signups.ask(form) is Answer.USED


def test_what_is_counted_names_nobody_and_is_forgotten(signups: Signups, clock: Clock) -> None:
    signups.ask(visit(1, "ada@example.org", ip="203.0.113.7"))
    signups.done(
        [one for number, account in signups.batch(lambda lists: "x") for one in signups.of_batch(number, account)]
    )
    with signups._database.reading() as connection:
        dump = "\n".join(connection.connection.iterdump())  # type: ignore[attr-defined]
    assert "tried" in dump
    assert not [word for word in ("ada", "203.0.113", "example.org") if word in dump]
    clock.advance(timedelta(days=16))
    signups.ask(visit(2))
    with signups._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(DISTINCT at) FROM tried").scalar() == 1


def test_a_batch_keeps_its_number_and_no_number_comes_again(signups: Signups) -> None:
    signups.ask(visit(1))
    first = signups.batch(lambda lists: "outbox")
    signups.ask(visit(2))
    second = signups.batch(lambda lists: "outbox")
    assert len(first) == 1
    assert set(first) < set(second)
    assert [len(signups.of_batch(*one)) for one in second] == [1, 1]
    for one in second:
        signups.done(signups.of_batch(*one))
    signups.ask(visit(3))
    (third,) = signups.batch(lambda lists: "outbox")
    assert third not in second


def test_who_may_not_be_mailed_now_waits_for_a_week(signups: Signups, clock: Clock) -> None:
    signups.ask(visit(1))
    assert signups.batch(lambda lists: "") == []
    signups.purge()
    clock.advance(timedelta(days=6))
    assert len(signups.batch(lambda lists: "outbox")) == 1
    clock.advance(timedelta(days=2))
    signups.purge()
    assert waiting(signups) == []


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_where_a_visitor_comes_from(ip: str, network: str) -> None:
    assert network_of(ip) == network


@pytest.mark.parametrize(
    ("address", "counted"),
    [("A.B+c@X.org", "ab@x.org"), ("+a@x.org", "+a@x.org"), ("...@x.org", "...@x.org"), ("a@x.org", "a@x.org")],
)
def test_what_mailbox_an_address_counts_for(address: str, counted: str) -> None:
    assert counted_as(address) == counted
