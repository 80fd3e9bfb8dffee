"""Threads against a fake that keeps containers as the real one does."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from syndicate.adapters.threads import CONTAINER, Threads, ThreadsOptions
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Request, Unknown
from syndicate.testing import threads as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.messages import picture, post
from syndicate.testing.threads import TOKEN, USER, FakeThreads
from tests.adapters.social import Social, again, deliver

CONTAINER_ID = "17889615691921648"


@pytest.fixture
def network() -> Iterator[FakeThreads]:
    with FakeThreads() as running:
        yield running


def adapter(network: FakeThreads | None = None, **options: Any) -> Threads:
    base = {"base_url": f"{network.url}/v1.0"} if network else {}
    return Threads(ThreadsOptions.model_validate({"user": USER, "token": TOKEN, **base, **options}))


class TestThreads(Social):
    before = before_plain = 2  # the container, and its status
    patience = timedelta(hours=1)
    secrets: ClassVar = (TOKEN,)
    busy = fake.LIMIT
    locked = fake.EXPIRED
    refuses = fake.LINKS
    down = fake.TRANSIENT

    def fake(self) -> FakeThreads:
        return FakeThreads()

    def make(self, network: FakeThreads) -> Threads:
        return adapter(network)

    def received(self, network: FakeThreads) -> list[Any]:
        return network.posts


def test_the_container_holds_what_people_will_see_and_a_hole_for_the_token() -> None:
    request = adapter().compose(post("Hello\n\nhttps://example.com/a"))
    assert request.url == f"https://graph.threads.net/v1.0/{USER}/threads?access_token={{secret}}"
    assert parse_qs(request.body.decode()) == {
        "media_type": ["TEXT"],
        "text": ["Hello\n\nhttps://example.com/a"],
        "link_attachment": ["https://example.com/a?utm_source=linkedin"],
    }
    assert not request.whole  # without the container's name a repeat would be another post


def test_a_post_is_a_container_its_status_its_publication_and_its_address(network: FakeThreads) -> None:
    found = deliver(adapter(network), post())
    assert found == Receipt("18000000000000000", "https://www.threads.net/@someone/post/18000000000000000", "200")
    steps = [(one.method, one.path.partition("?")[0]) for one in network.journal]
    assert steps == [
        ("POST", f"/v1.0/{USER}/threads"),
        ("GET", f"/v1.0/{CONTAINER_ID}"),
        ("POST", f"/v1.0/{USER}/threads_publish"),
        ("GET", "/v1.0/18000000000000000"),
    ]


def test_an_address_that_is_not_told_takes_nothing_from_the_receipt(network: FakeThreads) -> None:
    network.fault(None, None, None, Fault(then="close"))
    assert deliver(adapter(network), post()) == Receipt("18000000000000000", "", "200")


def test_a_picture_is_refused() -> None:
    with pytest.raises(Unsupported, match="without pictures"):
        adapter().compose(post(image=picture()))


# -- the container ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault(then="close", apply=True), Fault(Reply(500)), Fault(Reply(200, b"[]"))])
def test_a_container_leaves_no_doubt(network: FakeThreads, fault: Fault) -> None:
    network.fault(fault)
    assert isinstance(deliver(adapter(network), post()), Deferred)
    assert network.posts == []


def test_a_container_that_is_not_ready_is_waited_for_and_not_made_again(network: FakeThreads) -> None:
    network.begins = "IN_PROGRESS"
    threads = adapter(network)
    outcome, payload = again(threads, threads.compose(post()))
    assert outcome == Deferred("the container is not ready: IN_PROGRESS", timedelta(seconds=30))
    network.states[CONTAINER_ID] = "FINISHED"
    assert isinstance(again(threads, payload)[0], Receipt)
    assert len(network.containers) == 1


def test_a_container_that_failed_is_refused(network: FakeThreads) -> None:
    network.begins = "ERROR"
    assert deliver(adapter(network), post()) == Refused("the container failed: FAILED_DOWNLOADING_VIDEO")


def test_a_container_that_expired_was_never_published_and_is_made_again(network: FakeThreads) -> None:
    network.begins = "IN_PROGRESS"
    threads = adapter(network)
    _, payload = again(threads, threads.compose(post()))
    network.states[CONTAINER_ID], network.begins = "EXPIRED", "FINISHED"
    outcome, second = again(threads, payload)
    assert isinstance(outcome, Receipt)
    assert isinstance(second, Request)
    assert second.fills[CONTAINER] != CONTAINER_ID
    assert len(network.posts) == 1


def test_a_token_that_ends_between_the_two_steps_pauses_the_account(network: FakeThreads) -> None:
    network.fault(None, Fault(fake.EXPIRED))
    assert isinstance(deliver(adapter(network), post()), Paused)
    assert network.posts == []


def test_a_container_that_says_nothing_is_not_published(network: FakeThreads) -> None:
    network.fault(None, Fault(then="close"))
    assert isinstance(deliver(adapter(network), post()), Deferred)
    assert network.posts == []


def test_what_was_published_unheard_is_found_by_its_text(network: FakeThreads) -> None:
    threads = adapter(network)
    network.fault(None, None, Fault(then="close", apply=True))
    outcome, payload = again(threads, threads.compose(post()))
    assert isinstance(outcome, Unknown)
    deliver(threads, post("Another one"))
    expected = Receipt(
        "18000000000000000",
        "https://www.threads.net/@someone/post/18000000000000000",
        "PUBLISHED, as its container says",
    )
    assert again(threads, payload)[0] == expected
    with threads.open() as session:
        assert threads.find(session, payload, "edition:key") == expected


def test_a_published_post_that_is_not_listed_is_published_all_the_same(network: FakeThreads) -> None:
    threads = adapter(network)
    _, payload = again(threads, threads.compose(post()))
    network.posts.clear()
    assert again(threads, payload)[0] == Receipt(status="PUBLISHED, as its container says")


@pytest.mark.parametrize("state", ["FINISHED", "EXPIRED", "ERROR"])
def test_a_container_that_was_not_published_is_known_not_to_be(network: FakeThreads, state: str) -> None:
    threads = adapter(network)
    network.fault(None, None, Fault(Reply(503)))
    _, payload = again(threads, threads.compose(post()))
    network.states[CONTAINER_ID] = state
    with threads.open() as session:
        assert threads.find(session, payload, "edition:key") is None


def test_a_container_that_does_not_answer_decides_nothing(network: FakeThreads) -> None:
    threads = adapter(network)
    _, payload = again(threads, threads.compose(post()))
    network.fault(Fault(Reply(503)))
    with threads.open() as session, pytest.raises(Unsupported, match="does not say"):
        threads.find(session, payload, "edition:key")


# -- the answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.EXPIRED, Paused),
        (fake.error(190, "Error validating access token", 400), Paused),
        (fake.DENIED, Paused),
        (fake.LIMIT, Deferred),
        (fake.LINKS, Refused),
        (fake.TOO_LONG, Refused),
        (fake.TRANSIENT, Unknown),
        (fake.error(1, "An unknown error occurred", 400), Unknown),
        (Reply(400, b'{"error": "odd"}'), Refused),
    ],
)
def test_answers_by_their_code(network: FakeThreads, reply: Reply, expected: type[Outcome]) -> None:
    network.fault(None, None, Fault(reply))
    assert isinstance(deliver(adapter(network), post()), expected)


def test_a_limit_ends_when_the_app_may_call_again(network: FakeThreads) -> None:
    usage = '{"17841": [{"type": "threads", "call_count": 100, "estimated_time_to_regain_access": 19}]}'
    network.fault(None, None, Fault(Reply(400, fake.LIMIT.body, {"X-Business-Use-Case-Usage": usage})))
    assert deliver(adapter(network), post()) == Deferred(
        "400 4 Application request limit reached", timedelta(minutes=19)
    )


AGAIN = "Sign in again: syndicate connect, with the account's name; or make a new token, and set it."


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (date(2026, 12, 9), ()),
        (date(2026, 12, 10), (f"the token ends on 2026-12-24, in 14 days. {AGAIN}",)),
        (date(2026, 12, 25), (f"the token has ended on 2026-12-24. {AGAIN}",)),
    ],
)
def test_the_end_of_the_token_is_told_ahead(today: date, told: tuple[str, ...]) -> None:
    assert adapter(token_until="2026-12-24").warnings(today) == told
    assert adapter().warnings(today) == ()


@pytest.mark.parametrize("options", [{"user": "me"}, {"base_url": "http://graph.threads.net"}])
def test_options_that_cannot_work_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter(**options)
    assert TOKEN not in str(caught.value)
