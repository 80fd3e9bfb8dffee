"""What every ledger must do about whole editions and accounts: approval, pauses, the history of both, and reminders."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syndicate.errors import EditionExists, IllegalMove, LedgerError
from syndicate.ledger.base import EditionRow, Ledger, LeftOut
from syndicate.model import EVERY_ACCOUNT, Receipt, Recipient, State
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import KEY, LATER, LEASE, claim, entry, only, people, settle_next, states, used

DRAFT = '{"articles": "1"}'
DRAFTED_ANEW = '{"articles": "2"}'


def row_of(ledger: Ledger, key: str = KEY) -> EditionRow:
    """The edition, which is there."""
    row = ledger.edition(key)
    assert row is not None
    return row


def lines(ledger: Ledger) -> list[tuple[str, str, str]]:
    """What, why and by whom, of the edition as such."""
    return [(one.what, one.reason, one.actor) for one in ledger.story(KEY) if not one.recipient]


class StandingContract:
    """The suite."""

    def test_a_draft_waits_and_nothing_of_it_is_claimed(self, ledger: Ledger) -> None:
        ledger.enter(entry(plan=DRAFT), MONDAY)
        assert (row_of(ledger).state, row_of(ledger).plan, row_of(ledger).begun) == ("awaiting", DRAFT, False)
        assert (list(ledger.awaiting()), list(ledger.unfinished())) == ([KEY], [])
        assert claim(ledger) == []

    def test_what_was_approved_is_claimed_once_it_was_released(self, ledger: Ledger) -> None:
        ledger.enter(entry(plan=DRAFT, why="drafted"), MONDAY)
        ledger.set_edition_state(KEY, "approved", "fine", LATER, "person")
        assert (list(ledger.awaiting()), list(ledger.unfinished())) == ([], [KEY])
        assert claim(ledger) == []
        ledger.set_edition_state(KEY, "sending", "as approved", LATER, "run")
        assert len(claim(ledger, 1)) == 1
        assert row_of(ledger).begun
        assert lines(ledger) == [
            ("entered", "drafted", "run"),
            ("awaiting -> approved", "fine", "person"),
            ("approved -> sending", "as approved", "run"),
        ]

    @pytest.mark.parametrize("state", ["paused", "sending", "awaiting", "done"])
    def test_what_waits_for_approval_goes_no_other_way(self, ledger: Ledger, state: str) -> None:
        ledger.enter(entry(plan=DRAFT), MONDAY)
        with pytest.raises(IllegalMove, match="is awaiting and cannot be"):
            ledger.set_edition_state(KEY, state, "", LATER, "person")

    @pytest.mark.parametrize("approved", [False, True])
    def test_a_rejected_edition_is_never_sent(self, ledger: Ledger, approved: bool) -> None:
        ledger.enter(entry(plan=DRAFT), MONDAY)
        if approved:
            ledger.set_edition_state(KEY, "approved", "", LATER, "person")
        ledger.set_edition_state(KEY, "rejected", "too long", LATER, "person")
        assert (row_of(ledger).state, row_of(ledger).reason) == ("rejected", "too long")
        assert set(states(ledger).values()) == {State.CANCELLED}
        for state in ("approved", "sending", "awaiting"):
            with pytest.raises(IllegalMove):
                ledger.set_edition_state(KEY, state, "", LATER, "person")

    def test_what_was_rejected_was_never_said(self, ledger: Ledger) -> None:
        ledger.enter(entry(plan=DRAFT, articles=(used("one"),)), MONDAY)
        again = entry("weekly/next", articles=(used("one", key="weekly/next"),))
        with pytest.raises(EditionExists):
            ledger.enter(again, LATER)
        ledger.set_edition_state(KEY, "rejected", "", LATER, "person")
        ledger.enter(again, LATER)
        assert ledger.history().editions == {KEY: "rejected", "weekly/next": "sending"}

    def test_a_decision_upon_what_has_changed_meanwhile_is_refused(self, ledger: Ledger) -> None:
        ledger.enter(entry(plan=DRAFT), MONDAY)
        seen = row_of(ledger)
        ledger.redraft(entry(plan=DRAFTED_ANEW), "an edit", LATER, "run")
        with pytest.raises(IllegalMove, match="changed meanwhile"):
            ledger.set_edition_state(KEY, "approved", "", LATER, "person", seen)
        ledger.set_edition_state(KEY, "approved", "", LATER, "person", row_of(ledger))

    def test_a_new_draft_replaces_all_that_the_old_one_said(self, ledger: Ledger) -> None:
        gone = (LeftOut("article", "two", "a draft"),)
        ledger.enter(entry(plan=DRAFT, articles=(used("one"),), left_out=gone), MONDAY)
        fresh = replace(
            entry(plan=DRAFTED_ANEW, articles=(used("two"), used("three")), recipients=people(5)[1:]),
            frozen=b"other words",
            title="Next week",
            account="post",
        )
        assert ledger.redraft(fresh, "an edit", LATER, "run") == 4
        row = row_of(ledger)
        assert (row.title, row.account, row.plan, row.state) == ("Next week", "post", DRAFTED_ANEW, "awaiting")
        assert (row.entered, row.actor, row.reason) == (MONDAY, "run", "an edit")
        assert (ledger.frozen(KEY), [use.slug for use in row.articles]) == (b"other words", ["two", "three"])
        assert list(states(ledger)) == [f"{number}@example.org" for number in range(1, 5)]
        assert row.counts[State.PLANNED] == 4
        assert list(ledger.left_out(KEY)) == []
        assert lines(ledger)[-1] == ("drafted anew", "an edit", "run")
        assert [use.slug for use in ledger.history().used] == ["two", "three"]

    def test_who_was_skipped_stays_so_in_a_new_draft(self, ledger: Ledger) -> None:
        ledger.enter(entry(plan=DRAFT), MONDAY)
        ledger.resolve(only(ledger), State.SKIPPED, "unsubscribed", LATER, "audience")
        assert not row_of(ledger).begun
        assert ledger.redraft(entry(plan=DRAFT), "an edit", LATER, "run") == 2
        assert states(ledger)["0@example.org"] is State.SKIPPED
        counts = row_of(ledger).counts
        assert (counts[State.SKIPPED], counts[State.PLANNED]) == (1, 2)
        told = [one.what for one in ledger.story(KEY, "0@example.org") if one.recipient]
        assert told == ["planned -> skipped"]
        assert list(ledger.left_out(KEY)) == []

    def test_a_new_draft_that_fails_leaves_the_old_one(self, ledger: Ledger) -> None:
        def nobody() -> list[Recipient]:
            raise OSError("the file is gone")

        ledger.enter(entry(plan=DRAFT), MONDAY)
        with pytest.raises(OSError, match="gone"):
            ledger.redraft(entry(plan=DRAFTED_ANEW, recipients=(one for one in nobody())), "", LATER, "run")
        assert (len(states(ledger)), row_of(ledger).plan) == (3, DRAFT)

    @pytest.mark.parametrize("state", ["approved", "sending"])
    def test_only_what_waits_is_drafted_anew(self, ledger: Ledger, state: str) -> None:
        ledger.enter(entry(plan=DRAFT), MONDAY)
        ledger.set_edition_state(KEY, "approved", "", LATER, "person")
        if state == "sending":
            ledger.set_edition_state(KEY, "sending", "", LATER, "run")
        with pytest.raises(IllegalMove, match="cannot be drafted anew"):
            ledger.redraft(entry(plan=DRAFTED_ANEW), "", LATER, "run")
        ledger.set_edition_state(KEY, "awaiting", "void", LATER, "run")
        ledger.redraft(entry(plan=DRAFTED_ANEW), "", LATER, "run")

    def test_what_was_begun_waits_for_nobody_again(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        settle_next(ledger, Receipt())
        with pytest.raises(IllegalMove):
            ledger.set_edition_state(KEY, "awaiting", "", LATER, "run")

    def test_everything_is_stopped_by_one_word_and_goes_on_by_another(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        ledger.pause_account(EVERY_ACCOUNT, "wrong list", "resume", MONDAY, "person")
        ledger.enter(entry("daily/1"), MONDAY)
        assert claim(ledger) == []
        assert list(ledger.claim("daily/1", "w", 9, MONDAY, LATER - MONDAY)) == []
        assert ledger.resume_account(EVERY_ACCOUNT, LATER, "person")
        assert len(claim(ledger)) == 3
        assert lines(ledger)[1:] == [
            ("every account paused", "wrong list", "person"),
            ("every account resumed", "", "person"),
        ]

    def test_a_note_stands_in_the_story_of_its_edition_alone(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        ledger.enter(replace(entry(), key="weekly/other", articles=()), MONDAY)
        ledger.note(KEY, "text corrected", "a typo", LATER, "person")
        assert lines(ledger)[-1] == ("text corrected", "a typo", "person")
        assert [one.what for one in ledger.story("weekly/other") if not one.recipient] == ["entered"]
        with pytest.raises(LedgerError, match="there is no edition weekly/none"):
            ledger.note("weekly/none", "text corrected", "", LATER, "person")

    def test_a_paused_account_stands_once_in_the_story_of_what_it_holds_up(self, ledger: Ledger) -> None:
        ledger.enter(entry(), MONDAY)
        ledger.enter(replace(entry("daily/1"), account="other"), MONDAY)
        ledger.enter(entry("weekly/none", recipients=0), MONDAY)
        for reason in ("535 wrong password", "535 still wrong"):
            ledger.pause_account("mail", reason, "", MONDAY, "worker")
        ledger.resume_account("mail", LATER, "person")
        assert lines(ledger)[1:] == [
            ("account mail paused", "535 wrong password", "worker"),
            ("account mail resumed", "", "person"),
        ]
        assert len(ledger.story("daily/1")) == len(ledger.story("weekly/none")) == 1

    def test_a_fact_is_new_once_unless_it_is_forgotten(self, ledger: Ledger) -> None:
        assert list(ledger.remind(["a", "b"], MONDAY)) == ["a", "b"]
        assert list(ledger.remind(["b", "c", "a"], LATER)) == ["c"]
        ledger.forget(["b"])
        assert list(ledger.remind(["a", "b", "c"], LATER)) == ["b"]
        assert list(ledger.remind([], LATER)) == []

    def test_the_time_of_an_edition_begins_when_it_may_be_sent(self, ledger: Ledger) -> None:
        ledger.enter(entry(plan=DRAFT), MONDAY)
        assert row_of(ledger).since == MONDAY
        ledger.set_edition_state(KEY, "approved", "", LATER, "person")
        ledger.set_edition_state(KEY, "sending", "", LATER + LEASE, "run")
        assert (row_of(ledger).entered, row_of(ledger).since) == (MONDAY, LATER + LEASE)
