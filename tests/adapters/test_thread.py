"""Threads: one delivery of several posts, of which a repeat adds what is missing and doubles nothing."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from syndicate.adapters import thread
from syndicate.adapters.base import Adapter
from syndicate.adapters.bluesky import Bluesky, BlueskyOptions
from syndicate.adapters.dryrun import DryRun
from syndicate.adapters.mastodon import PARENT, Mastodon, MastodonOptions
from syndicate.app import assemble
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Outcome, Paused, Payload, Post, Receipt, Refused, Request, State, Unknown
from syndicate.model.message import digest
from syndicate.newsroom.tick import Newsroom
from syndicate.testing import bluesky, crash, mastodon
from syndicate.testing.clock import Clock
from syndicate.testing.http import FakeNetwork, Fault, Reply
from syndicate.testing.log import Heard
from syndicate.testing.messages import picture, post
from tests.adapters.social import again
from tests.project import MONDAY, Project

NOW = datetime(2026, 11, 22, 1, 55, tzinfo=UTC)
TEXTS = (
    "A hook.\n\nhttps://example.com/a?utm_source=x\n\n#AI",
    "What it says.",
    "And what else.",
    "All of it:\nhttps://example.com/a?utm_source=x",
)


class Kind:
    """A network that takes threads."""

    fake: type[Any]
    #: requests before the first post
    before: int
    busy: Reply
    locked: Reply
    refuses: Reply

    def make(self, network: Any) -> Adapter:
        raise NotImplementedError

    def texts(self, network: Any) -> list[str]:
        """What people see, each post after the one that it answers; fails if they are no single chain."""
        raise NotImplementedError


def chain(posts: dict[str, tuple[str, str]]) -> list[str]:
    """Texts in the order of the thread. `posts`: id -> (id of the post it answers or empty, text)."""
    found, last = [], ""
    while following := [(name, text) for name, (parent, text) in posts.items() if parent == last]:
        ((last, text),) = following
        found.append(text)
    assert len(found) == len(posts), "not one thread"
    return found


class OnMastodon(Kind):
    fake = mastodon.FakeMastodon
    before = 0
    busy, locked, refuses = mastodon.THROTTLED, mastodon.INVALID, mastodon.TOO_LONG

    def make(self, network: Any) -> Adapter:
        return Mastodon(MastodonOptions.model_validate({"server": network.url, "token": mastodon.TOKEN}), lambda: NOW)

    def texts(self, network: Any) -> list[str]:
        return chain({one.id: (one.params.get("in_reply_to_id", ""), one.text) for one in network.statuses})


class OnBluesky(Kind):
    fake = bluesky.FakeBluesky
    before = 1
    busy, locked, refuses = bluesky.THROTTLED, bluesky.EXPIRED, bluesky.TOO_LONG

    def make(self, network: Any) -> Adapter:
        options = {"handle": bluesky.HANDLE, "password": bluesky.PASSWORD, "service": network.url}
        return Bluesky(BlueskyOptions.model_validate(options), lambda: NOW)

    def texts(self, network: Any) -> list[str]:
        posts, roots = {}, set()
        for place, record in network.records.items():
            reply = record.get("reply")
            posts[place] = (reply["parent"]["uri"].rpartition("/")[2] if reply else "", record["text"])
            roots |= {reply["root"]["uri"].rpartition("/")[2]} if reply else set()
        assert roots <= {place for place, (parent, _) in posts.items() if not parent}
        dated = [record["createdAt"] for record in network.records.values()]
        assert dated == sorted(set(dated))
        return [text.replace("example.com/a?", "https://example.com/a?") for text in chain(posts)]


@pytest.fixture(params=[OnMastodon(), OnBluesky()], ids=["mastodon", "bluesky"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def network(kind: Kind) -> Iterator[Any]:
    fake = kind.fake(lambda: NOW) if kind.fake is mastodon.FakeMastodon else kind.fake()
    with fake as running:
        yield running


def message(**changes: Any) -> Post:
    first, *then = TEXTS
    return replace(post(first, url="https://example.com/a?utm_source=x"), then=tuple(then), **changes)


def at(kind: Kind, network: FakeNetwork, part: int, fault: Fault) -> None:
    """What happens to a part, from 1."""
    network.fault(*[None] * (kind.before + part - 1), fault)


def test_every_part_answers_the_one_before(kind: Kind, network: Any) -> None:
    adapter = kind.make(network)
    outcome, _ = again(adapter, adapter.compose(message()))
    assert isinstance(outcome, Receipt)
    assert outcome.status == "200, thread of 4"
    assert kind.texts(network) == list(TEXTS)
    first = network.statuses[0].id if kind.fake is mastodon.FakeMastodon else next(iter(network.records))
    assert outcome.id.endswith(first)
    assert outcome.permalink.endswith(first)


@pytest.mark.parametrize("part", [1, 2, 3, 4])
@pytest.mark.parametrize("arrived", [True, False])
def test_a_repeat_after_silence_completes_the_thread_and_doubles_nothing(
    kind: Kind, network: Any, part: int, arrived: bool
) -> None:
    adapter = kind.make(network)
    at(kind, network, part, Fault(then="close", apply=arrived))
    silence, payload = again(adapter, adapter.compose(message()))
    assert isinstance(silence, Unknown)
    assert len(kind.texts(network)) == part - (not arrived)
    found, _ = again(adapter, payload)
    assert isinstance(found, Receipt)
    assert kind.texts(network) == list(TEXTS)
    assert again(adapter, payload)[0] == found
    assert kind.texts(network) == list(TEXTS)


def test_silence_at_every_part_in_turn_ends_with_one_thread(kind: Kind, network: Any) -> None:
    adapter = kind.make(network)
    network.fault(*[None] * kind.before)
    for part in range(1, 5):
        network.fault(*[None] * (part - 1), Fault(then="close", apply=True))
        assert isinstance(again(adapter, adapter.compose(message()))[0], Unknown)
    assert isinstance(again(adapter, adapter.compose(message()))[0], Receipt)
    assert kind.texts(network) == list(TEXTS)


@pytest.mark.parametrize("answer", ["busy", "locked"])
def test_a_thread_that_has_begun_is_in_doubt_whatever_is_answered_later(kind: Kind, network: Any, answer: str) -> None:
    adapter = kind.make(network)
    at(kind, network, 3, Fault(getattr(kind, answer)))
    outcome, _ = again(adapter, adapter.compose(message()))
    assert isinstance(outcome, Unknown)
    assert outcome.reason.startswith("2 of 4 posts of the thread are there, from https://")
    assert isinstance(again(adapter, adapter.compose(message()))[0], Receipt)
    assert kind.texts(network) == list(TEXTS)


def test_a_part_that_is_refused_ends_the_thread_and_says_what_is_there(kind: Kind, network: Any) -> None:
    adapter = kind.make(network)
    at(kind, network, 2, Fault(kind.refuses))
    outcome, _ = again(adapter, adapter.compose(message()))
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("1 of 4 posts of the thread are there, from https://")
    assert "must not be longer" in outcome.reason or "limit of 500" in outcome.reason


@pytest.mark.parametrize(("answer", "expected"), [("busy", Deferred), ("refuses", Refused)])
def test_a_thread_that_has_not_begun_is_as_any_post(
    kind: Kind, network: Any, answer: str, expected: type[Outcome]
) -> None:
    adapter = kind.make(network)
    at(kind, network, 1, Fault(getattr(kind, answer)))
    assert isinstance(again(adapter, adapter.compose(message()))[0], expected)
    assert kind.texts(network) == []


def test_a_dry_run_shows_every_part_as_it_is_sent(kind: Kind, network: Any) -> None:
    shown: list[Payload] = []
    dry = DryRun(kind.make(network), lambda key, payload: shown.append(payload))
    again(dry, dry.compose(message(image=picture())))
    adapter = kind.make(network)
    again(adapter, adapter.compose(message(image=picture())))
    (request,) = shown
    assert isinstance(request, Request)
    sent = [one for one in network.journal if one.path.endswith(("/statuses", "putRecord"))]
    assert len(sent) == 1 + len(request.then) == 4
    for part, one in zip((request, *request.then), sent, strict=True):
        assert one.path == part.url.removeprefix(network.url)
        assert holed(json.loads(one.body)) == holed(json.loads(part.body))


def holed(body: dict[str, Any]) -> dict[str, Any]:
    """A body without what only the network knows."""
    body.pop("media_ids", None)
    body.pop("in_reply_to_id", None)
    body.get("record", {}).pop("reply", None)
    return body


def test_the_hash_covers_every_part(kind: Kind, network: Any) -> None:
    adapter = kind.make(network)
    whole = adapter.compose(message())
    for part in range(3):
        texts = list(TEXTS[1:])
        texts[part] += "!"
        assert digest(adapter.compose(replace(message(), then=tuple(texts)))) != digest(whole)
    assert digest(adapter.compose(replace(message(), then=TEXTS[1:3]))) != digest(whole)


def test_only_the_first_part_has_the_picture(network: Any, kind: Kind) -> None:
    adapter = kind.make(network)
    again(adapter, adapter.compose(message(image=picture())))
    bodies = [json.loads(one.body) for one in network.journal if one.path.endswith(("/statuses", "putRecord"))]
    assert ["media_ids" in body or "embed" in body.get("record", {}) for body in bodies] == [True, False, False, False]


def test_no_part_is_begun_so_late_that_its_key_would_be_forgotten_before_a_repeat() -> None:
    clock = Clock(NOW)
    with mastodon.FakeMastodon(clock) as network:
        options = {"server": network.url, "token": mastodon.TOKEN}
        adapter = Mastodon(MastodonOptions.model_validate(options), Later(clock, timedelta(seconds=90)))
        outcome, payload = again(adapter, adapter.compose(message()))
        assert isinstance(outcome, Unknown)
        assert "too slow" in outcome.reason
        assert adapter.dedupe.repeat
        assert 1 < len(network.statuses) < 4
        for _ in range(3):
            outcome, _ = again(adapter, payload)
        assert len(network.statuses) == len({one.text for one in network.statuses})


class Later:
    """A clock that goes on each time somebody looks."""

    def __init__(self, clock: Clock, step: timedelta) -> None:
        self._clock, self._step = clock, step

    def __call__(self) -> datetime:
        self._clock.advance(self._step)
        return self._clock()


def test_a_text_that_reads_like_a_hole_stays_a_text() -> None:
    with mastodon.FakeMastodon(lambda: NOW) as network:
        adapter = OnMastodon().make(network)
        again(adapter, adapter.compose(replace(message(), then=(PARENT,))))
        assert [one.text for one in network.statuses] == [TEXTS[0], PARENT]


def test_parts_that_arrived_are_told_by_the_one_that_did_not() -> None:
    first = Receipt("1", "https://example.com/1", "200")
    answers = iter([first, Paused("401", "sign in")])
    request = Request("POST", "x", b"")
    outcome = thread.in_turn(replace(request, then=(request,)), lambda part, done: next(answers))
    assert outcome == Unknown("1 of 2 posts of the thread are there, from https://example.com/1; then: 401")


# -- what a server that has forgotten the keys can be asked ------------------------------------------------------------


def found(network: mastodon.FakeMastodon) -> Receipt | None:
    adapter = OnMastodon().make(network)
    with adapter.open() as session:
        return adapter.find(session, adapter.compose(message()), "edition:key")


def test_a_lost_thread_is_found_among_the_accounts_own() -> None:
    with mastodon.FakeMastodon(lambda: NOW) as network:
        assert found(network) is None
        adapter = OnMastodon().make(network)
        sent, _ = again(adapter, adapter.compose(message()))
        receipt = found(network)
        assert receipt
        assert isinstance(sent, Receipt)
        assert (receipt.id, receipt.permalink) == (sent.id, sent.permalink)


@pytest.mark.parametrize("there", [1, 2, 3])
def test_half_a_thread_is_for_a_person(there: int) -> None:
    with mastodon.FakeMastodon(lambda: NOW) as network:
        adapter = OnMastodon().make(network)
        again(adapter, adapter.compose(message()))
        del network.statuses[there:]
        with pytest.raises(Unsupported, match=f"{there} of 4 posts of the thread are there"):
            found(network)


def test_the_same_words_twice_in_a_thread_are_two_posts() -> None:
    with mastodon.FakeMastodon(lambda: NOW) as network:
        adapter = OnMastodon().make(network)
        twice = replace(message(), then=("Once more.", "Once more."))
        again(adapter, adapter.compose(twice))
        assert len(network.statuses) == 3
        del network.statuses[2]
        with adapter.open() as session, pytest.raises(Unsupported, match="2 of 3"):
            adapter.find(session, adapter.compose(twice), "edition:key")


# -- from a configuration to the wire, with a process that is killed ---------------------------------------------------


CHANNEL = (
    "  {0}: {{kind: post, account: {0}, template: {0}, approval: none, thread: 5, numbered: true, "
    'schedule: {{cron: "30 10 * * MON-FRI"}}, select: {{max: 1, order: oldest, lookback: all}}}}\n'
)


def live(project: Project, kind: Kind, network: Any) -> None:
    """Turns the starter live, with one channel that makes threads."""
    name, secret, options = (
        ("mastodon", mastodon.TOKEN, f'server: "{network.url}", token: "${{file:var/secret-of-it}}"')
        if kind.fake is mastodon.FakeMastodon
        else (
            "bluesky",
            bluesky.PASSWORD,
            f'handle: {bluesky.HANDLE}, service: "{network.url}", password: "${{file:var/secret-of-it}}"',
        )
    )
    (project.folder / "var").mkdir()
    file = project.folder / "var" / "secret-of-it"
    file.write_text(secret)
    file.chmod(0o600)
    text = (project.folder / "config" / "syndicate.yaml").read_text("utf-8")
    head, _, _ = text.partition("channels:\n")
    text = head.replace("mode: rehearsal", "mode: live")
    text = text.replace("accounts:\n", f"accounts:\n  {name}: {{adapter: {name}, {options}}}\n")
    (project.folder / "config" / "syndicate.yaml").write_text(f"{text}channels:\n{CHANNEL.format(name)}", "utf-8")


def test_what_a_dry_run_shows_of_a_thread_is_what_the_ledger_notes(project: Project, kind: Kind, network: Any) -> None:
    live(project, kind, network)
    dry = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    assert dry.status == 0, dry
    assert network.journal == []
    (line,) = map(json.loads, (project.folder / "proofs" / "manifest.jsonl").read_text("utf-8").splitlines())
    page = (project.folder / "proofs" / "index.html").read_text("utf-8")
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 0, said
    app = assemble(project.folder / "config" / "syndicate.yaml")
    (row,) = app.ledger().deliveries()
    app.close()
    assert (row.state, row.sha256) == (State.SENT, line["sha256"])
    assert len(kind.texts(network)) == 5
    for number, text in enumerate(kind.texts(network), start=1):
        assert text.endswith(f"\n\n{number}/5")
        assert f"\n\n{number}/5</p>" in page
        assert any(path.name.endswith(f".{number}.request.json") for path in (project.folder / "proofs").rglob("*"))


@pytest.mark.parametrize("part", [2, 5])
@pytest.mark.parametrize("arrived", [True, False])
def test_a_process_that_is_killed_between_two_parts_leaves_one_thread(
    project: Project, kind: Kind, network: Any, part: int, arrived: bool
) -> None:
    live(project, kind, network)
    config = project.folder / "config" / "syndicate.yaml"
    moment = datetime.fromisoformat(MONDAY).replace(tzinfo=ZoneInfo("Asia/Kolkata"))
    at(kind, network, part, Fault(then="hang", apply=arrived))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["syndicate.testing.crash"])
    worker = context.Process(target=crash.tick, args=(config, moment.isoformat()))
    worker.start()
    end = monotonic() + 30
    while len(network.journal) < kind.before + part and monotonic() < end:
        sleep(0.002)
    assert len(network.journal) == kind.before + part
    worker.kill()
    worker.join()

    room = Newsroom(config, Heard().log, Clock(moment + timedelta(minutes=5)))
    room.tick()
    texts = kind.texts(network)
    assert [text.rpartition("\n\n")[2] for text in texts] == [f"{number}/5" for number in range(1, 6)]
    app = assemble(config)
    (row,) = app.ledger().deliveries()
    app.close()
    assert row.state is State.SENT
