"""What every ledger must do. A ledger's own test is a subclass of `LedgerContract` with a fixture `ledger`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from syndicate.errors import EditionExists, IllegalMove, LedgerError, Superseded
from syndicate.ledger.base import Ledger, LeftOut
from syndicate.model import (
    Deferred,
    Outcome,
    Paused,
    Receipt,
    Recipient,
    Refused,
    Settlement,
    State,
    Unknown,
    Used,
)
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import KEY, LATER, LEASE, claim, entry, only, people, settle, settle_next, states, used
from syndicate.testing.ledger_waiting import WaitingContract


class LedgerContract(WaitingContract):
    """The suite."""

    def test_an_edition_is_entered_with_all_it_says(self, ledger: Ledger) -> None:
        articles = (used("first"), used("second"))
        assert ledger.enter(entry(articles=articles), MONDAY) == 3
        row = ledger.edition(KEY)
        assert row is not None
        assert (row.key, row.channel, row.kind, row.account) == (KEY, "weekly", "digest", "mail")
        assert (row.occasion, row.entered, row.title, row.actor) == (MONDAY, MONDAY, "This week", "run")
        assert (row.state, row.articles, row.counts[State.PLANNED]) == ("sending", articles, 3)
        assert ledger.frozen(KEY) == b"the frozen message"

    def test_times_are_kept_to_the_microsecond_and_in_any_zone(self, ledger: Ledger) -> None:
        moment = datetime.fromisoformat("2025-03-30T02:30:00.123457+05:30")
        ledger.enter(entry(occasion=moment), moment)
        row = ledger.edition(KEY)
        assert row is not None
        assert row.occasion == row.entered == moment
        assert row.occasion.tzinfo is not None

    def test_the_same_edition_twice_is_refused_and_changes_nothing(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        with pytest.raises(EditionExists, match="was entered by run"):
            ledger.enter(entry(recipients=9, again=True), LATER)
        assert len(states(ledger)) == 3

    @pytest.mark.parametrize(
        "again",
        [used("one", "seeds/renamed.md", "weekly/next"), used("retitled", "seeds/one.md", "weekly/next")],
        ids=["same slug", "same path"],
    )
    def test_an_article_is_used_once_in_a_channel(self, ledger: Ledger, again: Used) -> None:
        ledger.enter(entry(articles=(used("one"),)), MONDAY)
        with pytest.raises(EditionExists, match=KEY):
            ledger.enter(entry("weekly/next", articles=(again,)), LATER)
        assert ledger.edition("weekly/next") is None
        ledger.enter(entry("other/next", articles=(again,)), LATER)
        ledger.enter(entry("weekly/next", articles=(again,), again=True), LATER)

    def test_an_audience_that_fails_while_it_is_read_leaves_nothing_behind(self, ledger: Ledger) -> None:
        def broken() -> Iterable[Recipient]:
            yield from people(1500)
            raise OSError("the file is gone")

        with pytest.raises(OSError, match="gone"):
            ledger.enter(entry(recipients=broken()), MONDAY)
        assert ledger.edition(KEY) is None
        assert ledger.enter(entry(), MONDAY) == 3

    def test_who_is_named_twice_gets_one_delivery_and_the_other_is_explained(self, ledger: Ledger) -> None:
        assert ledger.enter(entry(recipients=[*people(1200), *people(2), *people(1)]), MONDAY) == 1200
        assert [one.who for one in ledger.left_out(KEY)] == ["0@example.org", "1@example.org"]

    def test_what_was_left_out_is_asked_after_the_audience_was_read(self, ledger: Ledger) -> None:
        refused: list[LeftOut] = []

        def audience() -> Iterable[Recipient]:
            yield from people(2)
            refused.extend(LeftOut("recipient", f"{n}@example.net", "unsubscribed") for n in range(1100))

        ledger.enter(entry(recipients=audience(), left_out=(one for one in refused)), MONDAY)
        assert list(ledger.left_out(KEY)) == refused

    def test_a_recipient_keeps_name_and_fields(self, ledger: Ledger) -> None:
        reader = Recipient("jose@example.com", "José", {"city": "Ürümqi"})
        ledger.enter(entry(recipients=[reader]), MONDAY)
        for found in (only(ledger, "jose@example.com"), *claim(ledger)):
            assert (found.recipient, found.name, found.fields) == ("jose@example.com", "José", {"city": "Ürümqi"})
            assert (found.edition, found.account) == (KEY, "mail")

    def test_the_history_tells_articles_and_states(self, ledger: Ledger) -> None:
        ledger.enter(entry(articles=(used("one"), used("two"))), MONDAY)
        ledger.enter(entry("weekly/none", recipients=0), LATER)
        history = ledger.history()
        assert history.used == (used("one"), used("two"))
        assert history.editions == {KEY: "sending", "weekly/none": "done"}

    def test_a_claim_takes_the_first_in_order_and_marks_them(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        first = claim(ledger, 2)
        assert [one.recipient for one in first] == ["0@example.org", "1@example.org"]
        assert {(one.state, one.attempt, one.epoch, one.moved) for one in first} == {(State.SENDING, 1, 1, MONDAY)}
        assert [replace(only(ledger, one.recipient), due=one.due) for one in first] == first
        assert [one.recipient for one in claim(ledger)] == ["2@example.org"]
        assert claim(ledger) == []

    def test_two_workers_never_hold_the_same_delivery(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=10), MONDAY)
        mine, theirs = claim(ledger, 6, worker="a"), claim(ledger, 6, worker="b")
        assert len(mine) == 6
        assert len(theirs) == 4
        assert not {one.id for one in mine} & {one.id for one in theirs}
        assert [one.id for one in ledger.claimed("a")] == [one.id for one in mine]

    @pytest.mark.parametrize(
        ("outcome", "state", "reason"),
        [
            (Receipt("4Zk", "https://example.com/4Zk", "250 queued"), State.SENT, "250 queued"),
            (Refused("550 no such user"), State.REFUSED, "550 no such user"),
            (Deferred("450 busy"), State.DEFERRED, "450 busy"),
            (Paused("535 wrong password"), State.DEFERRED, "535 wrong password"),
            (Unknown("no reply"), State.UNKNOWN, "no reply"),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_an_outcome_is_written(self, ledger: Ledger, outcome: Outcome, state: State, reason: str) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        assert settle_next(ledger, outcome, sha256="a" * 64, size=41) == []
        found = only(ledger)
        assert (found.state, found.reason, found.sha256, found.size) == (state, reason, "a" * 64, 41)
        if isinstance(outcome, Receipt):
            assert (found.receipt, found.permalink) == ("4Zk", "https://example.com/4Zk")

    def test_the_counts_follow_every_move(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=4), MONDAY)
        sent, refused, silent = claim(ledger, 3)
        ledger.settle(
            [Settlement(sent, Receipt()), Settlement(refused, Refused("no")), Settlement(silent, Unknown("?"))],
            MONDAY,
            "worker",
        )
        row = ledger.edition(KEY)
        assert row is not None
        assert {state: count for state, count in row.counts.items() if count} == {
            State.PLANNED: 1,
            State.SENT: 1,
            State.REFUSED: 1,
            State.UNKNOWN: 1,
        }

    def test_a_deferred_delivery_waits_until_it_is_due(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        settle_next(ledger, Deferred("busy"), due=LATER)
        assert only(ledger).due == LATER
        assert claim(ledger, at=LATER - timedelta(microseconds=1)) == []
        (again,) = claim(ledger, at=LATER)
        assert (again.attempt, again.epoch) == (2, 2)

    def test_those_never_tried_go_before_those_that_were(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=2), MONDAY)
        settle_next(ledger, Deferred("busy"), due=MONDAY)
        assert [one.recipient for one in claim(ledger)] == ["1@example.org", "0@example.org"]

    def test_what_was_given_back_cost_no_attempt(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        settle_next(ledger, Deferred("stopped"), free=True)
        (again,) = claim(ledger)
        assert (again.attempt, again.epoch) == (1, 2)

    def test_a_second_move_stands_in_the_same_commit(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=2), MONDAY)
        silent, old = claim(ledger)
        settle(ledger, silent, Unknown("no reply"), due=LATER, then=State.DEFERRED, why="it knows a repeat")
        settle(ledger, old, Deferred("busy"), then=State.EXPIRED, why="given up")
        assert states(ledger) == {silent.recipient: State.DEFERRED, old.recipient: State.EXPIRED}
        assert [event.what for event in ledger.story(KEY, silent.recipient)][-2:] == [
            "sending -> unknown",
            "unknown -> deferred",
        ]
        assert claim(ledger, at=MONDAY) == []
        assert len(claim(ledger, at=LATER)) == 1

    def test_doubt_is_remembered_from_the_claim_on(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        (first,) = claim(ledger)
        ledger.settle([Settlement(first, Unknown("?"), due=LATER, then=State.DEFERRED)], LATER, "worker")
        (second,) = claim(ledger, at=LATER)
        assert second.doubted == MONDAY
        ledger.settle([Settlement(second, Deferred("busy"), due=LATER)], LATER, "worker")
        assert only(ledger).doubted == MONDAY

    def test_ids_of_files_are_kept_for_the_repeat(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        settle_next(ledger, Deferred("busy"), due=MONDAY, fills={"{{image}}": "urn:1"})
        (again,) = claim(ledger)
        assert again.fills == {"{{image}}": "urn:1"}
        settle(ledger, again, Deferred("stopped"), free=True)
        assert only(ledger).fills == {"{{image}}": "urn:1"}
        settle_next(ledger, Unknown("no reply"), fills={"{{image}}": "urn:2"})
        assert only(ledger).fills == {"{{image}}": "urn:2"}

    def test_a_claim_that_was_never_made_cannot_be_settled(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        with pytest.raises(IllegalMove, match="planned"):
            settle(ledger, only(ledger), Receipt())
        assert states(ledger) == {"0@example.org": State.PLANNED}

    def test_one_illegal_second_move_stops_the_whole_batch(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=2), MONDAY)
        good, bad = claim(ledger)
        with pytest.raises(IllegalMove, match="sent to deferred"):
            ledger.settle(
                [Settlement(good, Receipt()), Settlement(bad, Receipt(), then=State.DEFERRED)], MONDAY, "worker"
            )
        assert set(states(ledger).values()) == {State.SENDING}

    def test_the_result_of_a_lost_claim_is_returned_and_not_written(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        (mine,) = claim(ledger, worker="frozen")
        ledger.recover(MONDAY + LEASE)
        ledger.resolve(only(ledger), State.DEFERRED, "it did not arrive", LATER, "person")
        (theirs,) = claim(ledger, at=LATER, worker="fresh")
        assert settle(ledger, mine, Receipt("late")) == [mine]
        assert settle(ledger, theirs, Receipt("real")) == []
        assert only(ledger).receipt == "real"

    def test_only_the_first_settlement_of_a_delivery_counts(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        (mine,) = claim(ledger)
        twice = [Settlement(mine, Receipt("first")), Settlement(mine, Refused("second"))]
        assert ledger.settle(twice, MONDAY, "worker") == [mine]
        assert only(ledger).receipt == "first"

    def test_a_lease_that_ran_out_leaves_an_unknown(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=2), MONDAY)
        (mine,) = claim(ledger, 1)
        assert list(ledger.recover(MONDAY + LEASE - timedelta(seconds=1))) == []
        (lost,) = ledger.recover(MONDAY + LEASE)
        assert (lost.recipient, lost.state) == (mine.recipient, State.UNKNOWN)
        assert lost == only(ledger)
        assert list(ledger.recover(MONDAY + LEASE)) == []

    def test_a_living_worker_renews_its_lease(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=2), MONDAY)
        claim(ledger, 1, worker="slow")
        claim(ledger, 1, worker="dead")
        assert ledger.renew("slow", LATER, LEASE) == 1
        assert [one.recipient for one in ledger.recover(LATER)] == ["1@example.org"]

    def test_a_late_answer_of_the_same_claim_settles_an_unknown(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        (mine,) = claim(ledger)
        ledger.recover(MONDAY + LEASE)
        assert settle(ledger, mine, Receipt("late")) == []
        assert states(ledger) == {"0@example.org": State.SENT}

    def test_a_late_refusal_does_not_say_what_became_of_an_unknown(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        (mine,) = claim(ledger)
        ledger.recover(MONDAY + LEASE)
        assert settle(ledger, mine, Refused("no")) == [mine]
        assert states(ledger) == {"0@example.org": State.UNKNOWN}

    @pytest.mark.parametrize("to", [State.SENT, State.DEFERRED, State.CANCELLED])
    def test_a_person_resolves_an_unknown(self, ledger: Ledger, to: State) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        settle_next(ledger, Unknown("no reply"))
        assert ledger.doubtful() == [KEY]
        ledger.resolve(replace(only(ledger), receipt="4Zk"), to, "I asked her", LATER, "person")
        found = only(ledger)
        assert (found.state, found.reason, found.receipt, found.doubted) == (to, "I asked her", "4Zk", None)
        assert ledger.doubtful() == []
        assert len(claim(ledger, at=LATER)) == (to is State.DEFERRED)

    def test_a_repeat_that_must_be_recognised_keeps_its_doubt(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        settle_next(ledger, Unknown("no reply"))
        ledger.resolve(only(ledger), State.DEFERRED, "it knows a repeat", LATER, "recovery", doubt=True)
        assert [one.doubted for one in claim(ledger, at=LATER)] == [MONDAY]

    @pytest.mark.parametrize("to", [State.SENT, State.SENDING, State.REFUSED, State.PLANNED])
    def test_nobody_moves_a_planned_delivery_where_it_cannot_go(self, ledger: Ledger, to: State) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        with pytest.raises(IllegalMove):
            ledger.resolve(only(ledger), to, "", MONDAY, "person")

    @pytest.mark.parametrize("to", list(State))
    def test_nobody_but_its_worker_moves_what_is_on_the_wire(self, ledger: Ledger, to: State) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        claim(ledger)
        with pytest.raises(IllegalMove):
            ledger.resolve(only(ledger), to, "", MONDAY, "person")

    def test_a_word_about_what_has_moved_since_is_refused(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1), MONDAY)
        seen = only(ledger)
        claim(ledger)
        with pytest.raises(Superseded, match="sending by now"):
            ledger.resolve(seen, State.SKIPPED, "unsubscribed", MONDAY, "person")

    def test_who_unsubscribed_in_time_is_skipped(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=2), MONDAY)
        ledger.resolve(only(ledger), State.SKIPPED, "unsubscribed", MONDAY, "audience")
        assert [one.recipient for one in claim(ledger)] == ["1@example.org"]

    def test_nothing_is_claimed_while_an_edition_is_paused(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        (held,) = claim(ledger, 1)
        ledger.set_edition_state(KEY, "paused", "a typo", MONDAY, "person")
        row = ledger.edition(KEY)
        assert row is not None
        assert (row.state, row.reason) == ("paused", "a typo")
        assert claim(ledger) == []
        assert ledger.unfinished() == []
        assert settle(ledger, held, Receipt()) == []
        ledger.set_edition_state(KEY, "sending", "mended", LATER, "person")
        assert ledger.unfinished() == [KEY]
        assert len(claim(ledger, at=LATER)) == 2

    def test_a_cancelled_edition_cancels_what_waits_and_nothing_else(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=4), MONDAY)
        sent, deferred, held = claim(ledger, 3)
        settle(ledger, sent, Receipt())
        settle(ledger, deferred, Deferred("busy"), due=LATER)
        ledger.set_edition_state(KEY, "cancelled", "wrong list", MONDAY, "person")
        assert list(states(ledger).values()) == [State.SENT, State.CANCELLED, State.SENDING, State.CANCELLED]
        assert settle(ledger, held, Deferred("busy"), due=MONDAY) == []
        assert claim(ledger, at=LATER) == []
        assert ledger.unfinished() == []

    @pytest.mark.parametrize("state", ["paused", "cancelled", "sending"])
    def test_an_edition_without_recipients_is_done_and_stays_so(self, ledger: Ledger, state: str) -> None:
        ledger.enter(entry(recipients=0), MONDAY)
        assert ledger.unfinished() == []
        with pytest.raises(IllegalMove, match="done"):
            ledger.set_edition_state(KEY, state, "", MONDAY, "person")

    def test_an_edition_that_is_not_there_is_no_riddle(self, ledger: Ledger) -> None:
        assert ledger.edition("no/such") is None
        assert claim(ledger) == []
        assert list(ledger.deliveries("no/such")) == []
        assert list(ledger.left_out("no/such")) == []
        for ask in (ledger.frozen, lambda key: ledger.set_edition_state(key, "paused", "", MONDAY, "person")):
            with pytest.raises(LedgerError, match="no edition no/such"):
                ask("no/such")

    def test_the_latest_editions_come_first(self, ledger: Ledger) -> None:
        for key in ("weekly/1", "daily/1", "weekly/2"):
            ledger.enter(entry(key), MONDAY)
        assert [row.key for row in ledger.editions()] == ["weekly/2", "daily/1", "weekly/1"]
        assert [row.key for row in ledger.editions("weekly")] == ["weekly/2", "weekly/1"]
        assert [row.key for row in ledger.editions(limit=1)] == ["weekly/2"]
        assert list(ledger.unfinished()) == ["weekly/1", "daily/1", "weekly/2"]

    def test_deliveries_are_streamed_in_order_while_they_move(self, ledger: Ledger) -> None:
        ledger.enter(entry(recipients=1203), MONDAY)
        seen: list[str] = []
        for one in ledger.deliveries(KEY, [State.PLANNED]):
            if not seen:
                settle_next(ledger, Receipt())
            seen.append(one.recipient)
        assert seen == [person.address for person in people(1203)]
        assert len(list(ledger.deliveries(KEY, [State.SENT]))) == 1
        assert len(list(ledger.deliveries(KEY, [State.PLANNED, State.SENT]))) == 1203
        assert len(list(ledger.deliveries(states=[State.PLANNED, State.DEFERRED]))) == 1202

    def test_one_reader_is_found_in_every_edition(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        ledger.enter(entry("daily/1"), MONDAY)
        assert [one.edition for one in ledger.deliveries(recipient="1@example.org")] == [KEY, "daily/1"]

    def test_the_story_tells_who_when_what_and_why(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        settle_next(ledger, Refused("550 no such user"))
        ledger.set_edition_state(KEY, "paused", "a typo", LATER, "person")
        told = [(one.recipient, one.what, one.reason, one.actor) for one in ledger.story(KEY, "0@example.org")]
        assert told == [
            ("", "entered", "", "run"),
            ("0@example.org", "planned -> sending", "", "worker"),
            ("0@example.org", "sending -> refused", "550 no such user", "worker"),
            ("", "sending -> paused", "a typo", "person"),
        ]
        assert [event.at for event in ledger.story(KEY)] == [MONDAY, MONDAY, MONDAY, LATER]
        assert len(ledger.story(KEY, "1@example.org")) == 2
