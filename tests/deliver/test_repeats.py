"""A repeat has the bytes of the first attempt, pictures included, so that the network recognises it."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.deliver.attempts import Attempts
from syndicate.deliver.base import Job
from syndicate.deliver.courier import Courier
from syndicate.ledger import open_ledger
from syndicate.ledger.base import Ledger
from syndicate.model import Delivery, Recipient, Request, State
from syndicate.testing import crash, messages
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.entries import KEY, LEASE, entry, only
from syndicate.testing.http import Fault, Reply
from syndicate.testing.linkedin import CONFLICT, FakeLinkedIn
from tests.deliver.conftest import MakeCourier

URL = "sqlite:///syndicate.db"
ME = "company"
FIRST = "urn:li:share:7243000000000000000"


@pytest.fixture
def network() -> Iterator[FakeLinkedIn]:
    with FakeLinkedIn() as running:
        yield running


def compose(network: FakeLinkedIn) -> Request:
    return crash.posting(network.url).compose(messages.post(image=messages.picture()))


def deliver(courier: Courier, network: FakeLinkedIn) -> None:
    courier.deliver(KEY, crash.posting(network.url), lambda delivery: compose(network))


def posts(network: FakeLinkedIn) -> list[bytes]:
    """The bodies of all posts that were asked for."""
    return [request.body for request in network.journal if request.path == "/rest/posts"]


def enter(ledger: Ledger) -> None:
    ledger.enter(entry(recipients=[Recipient(ME)], kind="post"), MONDAY)


def post_of(ledger: Ledger) -> Delivery:
    return only(ledger, ME)


@pytest.mark.parametrize("then", ["close", "reset"])
def test_silence_after_acceptance_ends_with_one_post(
    ledger: Ledger, clock: Clock, courier: MakeCourier, network: FakeLinkedIn, then: str
) -> None:
    enter(ledger)
    network.fault(None, None, Fault(then=then, apply=True))
    deliver(courier(), network)
    assert post_of(ledger).state is State.DEFERRED
    assert post_of(ledger).doubted == MONDAY

    clock.advance(timedelta(minutes=2))
    deliver(courier(), network)
    assert (post_of(ledger).state, post_of(ledger).receipt) == (State.SENT, FIRST)
    assert "DUPLICATE_POST" in post_of(ledger).reason
    first, second = posts(network)
    assert first == second
    assert (len(network.published), len(network.images)) == (1, 1)


def test_a_picture_is_uploaded_once_however_often_the_post_is_put_off(
    ledger: Ledger, clock: Clock, courier: MakeCourier, network: FakeLinkedIn
) -> None:
    enter(ledger)
    network.fault(None, None, Fault(CONFLICT), Fault(CONFLICT))
    for _ in range(3):
        deliver(courier(), network)
        clock.advance(timedelta(hours=1))
    assert post_of(ledger).state is State.SENT
    assert (len(set(posts(network))), len(posts(network)), len(network.images)) == (1, 3, 1)


def test_an_upload_that_failed_is_made_again(
    ledger: Ledger, clock: Clock, courier: MakeCourier, network: FakeLinkedIn
) -> None:
    enter(ledger)
    network.fault(None, Fault(Reply(503)))
    deliver(courier(), network)
    assert (post_of(ledger).state, post_of(ledger).fills) == (State.DEFERRED, {})
    clock.advance(timedelta(minutes=2))
    deliver(courier(), network)
    assert post_of(ledger).state is State.SENT


def started(ledger: Ledger, attempts: Attempts, network: FakeLinkedIn) -> None:
    """A worker that uploaded the picture, noted it, posted, and died before it had the answer."""
    enter(ledger)
    (delivery,) = ledger.claim(KEY, "dead", 1, MONDAY, LEASE)
    log, linkedin = attempts.begin("dead"), crash.posting(network.url)
    with linkedin.open() as session:
        ready = linkedin.prepare(session, compose(network))
        assert isinstance(ready, Request)
        log.started(Job(delivery, ready, "a" * 64, 7))
        linkedin.send(session, ready, delivery.key)
    log.close(finished=False)


def test_what_a_dead_worker_uploaded_is_found_in_its_log(
    ledger: Ledger, clock: Clock, courier: MakeCourier, attempts: Attempts, network: FakeLinkedIn
) -> None:
    started(ledger, attempts, network)
    deliver(courier(), network)
    assert (post_of(ledger).state, post_of(ledger).receipt) == (State.SENT, FIRST)
    assert (len(network.published), len(network.images)) == (1, 1)


def test_a_repeat_whose_picture_is_not_known_any_more_is_left_to_a_person(
    ledger: Ledger, clock: Clock, courier: MakeCourier, attempts: Attempts, tmp_path: Path, network: FakeLinkedIn
) -> None:
    """The log is lost, so a new upload would make it another post."""
    started(ledger, attempts, network)
    for path in (tmp_path / "attempts").iterdir():
        path.unlink()
    clock.advance(LEASE)
    deliver(courier(), network)
    assert post_of(ledger).state is State.UNKNOWN
    assert (len(posts(network)), len(network.images)) == (1, 1)


def test_killed_while_the_network_publishes_it_posts_once(tmp_path: Path, clock: Clock, network: FakeLinkedIn) -> None:
    """A real process, a real SIGKILL between the request and its answer."""
    with closing(open_ledger(URL, tmp_path)) as ledger:
        enter(ledger)
        network.fault(None, None, Fault(then="hang", apply=True))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["syndicate.testing.crash"])
        worker = context.Process(target=crash.post, args=(URL, tmp_path, network.url, KEY))
        worker.start()
        while not network.published and worker.is_alive():
            time.sleep(0.005)
        worker.kill()
        worker.join()
        crash.post(URL, tmp_path, network.url, KEY)
        assert (post_of(ledger).state, post_of(ledger).receipt) == (State.SENT, FIRST)
    assert len(posts(network)) == 2
    assert len(set(posts(network))) == 1
    assert (len(network.published), len(network.images)) == (1, 1)
