"""The contract suite, and the list of faults, over a network that takes posts by HTTP."""

from abc import abstractmethod
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any, ClassVar

import pytest

from syndicate.adapters.base import Adapter
from syndicate.adapters.dryrun import DryRun
from syndicate.model import Deferred, Outcome, Paused, Payload, Post, Receipt, Request, Unknown
from syndicate.model.message import digest
from syndicate.testing.adapters import AdapterContract, Subject
from syndicate.testing.http import FakeNetwork, Fault, Reply, hurried
from syndicate.testing.messages import post


def deliver(adapter: Adapter, message: Post, key: str = "edition:key", seconds: float = 30) -> Outcome:
    """What the courier does with one delivery."""
    return again(adapter, adapter.compose(message), key, seconds)[0]


def again(adapter: Adapter, payload: Payload, key: str = "edition:key", seconds: float = 30) -> tuple[Outcome, Payload]:
    """The outcome, and the payload as it was sent: with what the network calls its files."""
    with adapter.open() as session:
        if session is not None:
            hurried(session, seconds)
        prepared = adapter.prepare(session, payload)
        if isinstance(prepared, Outcome):
            return prepared, payload
        return adapter.send(session, prepared, key), prepared


class Social(AdapterContract):
    """Derive, and say what the network is; every test of the contract and of the fault list is then run."""

    #: requests before the one that counts, with and without a picture
    before: ClassVar[int] = 0
    before_plain: ClassVar[int] = 0
    #: what a 429 without a time is put off by
    patience: ClassVar[timedelta | None] = None
    #: whether a Retry-After reaches us
    hears_retry_after: ClassVar[bool] = True
    secrets: ClassVar[tuple[str, ...]]
    #: the path of an address that is itself a secret
    webhook: ClassVar[str] = ""
    busy: ClassVar[Reply] = Reply(429)
    locked: ClassVar[Reply]
    refuses: ClassVar[Reply] = Reply(400, b"{}")
    down: ClassVar[Reply] = Reply(503, b"<html>")

    @abstractmethod
    def fake(self) -> FakeNetwork:
        """The network."""

    @abstractmethod
    def make(self, network: Any) -> Adapter:
        """The adapter, with an account there."""

    @abstractmethod
    def received(self, network: Any) -> list[Any]:
        """What people see."""

    def keys(self, network: Any) -> list[str] | None:
        """The keys that the network was given; None: it knows none."""
        return None

    def echo(self) -> Reply:
        """The refusal of the credentials, with the credentials in it."""
        return Reply(self.locked.status, self.locked.body + " ".join(self.secrets).encode())

    @pytest.fixture
    def network(self) -> Iterator[Any]:
        with self.fake() as running:
            yield running

    @pytest.fixture
    def subject(self, network: Any) -> Subject:
        def at_the_post(fault: Fault) -> None:
            network.fault(*[None] * self.before, fault)

        return Subject(
            make=lambda: self.make(network),
            received=lambda: self.received(network),
            secrets=self.secrets,
            keys=None if self.keys(network) is None else lambda: self.keys(network) or [],
            faults={
                "unreachable": network.stop,
                "busy": lambda: at_the_post(Fault(self.busy)),
                "locked out": lambda: at_the_post(Fault(self.echo())),
                "refuses": lambda: at_the_post(Fault(self.refuses)),
                "lost answer": lambda: at_the_post(Fault(then="close", apply=True)),
                "garbage": lambda: at_the_post(Fault(raw=b"\xff\xfe what?\r\n\r\n", apply=True)),
            },
        )

    def at(self, network: Any, *faults: Fault) -> None:
        """What happens to the post of the next delivery without a picture."""
        network.fault(*[None] * self.before_plain, *faults)

    # -- the fault list -----------------------------------------------------------------------------------------------

    def test_a_limit_that_says_how_long_is_waited_for(self, network: Any) -> None:
        self.at(network, Fault(Reply(429, self.busy.body.replace(b"retry_after", b"x"), {"Retry-After": "7"})))
        outcome = deliver(self.make(network), post())
        assert isinstance(outcome, Deferred)
        assert outcome.after == (timedelta(seconds=7) if self.hears_retry_after else None)
        assert self.received(network) == []

    def test_a_limit_that_does_not_say_is_left_to_the_schedule(self, network: Any) -> None:
        self.at(network, Fault(Reply(429)))
        outcome = deliver(self.make(network), post())
        assert isinstance(outcome, Deferred)
        assert outcome.after == self.patience

    def test_credentials_that_are_refused_in_the_middle_pause_the_account(self, network: Any) -> None:
        adapter = self.make(network)
        first = post(edition="a/first", text="First.\n\nhttps://example.com/a")
        assert isinstance(deliver(adapter, first, "a/first:x"), Receipt)
        # before the second one a session may be at hand, so the refusal meets whichever request comes
        network.fault(*[Fault(self.locked)] * 3)
        outcome = deliver(adapter, post(edition="a/second"), "a/second:x")
        assert isinstance(outcome, Paused)
        assert outcome.hint
        assert len(self.received(network)) == 1

    @pytest.mark.parametrize("applied", [True, False])
    def test_a_server_that_is_down_leaves_a_doubt(self, network: Any, applied: bool) -> None:
        self.at(network, Fault(self.down, apply=applied))
        assert isinstance(deliver(self.make(network), post()), Unknown)
        assert len(self.received(network)) == applied

    def test_a_yes_that_cannot_be_read_leaves_a_doubt(self, network: Any) -> None:
        self.at(network, Fault(Reply(200, b"<html>hello"), apply=True))
        assert isinstance(deliver(self.make(network), post()), Unknown)

    def test_a_slow_answer_leaves_a_doubt(self, network: Any) -> None:
        self.at(network, Fault(then="hang", apply=True))
        assert isinstance(deliver(self.make(network), post(), seconds=0.2), Unknown)
        assert len(self.received(network)) == 1

    def test_a_lost_answer_is_found_again_where_it_can_be(self, network: Any) -> None:
        adapter = self.make(network)
        if not (adapter.dedupe.repeat or adapter.dedupe.lookup):
            return
        self.at(network, Fault(then="close", apply=True))
        outcome, sent = again(adapter, adapter.compose(post()))
        assert isinstance(outcome, Unknown)
        if adapter.dedupe.repeat:
            assert isinstance(again(adapter, sent)[0], Receipt)
        if adapter.dedupe.lookup:
            with adapter.open() as session:
                assert isinstance(adapter.find(session, sent, "edition:key"), Receipt)
        assert len(self.received(network)) == 1

    def test_without_a_promise_every_yes_is_a_post_of_its_own(self, network: Any) -> None:
        adapter = self.make(network)
        if adapter.dedupe.repeat is None:
            outcomes = [deliver(adapter, post()) for _ in range(2)]
            assert len(self.received(network)) == sum(isinstance(one, Receipt) for one in outcomes)

    # -- what a dry run shows -----------------------------------------------------------------------------------------

    def test_what_a_dry_run_shows_is_what_the_network_received(self, network: Any) -> None:
        shown: list[Payload] = []
        dry = DryRun(self.make(network), lambda key, payload: shown.append(payload))
        deliver(dry, post())
        assert isinstance(deliver(self.make(network), post()), Receipt)
        (request,) = shown
        assert isinstance(request, Request)
        for one in network.journal:
            url = network.url + one.path
            if self.webhook:
                url = url.replace(network.url + self.webhook, "{webhook}")
            for secret in self.secrets:
                url = url.replace(secret, "{secret}")
            wire = f"{one.method} {url}\n".encode() + one.body
            if sha256(wire).hexdigest() == digest(request):
                return
        raise AssertionError(f"nobody received {request.content!r}")

    def test_every_size_of_a_post_is_taken_as_it_is_counted(self, network: Any) -> None:
        from syndicate.render.fit import Part, fit

        adapter = self.make(network)
        link = "https://example.com/a?utm_source=x&utm_medium=social"
        text = "Ünï & <b>_code_</b> *is* #fine (「日本語」 👩\u200d👩\u200d👧 🇮🇳 C# a~b|c) > `x` [y]\n" * 400
        fitted = fit([Part("text", text), Part("link", link, whole=True)], adapter.rules)
        assert isinstance(deliver(adapter, post(fitted.text, url=link)), Receipt)

    def test_a_message_to_the_operator_has_neither_link_nor_picture(self, network: Any) -> None:
        assert isinstance(deliver(self.make(network), post("2 things need a person", url="")), Receipt)
