"""What every ledger must do about those who have to wait: limits, rests and retries. A part of `LedgerContract`."""

from __future__ import annotations

from datetime import timedelta

from syndicate.ledger.base import Ledger
from syndicate.model import Deferred, Recipient, State
from syndicate.model.limits import Limits, Rate, Rest, Room
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import KEY, LATER, LEASE, claim, entry, settle


class WaitingContract:
    """The suite."""

    def test_no_more_is_claimed_than_a_limit_leaves_to_all_workers(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=10), MONDAY)
        ledger.enter(entry("daily/1", recipients=10), MONDAY)
        limits = Limits(account=(Rate(4, timedelta(minutes=1)), Rate(6, timedelta(hours=1))))
        assert ledger.room("mail", Limits(), MONDAY) is None
        assert ledger.room("mail", limits, MONDAY) == Room(4, MONDAY)
        assert len(ledger.claim(KEY, "a", 3, MONDAY, LEASE, limits)) == 3
        assert len(ledger.claim("daily/1", "b", 3, MONDAY, LEASE, limits)) == 1
        assert not ledger.claim(KEY, "a", 3, MONDAY, LEASE, limits)
        room = ledger.room("mail", limits, MONDAY)
        assert room is not None
        assert room.count == 0
        assert MONDAY + timedelta(minutes=1) <= (room.more or MONDAY) <= MONDAY + timedelta(minutes=1, seconds=2)
        assert len(ledger.claim(KEY, "a", 3, room.more or MONDAY, LEASE, limits)) == 2
        assert len(ledger.claim(KEY, "c", 9, MONDAY, LEASE)) == 5

    def test_who_waits_for_his_domain_stays_as_he_is_and_gets_a_turn(self, ledger: Ledger) -> None:
        readers = [Recipient(f"{n}@{domain}") for n in range(5) for domain in ("big.test", f"{n}.test")]
        ledger.enter(entry(recipients=readers), MONDAY)
        limits = Limits(domain=(Rate(2, timedelta(minutes=1)),))
        taken = [one.recipient for one in ledger.claim(KEY, "a", 100, MONDAY, LEASE, limits)]
        assert taken == ["0@big.test", "0@0.test", "1@big.test", "1@1.test", "2@2.test", "3@3.test", "4@4.test"]
        waiting = list(ledger.deliveries(KEY, [State.PLANNED]))
        assert [one.recipient for one in waiting] == [f"{n}@big.test" for n in (2, 3, 4)]
        assert [one.attempt for one in waiting] == [0, 0, 0]
        dues = [one.due for one in waiting if one.due]
        assert dues[0] == dues[1] == ledger.next_due(KEY)
        assert dues[2] - dues[0] == timedelta(minutes=1)
        assert not ledger.claim(KEY, "a", 100, dues[0] - timedelta(seconds=1), LEASE, limits)
        assert len(ledger.claim(KEY, "a", 100, dues[0], LEASE, limits)) == 2
        assert len(ledger.claim(KEY, "a", 100, dues[2] + timedelta(seconds=5), LEASE, limits)) == 1
        assert ledger.next_due(KEY) is None

    def test_who_rests_is_not_claimed_until_then(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=[Recipient("a@Busy.test"), Recipient("b@example.org")]), MONDAY)
        ledger.rest(Rest("mail", "busy.test", LATER, 1, "450 busy"))
        ledger.rest(Rest("other", "example.org", LATER, 1, "450 busy"))
        assert [one.recipient for one in claim(ledger)] == ["b@example.org"]
        assert claim(ledger) == []
        assert ledger.next_due(KEY) == LATER
        assert [one.recipient for one in claim(ledger, at=LATER)] == ["a@Busy.test"]

    def test_an_account_that_rests_is_left_alone_by_all(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        ledger.rest(Rest("mail", "", LATER, 1, "refused"))
        ledger.rest(Rest("mail", "", LATER, 2, "no such host"))
        ledger.rest(Rest("mail", "busy.test", LATER, 1, "450 busy"))
        assert ledger.rests("mail") == [
            Rest("mail", "", LATER, 2, "no such host"),
            Rest("mail", "busy.test", LATER, 1, "450 busy"),
        ]
        assert claim(ledger) == []
        ledger.wake("mail")
        assert [one.domain for one in ledger.rests("mail")] == ["busy.test"]
        assert len(claim(ledger)) == 3

    def test_retries_are_counted_until_a_person_says_go_on(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=2), MONDAY)
        for expected in (0, 2, 4):
            for one in claim(ledger):
                settle(ledger, one, Deferred("busy"), due=MONDAY)
            row = ledger.edition(KEY)
            assert row is not None
            assert row.retries == expected
        ledger.set_edition_state(KEY, "paused", "too many", MONDAY, "person")
        ledger.set_edition_state(KEY, "sending", "go on", MONDAY, "person")
        row = ledger.edition(KEY)
        assert row is not None
        assert row.retries == 0

    def test_nothing_is_claimed_for_a_paused_account(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        ledger.pause_account("mail", "535 wrong password", "Set SMTP_PASSWORD.", MONDAY)
        ledger.pause_account("mail", "535 still wrong", "Set SMTP_PASSWORD.", LATER)
        (pause,) = ledger.paused_accounts()
        assert (pause.name, pause.reason, pause.hint, pause.since) == (
            "mail",
            "535 still wrong",
            "Set SMTP_PASSWORD.",
            LATER,
        )
        assert claim(ledger) == []
        assert ledger.resume_account("mail", LATER, "person")
        assert not ledger.resume_account("mail", LATER, "person")
        assert len(claim(ledger)) == 3
