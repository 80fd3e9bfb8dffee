"""What holds for all six e-mail providers."""

import gzip
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from syndicate.adapters.dryrun import DryRun
from syndicate.adapters.http import MAX_ANSWER
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Letter, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.model.message import digest
from syndicate.testing import messages
from syndicate.testing.adapters import AdapterContract, Subject
from syndicate.testing.brevo import FakeBrevo
from syndicate.testing.http import Fault, Reply
from syndicate.testing.providers import KEY, FakeProvider, journalled
from syndicate.testing.resend import FakeResend
from tests.adapters.providers import BATCHED, KINDS, CallNotes, Kind, email, job, outcomes, the_letter


@pytest.fixture(scope="module")
def letter() -> Letter:
    return the_letter()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def network(kind: Kind) -> Iterator[FakeProvider]:
    with kind.fake() as running:
        yield running


class TestContract(AdapterContract):
    @pytest.fixture
    def subject(self, kind: Kind, network: FakeProvider) -> Subject:
        knows_keys = isinstance(network, FakeResend | FakeBrevo)
        return Subject(
            make=lambda: kind.make(network),
            received=lambda: network.taken,
            secrets=(KEY,),
            keys=(lambda: network.keys) if knows_keys else None,
            faults={
                "unreachable": network.stop,
                "busy": lambda: network.fault(Fault(kind.busy)),
                "locked out": lambda: network.fault(Fault(kind.locked)),
                "refuses": lambda: network.fault(Fault(kind.refusal)),
                "lost answer": lambda: network.fault(Fault(then="close", apply=True)),
                "garbage": lambda: network.fault(Fault(raw=b"\xff\xfe what?\r\n\r\n", apply=True)),
            },
        )


def batches(kind: Kind) -> list[int]:
    return [1, 4] if kind.most > 1 else [1]


@pytest.mark.parametrize("together", [False, True], ids=["alone", "together"])
def test_what_arrives_for_each_reader_hashes_to_what_the_dry_run_showed(
    kind: Kind, network: FakeProvider, letter: Letter, together: bool
) -> None:
    options = {"batch": 4} if together and kind.most > 1 else {}
    shown: dict[str, str] = {}
    dry = DryRun(kind.make(network, **options), lambda key, payload: shown.update({key: digest(payload)}))
    adapter = kind.make(network, **options)
    jobs = [job(adapter, letter, number) for number in range(6)]
    for one in jobs:
        to = one.delivery.recipient
        dry.send(None, dry.compose(email(letter, to, f"Reader {one.delivery.id}")), to)
    outcomes(adapter, jobs)
    assert {one.recipient: one.sha256 for one in network.taken} == shown
    assert len(shown) == 6


def test_how_many_travel_together_changes_no_hash(kind: Kind, letter: Letter) -> None:
    hashes = [{digest(kind.make(batch=batch).compose(email(letter, "a@example.org")))} for batch in batches(kind)[1:]]
    assert all(found == hashes[0] for found in hashes)
    if kind.most > 4:
        four, most = (kind.make(batch=batch).compose(email(letter, "a@example.org")) for batch in (4, kind.most))
        assert digest(four) == digest(most)


NAMES = ["", "Ravi", 'O\'Neil, "Jo" <x>', "José 😀", "%recipient.s1% {{x}} -slot-", "a\\b & c"]


def test_every_reader_gets_the_letter_with_values_of_its_own(kind: Kind, network: FakeProvider, letter: Letter) -> None:
    for batch in batches(kind):
        adapter = kind.make(network, **({"batch": batch} if kind.most > 1 else {}))
        for number, name in enumerate(NAMES):
            mail = email(letter, f"r{number}@example.org", name)
            network.taken.clear()
            with adapter.open() as session:
                assert isinstance(adapter.send(session, adapter.compose(mail), f"e:{batch}:{number}"), Receipt)
            (taken,) = network.taken
            shown = message_from_bytes(mail.data, policy=policy.default)
            text, html = (part.get_content().replace("\r\n", "\n") for part in shown.iter_parts())
            assert (taken.subject, taken.recipient, taken.mark) == (letter.subject, mail.recipient.address, mail.mark)
            assert taken.text.replace("\r\n", "\n").replace("\u2060", "") == text
            assert taken.html.replace("\r\n", "\n").replace("&#8288;", "") == html
            assert taken.headers["list-unsubscribe"] == f"<https://news.example.com/u/r{number}>"
            assert taken.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
            for header in ("List-Id", "List-Owner", "List-Post", "Feedback-ID", "Precedence"):
                assert taken.headers[header.lower()] == shown[header]


def test_nothing_that_travels_beside_the_address_holds_it(kind: Kind, letter: Letter) -> None:
    mail = email(letter, "very-secret@example.org")
    assert mail.mark not in letter.subject
    assert "secret" not in mail.mark
    assert len(mail.mark) == 32


def test_what_is_lost_is_said(kind: Kind) -> None:
    assert kind.adapter.lost


def test_a_post_and_an_address_beyond_ascii_are_refused(kind: Kind) -> None:
    with pytest.raises(Unsupported, match="not posts"):
        kind.make().compose(messages.post())
    with pytest.raises(Unsupported, match="beyond ASCII"):
        kind.make().compose(messages.email("josé@example.org"))


BOMB = gzip.compress(bytes(20 << 20))
FAULTS: dict[str, tuple[Fault, type[Outcome]]] = {
    "no answer": (Fault(then="close", apply=True), Unknown),
    "reset": (Fault(then="reset", apply=True), Unknown),
    "half an answer": (
        Fault(raw=b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"id', then="close", apply=True),
        Unknown,
    ),
    "half JSON": (Fault(Reply(200, b'{"id": "'), apply=True), Unknown),
    "a page of HTML": (Fault(Reply(200, b"<html>It works!</html>"), apply=True), Unknown),
    "an empty list": (Fault(Reply(200, b"[]"), apply=True), Unknown),
    "an empty object": (Fault(Reply(200, b"{}"), apply=True), Unknown),
    "deep JSON": (Fault(Reply(200, b"[" * 100_000), apply=True), Unknown),
    "a very long answer": (Fault(Reply(200, b"x" * (MAX_ANSWER + 1)), apply=True), Unknown),
    "a bomb": (Fault(Reply(200, BOMB, {"Content-Encoding": "gzip"}), apply=True), Unknown),
    "another charset": (Fault(Reply(200, "{“id”: “é”}".encode("utf-16")), apply=True), Unknown),
    "500": (Fault(Reply(500), apply=True), Unknown),
    "502 without a word": (Fault(Reply(502), apply=True), Unknown),
    "503": (Fault(Reply(503), apply=True), Unknown),
    "504": (Fault(Reply(504), apply=True), Unknown),
    "401": (Fault(Reply(401)), Paused),
    "403": (Fault(Reply(403)), Paused),
    "402": (Fault(Reply(402)), Paused),
    "404": (Fault(Reply(404)), Paused),
    "moved": (Fault(Reply(308, headers={"Location": "https://elsewhere.example/"})), Paused),
    "sent on": (Fault(Reply(302, headers={"Location": "https://elsewhere.example/"})), Unknown),
    "429": (Fault(Reply(429)), Deferred),
    "413": (Fault(Reply(413)), Refused),
}


@pytest.mark.parametrize("what", FAULTS)
def test_whatever_happens_to_a_call_happens_to_all_that_it_carries(
    kind: Kind, network: FakeProvider, letter: Letter, what: str
) -> None:
    fault, expected = FAULTS[what]
    adapter = kind.make(network, **({"batch": 3} if kind.most > 1 else {}))
    count = 3 if kind.most > 1 else 1
    network.fault(*[fault] * 5)
    log = CallNotes()
    found = outcomes(adapter, [job(adapter, letter, number) for number in range(count)], log)
    assert [type(outcome) for outcome in found.values()] == [expected] * count
    assert all(outcome.reason for outcome in found.values() if not isinstance(outcome, Receipt))
    assert not log.in_doubt
    if expected is not Unknown:
        assert network.taken == []


def test_an_answer_that_takes_too_long_is_silence(kind: Kind, network: FakeProvider, letter: Letter) -> None:
    adapter = kind.make(network)
    adapter.read_timeout = 0.05
    network.fault(Fault(then="hang"))
    (found,) = outcomes(adapter, [job(adapter, letter, 1)]).values()
    assert found == Unknown("no answer in time")


def test_retry_after_is_kept(kind: Kind, network: FakeProvider, letter: Letter) -> None:
    network.fault(Fault(Reply(429, headers={"Retry-After": "77"})))
    adapter = kind.make(network)
    (found,) = outcomes(adapter, [job(adapter, letter, 1)]).values()
    assert isinstance(found, Deferred)
    assert found.after == timedelta(seconds=77)


def test_nothing_is_tried_twice(kind: Kind, network: FakeProvider, letter: Letter) -> None:
    adapter = kind.make(network)
    for fault, _ in FAULTS.values():
        network.fault(fault)
        before = len(network.journal)
        outcomes(adapter, [job(adapter, letter, 1)])
        assert len(network.journal) <= before + 1


def test_a_key_that_is_withdrawn_in_the_middle_stops_at_that_call(
    kind: Kind, network: FakeProvider, letter: Letter
) -> None:
    adapter = kind.make(network, **({"batch": 2} if kind.most > 1 else {}))
    count = 2 if kind.most > 1 else 1
    network.fault(None, Fault(kind.locked))
    found = list(outcomes(adapter, [job(adapter, letter, number) for number in range(2 * count)]).values())
    assert [type(outcome) for outcome in found] == [Receipt] * count + [Paused] * count
    assert KEY not in repr(found)
    paused = found[-1]
    assert isinstance(paused, Paused)
    assert paused.hint


@pytest.mark.parametrize("name", BATCHED)
def test_one_bad_reader_refuses_only_itself(name: str, letter: Letter) -> None:
    kind = KINDS[name]
    with kind.fake() as network:
        adapter = kind.make(network, batch=20)
        network.bad = {"reader3@example.org", "reader4@example.org", "reader19@example.org"}
        log = CallNotes()
        found = outcomes(adapter, [job(adapter, letter, number) for number in range(20)], log)
        refused = {who for who, outcome in found.items() if isinstance(outcome, Refused)}
        assert refused == network.bad
        assert sorted(one.recipient for one in network.taken) == sorted(found.keys() - refused)
        assert all(isinstance(outcome, Receipt) for who, outcome in found.items() if who not in refused)
        assert not log.in_doubt
        assert log.most_in_doubt == 20


@pytest.mark.parametrize("name", BATCHED)
def test_the_size_of_a_call_is_what_the_account_says(name: str, letter: Letter) -> None:
    kind = KINDS[name]
    with kind.fake() as network:
        adapter = kind.make(network, batch=4)
        log = CallNotes()
        outcomes(adapter, [job(adapter, letter, number) for number in range(10)], log)
        assert [len(call) for call in log.calls] == [4, 4, 2]
    with pytest.raises(ValueError, match="less than or equal"):
        kind.make(batch=kind.most + 1)


def test_a_mail_that_is_too_large_is_refused_before_it_is_sent(kind: Kind, letter: Letter) -> None:
    adapter = kind.make()
    adapter.max_mail = 1000
    with pytest.raises(Unsupported, match="1,000 bytes"):
        adapter.compose(email(letter, "a@example.org"))


def test_the_fake_writes_down_what_it_takes_before_it_says_so(kind: Kind, letter: Letter, tmp_path) -> None:  # type: ignore[no-untyped-def]
    with kind.fake(tmp_path / "journal") as network:
        adapter = kind.make(network)
        one = job(adapter, letter, 1)
        network.fault(Fault(then="close", apply=True))
        outcomes(adapter, [one])
        assert journalled(tmp_path / "journal") == [(one.delivery.recipient, one.sha256)]


@pytest.mark.parametrize("url", ["http://api.example.com", "https://user:pw@api.example.com", "ftp://x.test"])
def test_a_key_is_not_sent_in_the_clear(kind: Kind, url: str) -> None:
    with pytest.raises(ValueError, match=r"address|password"):
        kind.make(base_url=url)


def test_the_address_of_the_api_is_that_of_the_region(letter: Letter) -> None:
    regions = {
        ("ses", "eu-central-1"): "https://email.eu-central-1.amazonaws.com/v2/email/outbound-emails",
        ("mailgun", "us"): "https://api.mailgun.net/v3/example.com/messages.mime",
        ("mailgun", "eu"): "https://api.eu.mailgun.net/v3/example.com/messages.mime",
        ("sendgrid", "us"): "https://api.sendgrid.com/v3/mail/send",
        ("sendgrid", "eu"): "https://api.eu.sendgrid.com/v3/mail/send",
    }
    for (name, region), url in regions.items():
        assert KINDS[name].make(region=region).compose(email(letter, "a@example.org")).url == url
    for name, url in {
        "postmark": "https://api.postmarkapp.com/email/batch",
        "resend": "https://api.resend.com/emails/batch",
        "brevo": "https://api.brevo.com/v3/smtp/email",
    }.items():
        assert KINDS[name].make().compose(email(letter, "a@example.org")).url == url
