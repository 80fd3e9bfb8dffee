"""The lane that takes many and yields many."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from syndicate.adapters.batch_lane import PATIENCE, BatchLane
from syndicate.adapters.resend import Resend, ResendOptions
from syndicate.errors import LedgerError
from syndicate.model import Deferred, Letter, Outcome, Paused, Payload, Receipt, Refused, Unknown
from syndicate.model.lane import TOGETHER, Job, Tried
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.http import Fault, Reply
from syndicate.testing.resend import INVALID_TO, TOO_FAST, FakeResend
from tests.adapters.providers import KINDS, CallNotes, email, job, outcomes, the_letter

RESEND = KINDS["resend"]


@pytest.fixture(scope="module")
def letter() -> Letter:
    return the_letter()


@pytest.fixture
def network() -> Iterator[FakeResend]:
    with FakeResend() as running:
        yield running


class Scripted(Resend):
    """A provider whose calls a test answers."""

    def __init__(self, *answers: Any, **options: Any) -> None:
        super().__init__(ResendOptions.model_validate({"api_key": "k" * 20, **options}), now=Clock())
        self.answers = list(answers)
        self.calls: list[int] = []

    def call(self, session: Any, payloads: Sequence[Payload], key: str) -> Sequence[Outcome]:
        self.calls.append(len(payloads))
        answer = self.answers.pop(0) if self.answers else Receipt("id")
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else [answer] * len(payloads)


def jobs(adapter: Resend, letter: Letter, count: int, **changes: Any) -> list[Job]:
    return [job(adapter, letter, number, **changes) for number in range(count)]


def doubted(tried: Mapping[str, Job]) -> list[Job]:
    """The same deliveries as the next courier claims them, after silence."""
    return [
        replace(one, delivery=replace(one.delivery, doubted=MONDAY, fills=one.fills, epoch=2, attempt=2))
        for one in tried.values()
    ]


def run(adapter: Resend, work: Sequence[Job]) -> tuple[dict[str, Job], dict[str, Outcome]]:
    """Recipient -> job as it was tried, and what became of it."""
    found = [tried for tried in adapter.lane().run(iter(work), CallNotes()) if tried]
    who = [tried.job.delivery.recipient for tried in found]
    assert len(set(who)) == len(who)
    return (
        {name: tried.job for name, tried in zip(who, found, strict=True)},
        {name: tried.outcome for name, tried in zip(who, found, strict=True)},
    )


# -- silence --------------------------------------------------------------------------------------------------------


def test_a_call_that_got_no_answer_is_made_again_as_it_was(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=3)
    network.fault(Fault(then="close", apply=True))
    first, silence = run(adapter, jobs(adapter, letter, 3))
    assert {type(outcome) for outcome in silence.values()} == {Unknown}
    again = [*reversed(doubted(first)), *jobs(adapter, letter, 9)[3:]]  # in another order, and among others
    _, found = run(adapter, again)
    assert {type(outcome) for outcome in found.values()} == {Receipt}
    assert network.journal[1].body == network.journal[0].body
    assert len(network.taken) == 9
    receipts = {who: outcome.id for who, outcome in found.items() if isinstance(outcome, Receipt)}
    assert receipts == {one.recipient: one.id for one in network.taken}


def test_what_is_left_of_a_call_is_not_sent_alone(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=3)
    network.fault(Fault(then="close", apply=True))
    first, _ = run(adapter, jobs(adapter, letter, 3))
    _, found = run(adapter, doubted(first)[:2])
    assert {type(outcome) for outcome in found.values()} == {Unknown}
    assert len(network.journal) == 1


def test_a_call_whose_bytes_have_changed_is_not_made_again(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=2)
    network.fault(Fault(then="close", apply=True))
    first, _ = run(adapter, jobs(adapter, letter, 2))
    one, other = doubted(first)
    changed = adapter.compose(email(letter, "reader1@example.org", "Another Name"))
    payload = replace(changed, fills=other.fills)
    _, found = run(adapter, [one, replace(other, payload=payload, sha256="0" * 64)])
    assert {type(outcome) for outcome in found.values()} == {Unknown}
    assert len(network.journal) == 1


def test_one_that_travelled_alone_is_repeated_alone(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=50)
    network.fault(Fault(then="close", apply=True))
    first, _ = run(adapter, jobs(adapter, letter, 1))
    assert not first["reader0@example.org"].fills  # its key follows from the delivery
    _, found = run(adapter, [*doubted(first), *jobs(adapter, letter, 5)[1:]])
    assert {type(outcome) for outcome in found.values()} == {Receipt}
    assert len(network.taken) == 5
    assert network.journal[1].body == network.journal[0].body


def test_a_call_that_was_surely_not_accepted_may_be_divided_anew(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=3)
    network.fault(Fault(TOO_FAST))
    first, found = run(adapter, jobs(adapter, letter, 3))
    assert {type(outcome) for outcome in found.values()} == {Deferred}
    later = [replace(one, delivery=replace(one.delivery, epoch=2)) for one in first.values()][:2]
    names = {one.fills[TOGETHER] for one in later}
    second, found = run(adapter, later)
    assert {type(outcome) for outcome in found.values()} == {Receipt}
    assert {one.fills[TOGETHER] for one in second.values()}.isdisjoint(names)


def test_one_that_goes_on_alone_forgets_the_call_that_it_was_in(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=3)
    network.fault(Fault(TOO_FAST), Fault(then="close", apply=True))
    first, _ = run(adapter, jobs(adapter, letter, 3))
    second, _ = run(adapter, [first["reader1@example.org"]])  # as it was deferred: with the name of the first call
    _, found = run(adapter, doubted(second))
    assert {type(outcome) for outcome in found.values()} == {Receipt}
    assert [one.recipient for one in network.taken] == ["reader1@example.org"]
    assert network.journal[2].body == network.journal[1].body


def test_what_is_in_doubt_is_not_divided(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=4)
    network.fault(Fault(then="close", apply=True), Fault(INVALID_TO))
    first, _ = run(adapter, jobs(adapter, letter, 4))
    _, found = run(adapter, doubted(first))
    assert {type(outcome) for outcome in found.values()} == {Refused}  # which the courier keeps as a doubt
    assert len(network.journal) == 2


# -- dividing -------------------------------------------------------------------------------------------------------


def test_dividing_ends_where_the_account_is_at_fault(letter: Letter) -> None:
    paused = Paused("401", "mend it")
    adapter = Scripted(Refused("400"), Receipt("ok"), paused, batch=8)
    found = outcomes(adapter, jobs(adapter, letter, 8))
    assert adapter.calls == [8, 4, 4]
    assert [type(outcome) for outcome in found.values()] == [Receipt] * 4 + [Paused] * 4


def test_dividing_ends_where_nobody_answers(letter: Letter) -> None:
    adapter = Scripted(Refused("400"), Unknown("silence"), batch=8)
    found = outcomes(adapter, jobs(adapter, letter, 8))
    assert adapter.calls == [8, 4]
    assert [type(outcome) for outcome in found.values()] == [Unknown] * 4 + [Deferred] * 4


def test_those_of_a_refused_call_are_in_no_doubt_while_others_are_asked(letter: Letter) -> None:
    log = CallNotes()

    def half() -> list[Outcome]:
        assert len(log.in_doubt) == 2
        return [Receipt("id")] * 2

    adapter = Scripted(Refused("400"), half, half, batch=4)
    assert set(outcomes(adapter, jobs(adapter, letter, 4), log).values()) == {Receipt("id")}


def test_a_poison_message_stops_only_itself_and_is_found_in_few_calls(letter: Letter) -> None:
    with FakeResend() as network:
        network.knows_permissive = False
        network.bad = {"reader77@example.org"}
        adapter = RESEND.make(network, batch=100)
        found = outcomes(adapter, jobs(adapter, letter, 100))
        assert [who for who, outcome in found.items() if isinstance(outcome, Refused)] == ["reader77@example.org"]
        assert len(network.taken) == 99
        assert len(network.journal) <= 1 + 2 * 7


# -- the attempt log ------------------------------------------------------------------------------------------------


def until_the_log_breaks(adapter: Resend, work: Sequence[Job], log: CallNotes) -> list[Tried]:
    found: list[Tried | None] = []
    lane = adapter.lane().run(iter(work), log)
    with pytest.raises(LedgerError):
        found.extend(lane)
    return [tried for tried in found if tried]


def test_what_cannot_be_noted_is_not_sent(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=2)
    found = until_the_log_breaks(adapter, jobs(adapter, letter, 6), CallNotes(fails_at=2))
    assert [type(tried.outcome) for tried in found] == [Receipt] * 2
    assert len(network.taken) == 2


def test_a_log_that_breaks_while_a_call_is_divided_leaves_nobody_without_an_answer(letter: Letter) -> None:
    adapter = Scripted(Refused("400"), Refused("400"), batch=4)

    class Breaks(CallNotes):
        def started(self, *jobs: Job) -> None:
            if len(self.calls) == 2:
                raise LedgerError("no space left")
            super().started(*jobs)

    found = until_the_log_breaks(adapter, jobs(adapter, letter, 4), Breaks())
    assert sorted(tried.job.delivery.id for tried in found) == [0, 1, 2, 3]
    assert {type(tried.outcome) for tried in found} == {Deferred}


def test_everybody_of_a_call_is_noted_before_it_and_answered_after_it(letter: Letter) -> None:
    log = CallNotes()

    def answer() -> list[Outcome]:
        assert len(log.in_doubt) == 3
        return [Receipt("id")] * 3

    adapter = Scripted(answer, answer, batch=3)
    outcomes(adapter, jobs(adapter, letter, 6), log)
    assert not log.in_doubt


# -- the motion -----------------------------------------------------------------------------------------------------


def test_a_lane_without_news_says_so(letter: Letter) -> None:
    go = Event()

    def slow() -> list[Outcome]:
        assert go.wait(30)
        return [Receipt("id")]

    adapter = Scripted(slow, batch=1)
    lane = adapter.lane().run(iter(jobs(adapter, letter, 1)), CallNotes())
    assert next(lane) is None
    go.set()
    assert [tried.outcome for tried in lane if tried] == [Receipt("id")]


def test_a_lane_that_is_closed_lets_its_calls_finish(letter: Letter) -> None:
    go, log = Event(), CallNotes()

    def slow() -> list[Outcome]:
        assert go.wait(30)
        return [Receipt("id")] * 2

    adapter = Scripted(slow, batch=2)
    lane = adapter.lane().run(iter(jobs(adapter, letter, 4)), log)
    assert next(lane) is None
    go.set()
    lane.close()
    assert set(log.ended.values()) == {Receipt("id")}
    assert adapter.calls == [2]


def test_several_calls_are_made_at_once(letter: Letter) -> None:
    both = [Event(), Event()]

    def meet(own: int) -> list[Outcome]:
        both[own].set()
        assert both[1 - own].wait(30)
        return [Receipt("id")] * 2

    adapter = Scripted(lambda: meet(0), lambda: meet(1), batch=2, connections=2)
    assert set(outcomes(adapter, jobs(adapter, letter, 4)).values()) == {Receipt("id")}


def test_no_more_is_taken_than_can_be_sent_at_once(letter: Letter) -> None:
    adapter, taken = Scripted(batch=2), []

    def source() -> Iterator[Job]:
        for one in jobs(adapter, letter, 6):
            taken.append(one)
            assert len(taken) - 2 * len(adapter.calls) <= 2
            yield one

    assert len(outcomes(adapter, source())) == 6


def test_letters_that_share_no_frame_do_not_travel_together(letter: Letter) -> None:
    kind = KINDS["sendgrid"]
    with kind.fake() as network:
        adapter = kind.make(network, batch=10)
        other = replace(letter, subject="Another")
        work = [job(adapter, letter, 1), job(adapter, letter, 2), job(adapter, other, 3)]
        log = CallNotes()
        outcomes(adapter, work, log)
        assert [len(call) for call in log.calls] == [2, 1]


def test_a_call_stays_under_the_bytes_that_the_provider_takes(letter: Letter) -> None:
    adapter = Scripted(batch=10)
    work = jobs(adapter, letter, 5)
    adapter.max_bytes = 2 * work[0].size + 500
    outcomes(adapter, work)
    assert adapter.calls == [2, 2, 1]


def test_the_first_of_a_call_does_not_wait_for_ever(letter: Letter) -> None:
    adapter = Scripted(batch=10)
    times = iter([0.0, 0.1, PATIENCE + 0.1])  # rates let another one through now and then
    lane = BatchLane(adapter, pulse=lambda: next(times, 0.0))
    assert len([tried for tried in lane.run(iter(jobs(adapter, letter, 3)), CallNotes()) if tried]) == 3
    assert adapter.calls == [2, 1]


def test_a_session_that_cannot_be_opened_costs_nobody_an_attempt(letter: Letter) -> None:
    class Closed(Scripted):
        def open(self) -> Any:
            raise OSError("no descriptors left")

    adapter = Closed(batch=2)
    found = outcomes(adapter, jobs(adapter, letter, 3))
    assert {type(outcome) for outcome in found.values()} == {Deferred}
    assert all(isinstance(outcome, Deferred) and not outcome.reached for outcome in found.values())


def test_an_adapter_that_fails_while_it_sends_leaves_a_doubt(letter: Letter) -> None:
    adapter = Scripted(RuntimeError("a bug"), batch=2)
    found = outcomes(adapter, jobs(adapter, letter, 3))
    assert [type(outcome) for outcome in found.values()] == [Unknown, Unknown, Receipt]


def test_results_that_are_too_few_or_too_many_are_no_results(network: FakeResend, letter: Letter) -> None:
    adapter = RESEND.make(network, batch=3)
    network.fault(Fault(Reply(200, b'{"data": [{"id": "a"}, {"id": "b"}]}'), apply=True))
    assert {type(outcome) for outcome in outcomes(adapter, jobs(adapter, letter, 3)).values()} == {Unknown}


def test_a_repeat_comes_before_the_provider_forgets() -> None:
    assert KINDS["resend"].adapter.dedupe.repeat == timedelta(hours=19)
    assert KINDS["brevo"].adapter.dedupe.repeat == timedelta(minutes=14)
