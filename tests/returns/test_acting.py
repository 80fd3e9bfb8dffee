"""What comes back is acted on, once, in whatever order it comes, and only if it is about a mail of ours."""

import hmac
import itertools
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.app import App, assemble
from syndicate.audience.store import Subscribers
from syndicate.feedback.inbox import Inbox
from syndicate.model import Delivery, Outcome, Receipt, Recipient, Refused, Settlement, State, Unknown
from syndicate.model.feedback import Report, ReportKind
from syndicate.returns.acting import BLOCKS, PATIENCE, SOFT_EDITIONS, SOFT_SPAN, act
from syndicate.returns.intake import keep_refusals
from syndicate.returns.rates import rate_of
from syndicate.testing.clock import Clock
from syndicate.testing.entries import LEASE, entry
from tests.project import Project, starter

ADA = "ada@example.org"
TAKEN = Receipt("r-1")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty_room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an empty database, to be copied: making one takes longer than most of what is tried here."""
    project = starter(tmp_path_factory.mktemp("empty") / "newsroom")
    app = assemble(project.folder / "config" / "syndicate.yaml")
    app.secret()
    app.database()
    app.close()
    return project.folder


@pytest.fixture
def project(empty_room: Path, tmp_path: Path) -> Project:
    return Project(shutil.copytree(empty_room, tmp_path / "newsroom"))


@pytest.fixture
def app(project: Project, clock: Clock) -> Iterator[App]:
    app = assemble(project.folder / "config" / "syndicate.yaml", clock)
    yield app
    app.close()


def mailed(app: App, name: str = "first", people: Sequence[str] = (ADA,), outcome: Outcome = TAKEN) -> list[Delivery]:
    """An edition to these people, with what the network said of each."""
    ledger, key = app.ledger(), f"weekly-digest/{name}"
    ledger.enter(entry(key, [Recipient(one) for one in people], list="readers"), app.clock())
    claimed = ledger.claim(key, "w", 10_000, app.clock(), LEASE)
    ledger.settle([Settlement(one, outcome) for one in claimed], app.clock(), "w")
    return list(ledger.deliveries(key))


def told(delivery: Delivery, kind: ReportKind, name: str = "", **changes: object) -> Report:
    """A report that names a delivery by its verified return address."""
    report = Report(id=name or f"{kind}-{delivery.id}", kind=kind, recipient=delivery.recipient, delivery=delivery.id)
    return replace(report, **changes)  # type: ignore[arg-type]


def hear(app: App, *reports: Report, source: str = "returned") -> list[str]:
    """Keeps them and acts; what was done."""
    Inbox(app.database()).keep(source, reports, app.clock())
    return [one.note for one in act(app)]


def suppressed(app: App, address: str = ADA) -> list[str]:
    """Why an address gets no mail, with the list behind the reason where it is only one."""
    people = Subscribers(app.database(), app.secrets, app.clock)
    return [f"{one.reason} {one.list}".strip() for one in people.suppressions(address)]


def paused(app: App) -> list[str]:
    """The accounts that wait for a person."""
    return [one.name for one in app.ledger().paused_accounts()]


def mark_of(app: App, delivery: Delivery) -> str:
    """As it stands in the Message-ID of the mail."""
    return hmac.digest(app.secret(), f"{delivery.edition}\n{delivery.recipient}".encode(), "sha256")[:16].hex()


def test_d_32_a_hard_bounce_suppresses_at_once_and_for_all_lists(app: App) -> None:
    (delivery,) = mailed(app)
    assert hear(app, told(delivery, ReportKind.HARD, status="5.1.1")) == ["suppressed: bounced"]
    assert suppressed(app) == ["bounced"]


def test_d_32_a_complaint_suppresses_at_once_and_for_all_lists(app: App) -> None:
    (delivery,) = mailed(app)
    assert hear(app, told(delivery, ReportKind.COMPLAINT)) == ["suppressed: complained"]
    assert suppressed(app) == ["complained"]


@pytest.mark.parametrize("kind", [ReportKind.NOT_SPAM, ReportKind.DELIVERED, ReportKind.DEFERRED])
def test_d_30_what_is_no_complaint_suppresses_nobody(app: App, kind: ReportKind) -> None:
    (delivery,) = mailed(app)
    assert hear(app, told(delivery, kind)) == ["noted"]
    assert suppressed(app) == []


def test_who_unsubscribes_at_the_provider_leaves_the_list_of_that_mail(app: App) -> None:
    (delivery,) = mailed(app)
    assert hear(app, told(delivery, ReportKind.UNSUBSCRIBED)) == ["left readers"]
    assert suppressed(app) == ["unsubscribed readers"]


def test_d_05_whoever_is_suppressed_gets_nothing_of_what_still_waits(app: App) -> None:
    (delivery,) = mailed(app)
    app.ledger().enter(entry("weekly-digest/next", [Recipient(ADA)], list="readers"), app.clock())
    hear(app, told(delivery, ReportKind.COMPLAINT))
    assert app.ledger().claim("weekly-digest/next", "w", 10, app.clock(), LEASE) == []
    (waiting,) = app.ledger().deliveries("weekly-digest/next")
    assert waiting.state is State.SKIPPED


def test_d_32_soft_bounces_suppress_with_the_third_edition_in_a_row(app: App, clock: Clock) -> None:
    for number in range(1, SOFT_EDITIONS + 1):
        (delivery,) = mailed(app, f"week-{number}")
        notes = hear(app, told(delivery, ReportKind.SOFT))
        clock.advance(DAY)
        assert suppressed(app) == ([] if number < SOFT_EDITIONS else ["bounced"]), notes


def test_d_32_several_soft_bounces_of_one_edition_count_once(app: App) -> None:
    (delivery,) = mailed(app)
    hear(app, *(told(delivery, ReportKind.SOFT, f"again-{number}") for number in range(10)))
    assert suppressed(app) == []


def test_d_32_an_edition_that_arrived_in_between_begins_anew(app: App, clock: Clock) -> None:
    for number in range(1, 6):
        (delivery,) = mailed(app, f"week-{number}")
        if number != 3:
            hear(app, told(delivery, ReportKind.SOFT))
        clock.advance(DAY)
    assert suppressed(app) == []


def test_d_32_soft_bounces_for_fifteen_days_suppress_too(app: App, clock: Clock) -> None:
    (first,) = mailed(app, "first")
    hear(app, told(first, ReportKind.SOFT, at=clock()))
    clock.advance(SOFT_SPAN - MINUTE)
    (second,) = mailed(app, "second")
    assert hear(app, told(second, ReportKind.SOFT, "early", at=clock())) == ["bounced softly: 2 of 3 editions"]
    clock.advance(MINUTE)
    hear(app, told(second, ReportKind.SOFT, "late", at=clock()))
    assert suppressed(app) == ["bounced"]


def test_a_hard_bounce_of_another_address_counts_as_a_soft_one(app: App) -> None:
    (delivery,) = mailed(app)
    assert hear(app, told(delivery, ReportKind.HARD, recipient="old@elsewhere.example")) == [
        "bounced softly: 1 of 3 editions"
    ]
    assert suppressed(app) == []


def test_d_11_a_fault_of_our_set_up_pauses_the_account_at_once_and_nobody_is_punished(app: App) -> None:
    (delivery,) = mailed(app)
    hear(app, told(delivery, ReportKind.POLICY, status="5.7.515", text="550 5.7.515 Access denied"))
    assert paused(app) == ["mail"]
    assert suppressed(app) == []
    (pause,) = app.ledger().paused_accounts()
    assert "5.7.515" in pause.reason
    assert "--account mail" in pause.hint


def test_d_32_policy_blocks_pause_the_account_and_one_readers_filter_does_not(app: App) -> None:
    people = [f"{number}@example.org" for number in range(BLOCKS)]
    deliveries = mailed(app, people=people)
    reports = [told(delivery, ReportKind.POLICY, status="5.7.1", text="554 5.7.1 spam") for delivery in deliveries]
    hear(app, *reports[:-1])
    hear(app, replace(reports[0], id="again"))
    assert paused(app) == []
    hear(app, reports[-1])
    assert paused(app) == ["mail"]
    assert not any(suppressed(app, address) for address in people)


def test_policy_blocks_of_other_days_do_not_add_up(app: App, clock: Clock) -> None:
    for delivery in mailed(app, people=[f"{number}@example.org" for number in range(BLOCKS + 2)]):
        hear(app, told(delivery, ReportKind.POLICY, status="5.7.1"))
        clock.advance(timedelta(hours=13))
    assert paused(app) == []


def test_t_25_a_message_id_of_ours_with_its_recipient_is_proof_enough(app: App) -> None:
    (delivery,) = mailed(app)
    report = Report(id="m", kind=ReportKind.HARD, recipient=ADA, mark=mark_of(app, delivery))
    assert hear(app, report) == ["suppressed: bounced"]


def test_t_25_a_forged_mark_or_a_stranger_changes_nothing(app: App) -> None:
    (delivery, _) = mailed(app, people=[ADA, "bob@example.org"])
    mark = mark_of(app, delivery)
    forged = [
        Report(id="1", kind=ReportKind.HARD, recipient=ADA, mark="0" * 32),
        Report(id="2", kind=ReportKind.COMPLAINT, recipient="bob@example.org", mark=mark),
        Report(id="3", kind=ReportKind.HARD, recipient="someone-else@x.test", receipt="<unknown>"),  # HE20
        Report(id="4", kind=ReportKind.HARD, recipient=ADA),
        Report(id="5", kind=ReportKind.HARD, recipient=ADA, mark="ä" * 32),
        Report(id="6", kind=ReportKind.HARD, delivery=10**9),
    ]
    assert hear(app, *forged) == []
    assert suppressed(app) == suppressed(app, "bob@example.org") == []


def test_a_report_whose_delivery_nobody_knows_is_looked_up_for_a_week_and_parked(app: App, clock: Clock) -> None:
    mailed(app)
    hear(app, Report(id="x", kind=ReportKind.HARD, recipient=ADA, receipt="r-later"))
    for _ in range(40):
        clock.advance(PATIENCE / 20)
        act(app)
    (kept,) = Inbox(app.database()).latest()
    assert (kept.state, kept.note) == ("parked", "no delivery of ours")


def test_a_webhook_that_overtakes_our_own_commit_is_acted_on_after_it(app: App, clock: Clock) -> None:
    ledger = app.ledger()
    ledger.enter(entry("weekly-digest/x", [Recipient(ADA)], list="readers"), clock())
    (claimed,) = ledger.claim("weekly-digest/x", "w", 1, clock(), LEASE)
    assert hear(app, Report(id="x", kind=ReportKind.HARD, recipient=ADA, receipt="<r-9@provider>")) == []
    ledger.settle([Settlement(claimed, Receipt("r-9@provider"))], clock(), "w")
    clock.advance(MINUTE)
    assert [one.note for one in act(app)] == ["suppressed: bounced"]


def test_f_72_every_order_of_events_ends_in_the_same_state(app: App) -> None:
    people = [f"{number}@example.org" for number in range(120)]
    deliveries = mailed(app, people=people)
    kinds = [ReportKind.DELIVERED, ReportKind.SOFT, ReportKind.HARD, ReportKind.COMPLAINT, ReportKind.UNSUBSCRIBED]
    ends = set()
    for order, delivery in zip(itertools.permutations(kinds), deliveries, strict=True):
        reports = [told(delivery, kind, f"{delivery.id}-{number}") for number, kind in enumerate(order)]
        Inbox(app.database()).keep("hook", reports, app.clock())
    act(app)
    for address in people:
        ends.add(
            (bool(suppressed(app, address)), any(reason.endswith("readers") for reason in suppressed(app, address)))
        )
    assert ends == {(True, True)}


def test_soft_bounces_that_come_in_the_wrong_order_count_the_same(app: App, clock: Clock) -> None:
    deliveries = []
    for number in range(SOFT_EDITIONS):
        deliveries += mailed(app, f"week-{number}")
        clock.advance(DAY)
    for delivery in (deliveries[1], deliveries[2], deliveries[0]):
        assert suppressed(app) == []
        hear(app, told(delivery, ReportKind.SOFT))
    assert suppressed(app) == ["bounced"]


def test_the_same_event_a_thousand_times_is_one_event(app: App) -> None:
    (delivery,) = mailed(app)
    report = told(delivery, ReportKind.COMPLAINT)
    inbox = Inbox(app.database())
    assert sum(inbox.keep("hook", [report, report], app.clock()) for _ in range(500)) == 1
    assert len(act(app)) == 1
    assert act(app) == []


def test_what_was_kept_before_a_kill_is_acted_on_after_it(project: Project, clock: Clock) -> None:
    config = project.folder / "config" / "syndicate.yaml"
    first = assemble(config, clock)
    (delivery,) = mailed(first)
    Inbox(first.database()).keep("hook", [told(delivery, ReportKind.HARD)], clock())
    first.close()
    second = assemble(config, clock)
    assert [one.note for one in act(second)] == ["suppressed: bounced"]
    assert act(second) == []
    second.close()


def test_acting_again_after_a_kill_in_the_middle_does_nothing_twice(app: App) -> None:
    deliveries = mailed(app, people=[ADA, "bob@example.org"])
    hear(app, *(told(delivery, ReportKind.COMPLAINT) for delivery in deliveries))
    inbox = Inbox(app.database())
    # As if the process had died between the effects and the note that they were done.
    inbox.write(replace(one, state="new", note="") for one in inbox.latest())
    before = Subscribers(app.database(), app.secrets, app.clock).suppressions(ADA)
    assert [one.note for one in act(app)] == ["was suppressed already"] * 2
    assert Subscribers(app.database(), app.secrets, app.clock).suppressions(ADA) == before


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("550 5.1.1 no such user", ReportKind.HARD),
        ("552 5.2.2 mailbox full", ReportKind.SOFT),
        ("554 5.7.1 spam", ReportKind.POLICY),
        ("550 no such user here", ReportKind.HARD),
    ],
)
def test_a_refusal_in_the_session_is_a_bounce_like_any_other(app: App, reason: str, kind: ReportKind) -> None:
    mailed(app, outcome=Refused(reason))
    assert keep_refusals(app) == 1
    assert keep_refusals(app) == 0
    assert [one.report.kind for one in act(app)] == [kind]
    assert suppressed(app) == (["bounced"] if kind is ReportKind.HARD else [])


@pytest.mark.parametrize("reason", ["the address needs SMTPUTF8", "connect: connection refused", ""])
def test_a_refusal_of_our_own_says_nothing_of_a_reader(app: App, reason: str) -> None:
    mailed(app, outcome=Refused(reason))
    assert keep_refusals(app) == 0


def test_refusals_are_found_however_many_editions_there_were(app: App, clock: Clock) -> None:
    for number in range(3):
        mailed(app, f"week-{number}", [f"{number}@example.org"], Refused("550 5.1.1 no such user"))
        clock.advance(7 * DAY)
        assert keep_refusals(app) == 1
    assert len(act(app)) == 3


def test_a_report_is_evidence_that_the_network_had_accepted(app: App) -> None:
    (delivery,) = mailed(app, outcome=Unknown("no answer"))
    assert delivery.state is State.UNKNOWN
    hear(app, told(delivery, ReportKind.DELIVERED))
    (settled,) = app.ledger().deliveries(delivery.edition)
    assert settled.state is State.SENT
    assert "delivered" in settled.reason


def complaints(app: App, sent: int, count: int) -> str:
    """So many of so many complain; the level that is reached."""
    deliveries = mailed(app, people=[f"{number}@example.org" for number in range(sent)])
    hear(app, *(told(delivery, ReportKind.COMPLAINT) for delivery in deliveries[:count]))
    rate = rate_of(app, "mail")
    assert rate is not None
    assert (rate.sent, rate.complaints) == (sent, count)
    return rate.level


@pytest.mark.parametrize(
    ("sent", "count", "level"),
    [
        (10, 1, ""),
        (1000, 1, "alarm"),
        (1001, 1, ""),
        (1000, 2, "alarm"),
        (1000, 3, "pause"),
        (100, 2, "alarm"),
        (100, 4, "alarm"),
        (100, 5, "pause"),
    ],
)
def test_d_06_complaints_alarm_at_a_thousandth_and_pause_at_three(app: App, sent: int, count: int, level: str) -> None:
    assert complaints(app, sent, count) == level
    assert paused(app) == (["mail"] if level == "pause" else [])


def test_d_06_the_window_slides(app: App, clock: Clock) -> None:
    assert complaints(app, 100, 5) == "pause"
    clock.advance(8 * DAY)
    assert rate_of(app, "mail") is None


def test_d_06_an_account_that_a_person_resumed_is_paused_again_by_a_new_complaint_only(app: App) -> None:
    complaints(app, 100, 5)
    app.ledger().resume_account("mail", app.clock(), "person")
    act(app)
    assert paused(app) == []
    deliveries = list(app.ledger().deliveries("weekly-digest/first"))
    hear(app, told(deliveries[50], ReportKind.COMPLAINT))
    assert paused(app) == ["mail"]


def test_the_bytes_of_a_report_are_forgotten_and_what_it_said_is_not(app: App, clock: Clock) -> None:
    (delivery,) = mailed(app)
    hear(app, told(delivery, ReportKind.HARD, raw=b"To: ada@example.org"))
    inbox = Inbox(app.database())
    inbox.tidy(clock())
    assert inbox.latest()[0].report.raw
    inbox.tidy(clock.advance(31 * DAY))
    (kept,) = inbox.latest()
    assert (kept.report.raw, kept.person, kept.state) == (b"", ADA, "done")


def test_a_rehearsal_acts_on_nothing(app: App) -> None:
    from syndicate.app import rehearsal

    (delivery,) = mailed(app)
    Inbox(app.database()).keep("hook", [told(delivery, ReportKind.HARD)], app.clock())
    assert act(rehearsal(app)) == []
    assert [one.state for one in Inbox(app.database()).latest()] == ["new"]


def test_d_06_prometheus_reads_the_rate_of_each_account_and_channel(app: App) -> None:
    from prometheus_client import generate_latest

    from syndicate.deliver.metrics import Meter
    from syndicate.newsroom.exposition import registry

    complaints(app, 100, 2)
    text = generate_latest(registry(Meter(), lambda: app)).decode()
    assert 'syndicate_complaint_ratio{account="mail",channel=""} 0.02' in text
    assert 'syndicate_complaint_ratio{account="mail",channel="weekly-digest"} 0.02' in text
    assert 'syndicate_complaint_window_mails{account="mail",channel=""} 100.0' in text


def test_d_06_the_operator_hears_of_complaints_once_a_day(app: App, clock: Clock) -> None:
    from syndicate.model import Plan
    from syndicate.newsroom.reminders import all_facts

    complaints(app, 100, 2)
    plan = Plan(at=clock(), channels=())
    (fact,) = [fact for fact in all_facts(app, plan, ()) if fact.name.startswith("complaints")]
    assert "2 of 100 mails" in fact.text
    assert app.ledger().remind([fact.name], clock()) == [fact.name]
    assert app.ledger().remind([fact.name], clock()) == []
