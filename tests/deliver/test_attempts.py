"""What the attempt log tells after a death, whatever is left of it."""

from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.deliver.attempts import LIMIT, AttemptLog, Attempts, DeadLog, LogBroken
from syndicate.deliver.base import Job
from syndicate.deliver.courier import Courier
from syndicate.ledger.base import Ledger
from syndicate.model import Deferred, Delivery, Outcome, Paused, Receipt, Refused, State, Unknown
from syndicate.testing.adapters_scripted import ScriptedSender, mail_for
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.entries import KEY, LEASE, entry, people, states

A, B, C, D = (person.address for person in people(4))


def job(number: int, epoch: int = 1) -> Job:
    delivery = Delivery(
        id=number,
        edition="weekly/1",
        recipient=f"{number}@example.org",
        account="mail",
        state=State.SENDING,
        epoch=epoch,
    )
    return Job(delivery, mail_for(delivery), "a" * 64, 41)


def read(attempts: Attempts) -> DeadLog:
    """What the one dead worker left; takes it away."""
    (found,) = attempts.dead()
    return found


def written(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "attempts").glob("*.log")
    return path


@pytest.mark.parametrize(
    "outcome",
    [
        Receipt("4Zk", "https://example.com/4Zk", "250 2.0.0 queued\r\nas 4Zk"),
        Refused("550 Benutzer unbekannt: jürgen"),
        Deferred("450 busy"),
        Paused("535 wrong password", "Set SMTP_PASSWORD."),
        Unknown("no reply"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_an_answer_is_read_as_it_was_written(attempts: Attempts, outcome: Outcome) -> None:
    log = attempts.begin("w")
    log.started(job(1))
    log.done(job(1).delivery, outcome)
    log.close(finished=True)
    trace = read(attempts).of(job(1).delivery)
    assert (trace.outcome, trace.sha256, trace.size) == (outcome, "a" * 64, 41)


def test_started_without_an_answer_is_doubt_and_not_started_is_none(attempts: Attempts) -> None:
    log = attempts.begin("w")
    log.started(job(1))
    log.close(finished=False)
    dead = read(attempts)
    assert isinstance(dead.of(job(1).delivery).outcome, Unknown)
    assert dead.of(job(1).delivery).sha256 == "a" * 64
    assert dead.of(job(2).delivery).outcome is None


def test_an_answer_to_an_earlier_claim_says_nothing_about_this_one(attempts: Attempts) -> None:
    log = attempts.begin("w")
    log.started(job(1, epoch=1))
    log.done(job(1, epoch=1).delivery, Receipt())
    log.close(finished=False)
    assert read(attempts).of(job(1, epoch=2).delivery).outcome is None


@pytest.mark.parametrize("boot", ["another boot", ""])
def test_after_a_power_cut_only_what_is_written_is_certain(tmp_path: Path, attempts: Attempts, boot: str) -> None:
    log = attempts.begin("w")
    for number in (1, 2):
        log.started(job(number))
    log.done(job(1).delivery, Receipt("r"))
    log.close(finished=False)
    dead = read(Attempts(tmp_path / "attempts", boot))
    assert dead.of(job(1).delivery).outcome == Receipt("r")
    assert isinstance(dead.of(job(2).delivery).outcome, Unknown)
    assert isinstance(dead.of(job(3).delivery).outcome, Unknown)


def test_the_log_of_a_living_worker_is_left_alone(attempts: Attempts, tmp_path: Path) -> None:
    log = attempts.begin("w")
    assert list(attempts.dead()) == []
    assert written(tmp_path).exists()
    log.close(finished=True)
    assert list(attempts.dead()) == []


def test_the_log_of_a_worker_that_finished_is_gone(attempts: Attempts, tmp_path: Path) -> None:
    log = attempts.begin("w")
    log.started(job(1))
    log.done(job(1).delivery, Receipt())
    log.settled([job(1).delivery])
    log.close(finished=True)
    assert list((tmp_path / "attempts").iterdir()) == []


def test_two_recoveries_do_not_read_the_same_log(attempts: Attempts) -> None:
    attempts.begin("w").close(finished=False)
    first = attempts.dead()
    assert next(first).worker == "w"
    assert list(attempts.dead()) == []
    assert list(first) == []


def test_a_recovery_that_dies_leaves_the_log_for_the_next(attempts: Attempts) -> None:
    attempts.begin("w").close(finished=False)
    dying = attempts.dead()
    next(dying)
    dying.close()
    assert read(attempts).worker == "w"


def test_a_log_torn_at_any_byte_never_makes_a_sent_mail_look_untried(tmp_path: Path, attempts: Attempts) -> None:
    log = attempts.begin("w")
    log.started(job(1))
    log.done(job(1).delivery, Receipt("r", status="250 ok"))
    log.close(finished=False)
    whole = written(tmp_path).read_bytes()
    started = whole.index(b"\nS ") + 1
    complete = whole.index(b"\n", started)
    for end in range(len(whole)):
        written(tmp_path).write_bytes(whole[:end])
        outcome = read(attempts).of(job(1).delivery).outcome
        if end > complete:
            assert outcome == Receipt("r", status="250 ok") or isinstance(outcome, Unknown)
        else:
            assert outcome is None or isinstance(outcome, Unknown)
        (tmp_path / "attempts" / "w.log").write_bytes(whole)


def test_garbage_in_a_log_spoils_nothing_else(tmp_path: Path, attempts: Attempts) -> None:
    log = attempts.begin("w")
    log.started(job(1))
    log.close(finished=False)
    with written(tmp_path).open("ab") as file:
        file.write(b'\0\0\0\xff\nD 1\nD 1 1 {}\nD 1 1 [1]\nD 1 1 {"is": "Nonsense"}\nS x y\n\n')
    assert isinstance(read(attempts).of(job(1).delivery).outcome, Unknown)


def test_the_log_stays_small_and_keeps_what_is_open(tmp_path: Path, attempts: Attempts) -> None:
    log = attempts.begin("w")
    log.started(job(0))
    for number in range(1, 12_000):
        log.started(job(number))
        log.done(job(number).delivery, Receipt("r"))
        log.settled([job(number).delivery])
    assert written(tmp_path).stat().st_size < LIMIT + 1000
    assert list(attempts.dead()) == []
    log.started(job(12_000))
    log.close(finished=False)
    dead = read(attempts)
    assert isinstance(dead.of(job(0).delivery).outcome, Unknown)
    assert isinstance(dead.of(job(12_000).delivery).outcome, Unknown)


def test_a_folder_that_cannot_be_written_stops_before_anything_is_claimed(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    """F-36: without its log nothing may leave."""
    (tmp_path / "attempts").write_text("a file where a folder belongs", "utf-8")
    ledger.enter(entry(), clock())
    with pytest.raises(LogBroken, match="cannot be used") as caught:
        Courier(ledger, clock, attempts=Attempts(tmp_path / "attempts")).deliver(KEY, ScriptedSender(), mail_for)
    assert "space" in caught.value.hint
    assert set(states(ledger).values()) == {State.PLANNED}


def test_recovery_settles_what_a_dead_worker_held(ledger: Ledger, clock: Clock, attempts: Attempts) -> None:
    ledger.enter(entry(recipients=6), clock())
    claimed = ledger.claim(KEY, "dead", 5, clock(), LEASE)
    log = attempts.begin("dead")
    answers: list[Outcome | None] = [Receipt("r"), Refused("no"), Deferred("busy"), None]
    for delivery, answer in zip(claimed, answers, strict=False):
        log.started(Job(delivery, mail_for(delivery), "b" * 64, 7))
        if answer:
            log.done(delivery, answer)
    log.close(finished=False)

    Courier(ledger, clock, attempts=attempts).recover()
    found = list(ledger.deliveries(KEY))
    expected = [State.SENT, State.REFUSED, State.DEFERRED, State.UNKNOWN, State.DEFERRED, State.PLANNED]
    assert [one.state for one in found] == expected
    assert [one.attempt for one in found] == [1, 1, 1, 1, 0, 0]
    assert {one.sha256 for one in found[:4]} == {"b" * 64}
    assert found[3].doubted == MONDAY
    assert [event.actor for event in ledger.story(KEY, A)][-1] == "recovery"


def test_recovery_pauses_the_account_that_its_log_says_is_at_fault(
    ledger: Ledger, clock: Clock, attempts: Attempts
) -> None:
    ledger.enter(entry(recipients=2), clock())
    log = attempts.begin("dead")
    (delivery, _) = ledger.claim(KEY, "dead", 2, clock(), LEASE)
    log.started(Job(delivery, mail_for(delivery), "b" * 64, 7))
    log.done(delivery, Paused("535 wrong password", "Set it."))
    log.close(finished=False)
    sender = ScriptedSender()
    assert "535 wrong password Set it." in Courier(ledger, clock, attempts=attempts).deliver(KEY, sender, mail_for).note
    assert sender.sent == []


def test_a_worker_without_a_log_is_waited_for_and_then_in_doubt(
    ledger: Ledger, clock: Clock, attempts: Attempts
) -> None:
    ledger.enter(entry(recipients=3), clock())
    ledger.claim(KEY, "lost", 2, clock(), LEASE)
    sender = ScriptedSender()
    mine = Courier(ledger, clock, attempts=attempts)
    assert mine.deliver(KEY, sender, mail_for).sent == 1
    clock.advance(LEASE + timedelta(seconds=1))
    assert mine.deliver(KEY, sender, mail_for).unknown == 2
    assert len(sender.sent) == 1


def test_nothing_is_sent_that_cannot_be_noted(ledger: Ledger, clock: Clock) -> None:
    """The disk is full, for the log only: the next mail stays unsent, and what was answered is settled."""
    ledger.enter(entry(recipients=10), clock())
    sender = ScriptedSender()
    with pytest.raises(LogBroken):
        Courier(ledger, clock, attempts=FullDisk(lines=7)).deliver(KEY, sender, mail_for)
    assert sender.accepted == {person.address: 1 for person in people(4)}
    found = states(ledger)
    assert [found[person.address] for person in people(10)] == [State.SENT] * 4 + [State.DEFERRED] * 6
    Courier(ledger, clock).deliver(KEY, sender, mail_for)
    assert sender.accepted == {person.address: 1 for person in people(10)}


class FullDisk(Attempts):
    """Its logs remember, and break when so many lines have been written."""

    def __init__(self, lines: int) -> None:
        super().__init__()
        self._lines = lines

    def begin(self, worker: str) -> AttemptLog:
        return BreakingLog(worker, self._lines)


class BreakingLog(AttemptLog):
    def __init__(self, worker: str, lines: int) -> None:
        super().__init__(worker)
        self._left = lines

    def _write(self, line: bytes) -> None:
        self._left -= 1
        if self._left < 0:
            raise LogBroken
