"""What every adapter must do: derive a test class from `AdapterContract` and give it a `subject`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from syndicate.adapters.base import Adapter
from syndicate.adapters.dryrun import DryRun
from syndicate.errors import Unsupported
from syndicate.model import (
    Deferred,
    Message,
    Outcome,
    Paused,
    Payload,
    Receipt,
    Refused,
    Request,
    Unknown,
)
from syndicate.model.message import digest
from syndicate.testing import messages

#: what a network can suffer -> what an adapter must answer
EXPECTED: Mapping[str, type[Outcome]] = {
    "unreachable": Deferred,  #: nobody listens
    "busy": Deferred,  #: not now, in so many words (429, 450)
    "locked out": Paused,  #: the credentials are not accepted (401, 535)
    "refuses": Refused,  #: a final no (a plain 4xx, 550)
    "lost answer": Unknown,  #: carried out, and the connection breaks before the answer
    "garbage": Unknown,  #: carried out, and the answer makes no sense (500, no SMTP reply)
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """An adapter, and the network on the other side of it."""

    #: a new adapter, as the app would make it
    make: Callable[[], Adapter]
    #: what the network holds now, one entry for each message that people would see
    received: Callable[[], list[Any]]
    #: name in `EXPECTED` -> makes the network suffer it at the next message; all of them, unless the adapter is `local`
    faults: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    #: what must never be seen in payloads, reasons and representations
    secrets: tuple[str, ...] = ()
    #: the idempotency keys that the network was given, in order; None: it knows none
    keys: Callable[[], list[str]] | None = None


MESSAGES: Mapping[str, Callable[[], Message]] = {
    "email": messages.email,
    "post": messages.post,
    "image": lambda: messages.post(image=messages.picture()),
    "thread": messages.thread,
}


class AdapterContract:
    """The suite. Override `subject`."""

    @pytest.fixture
    def subject(self) -> Subject:
        """The adapter under test."""
        raise NotImplementedError

    @pytest.fixture
    def adapter(self, subject: Subject) -> Adapter:
        """A new adapter."""
        return subject.make()

    @pytest.fixture
    def payload(self, adapter: Adapter) -> Payload:
        """Something the adapter supports, composed."""
        return adapter.compose(_supported(adapter))

    def test_it_says_what_it_is(self, adapter: Adapter) -> None:
        assert adapter.name
        assert adapter.supports
        assert adapter.supports <= MESSAGES.keys()
        assert all(option.description for option in adapter.Options.model_fields.values())

    @pytest.mark.parametrize("feature", MESSAGES)
    def test_composing_is_pure(self, subject: Subject, feature: str) -> None:
        first, second = subject.make(), subject.make()
        if feature not in first.supports:
            with pytest.raises(Unsupported):
                first.compose(MESSAGES[feature]())
            return
        with _no_sockets():
            one, other = first.compose(MESSAGES[feature]()), second.compose(MESSAGES[feature]())
        assert one == other
        assert one.content == other.content
        assert subject.received() == []

    @pytest.mark.parametrize("feature", MESSAGES)
    def test_what_it_supports_arrives(self, subject: Subject, feature: str) -> None:
        adapter = subject.make()
        if feature in adapter.supports:
            payload = adapter.compose(MESSAGES[feature]())
            assert isinstance(_deliver(adapter, payload), Receipt)
            assert len(subject.received()) == 1 + len(getattr(payload, "then", ()))

    def test_what_it_cannot_put_right_it_refuses_to(self, adapter: Adapter) -> None:
        if not adapter.corrects:
            with pytest.raises(Unsupported), adapter.open() as session:
                adapter.correct(session, "a receipt", _supported(adapter))

    def test_a_sign_in_tells_options_that_there_are(self, adapter: Adapter) -> None:
        with _no_sockets():
            how = adapter.signin()
        assert (how is not None) == bool(adapter.granted)
        assert {*adapter.granted, *(how.options if how else ())} <= adapter.Options.model_fields.keys()

    def test_secrets_stay_secret(self, subject: Subject, adapter: Adapter, payload: Payload) -> None:
        shown = repr(adapter.options) + repr(payload) + repr(adapter.options.model_dump()) + repr(vars(adapter))
        for secret in subject.secrets:
            assert secret not in shown
            assert secret.encode() not in payload.content
            assert secret not in repr(getattr(payload, "headers", ""))

    def test_a_dry_run_shows_the_same_bytes_and_sends_nothing(self, subject: Subject, payload: Payload) -> None:
        shown: list[tuple[str, Payload]] = []
        dry = DryRun(subject.make(), lambda key, composed: shown.append((key, composed)))
        with _no_sockets():
            outcome = _deliver(dry, dry.compose(_supported(dry)), "edition:key")
        assert outcome == Receipt(status="dry run")
        assert [(key, digest(composed)) for key, composed in shown] == [("edition:key", digest(payload))]
        assert subject.received() == []

    def test_a_dry_run_declares_what_the_adapter_declares(self, adapter: Adapter) -> None:
        dry = DryRun(adapter, lambda key, composed: None)
        declared = ("name", "rules", "dedupe", "supports", "local")
        assert [getattr(dry, name) for name in declared] == [getattr(adapter, name) for name in declared]

    @pytest.mark.parametrize("fault", EXPECTED)
    def test_it_sorts_what_can_go_wrong(self, subject: Subject, adapter: Adapter, payload: Payload, fault: str) -> None:
        if adapter.local and fault not in subject.faults:
            # A disk is there and answers at once, so there is nothing to suffer.
            assert isinstance(_deliver(adapter, payload), Receipt)
            return
        subject.faults[fault]()
        outcome = _deliver(adapter, payload)
        assert isinstance(outcome, EXPECTED[fault])
        assert not any(secret in repr(outcome) for secret in subject.secrets)
        assert len(subject.received()) == (1 if EXPECTED[fault] is Unknown else 0)

    def test_preparing_twice_shows_nobody_anything(self, subject: Subject, adapter: Adapter) -> None:
        composed = adapter.compose(_supported(adapter))
        with adapter.open() as session:
            for _ in range(2):
                assert not isinstance(adapter.prepare(session, composed), Refused | Deferred | Paused | Unknown)
        assert subject.received() == []

    def test_what_was_uploaded_is_used_again(self, adapter: Adapter, payload: Payload) -> None:
        if not (isinstance(payload, Request) and payload.uploads):
            return
        with adapter.open() as session:
            first = _prepared(adapter, session, payload)
            assert isinstance(first, Request)
            assert first.fills.keys() == {upload.hole for upload in payload.uploads if upload.hole}
            assert _prepared(adapter, session, replace(payload, fills=first.fills)) == first

    def test_a_repeat_is_recognised_if_it_says_so(self, subject: Subject, adapter: Adapter, payload: Payload) -> None:
        with adapter.open() as session:
            prepared = _prepared(adapter, session, payload)
            outcomes = [adapter.send(session, prepared, "edition:key") for _ in range(2)]
        assert all(isinstance(outcome, Receipt) for outcome in outcomes)
        if adapter.dedupe.repeat:
            assert len(subject.received()) == 1
            assert _named(outcomes[0]) == _named(outcomes[1])

    def test_its_keys_name_the_delivery(self, subject: Subject, adapter: Adapter, payload: Payload) -> None:
        if subject.keys is None:
            return
        for key in ("edition:a", "edition:a", "edition:b"):
            _deliver(adapter, payload, key)
        first, again, other = subject.keys()
        assert first == again != other

    def test_what_it_cannot_look_up_it_does_not_pretend_to(self, adapter: Adapter, payload: Payload) -> None:
        with adapter.open() as session:
            if adapter.dedupe.lookup:
                assert adapter.find(session, payload, "edition:never-sent") is None
            else:
                with pytest.raises(Unsupported):
                    adapter.find(session, payload, "edition:never-sent")


def _supported(adapter: Adapter) -> Message:
    """The richest message that the adapter declares."""
    return next(MESSAGES[feature]() for feature in ("image", "post", "email") if feature in adapter.supports)


def _prepared(adapter: Adapter, session: Any, payload: Payload) -> Payload:
    prepared = adapter.prepare(session, payload)
    assert not isinstance(prepared, Receipt | Refused | Deferred | Paused | Unknown)
    return prepared


def _deliver(adapter: Adapter, payload: Payload, key: str = "edition:ada@example.org") -> Outcome:
    """What the courier does with one delivery."""
    with adapter.open() as session:
        prepared = adapter.prepare(session, payload)
        if isinstance(prepared, Receipt | Refused | Deferred | Paused | Unknown):
            return prepared
        return adapter.send(session, prepared, key)


def _named(outcome: Outcome) -> tuple[str, str]:
    assert isinstance(outcome, Receipt)
    return outcome.id, outcome.permalink


@contextmanager
def _no_sockets() -> Iterator[None]:
    """Fails whatever makes a socket in here."""
    real = socket.socket.__init__

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a socket was opened")

    socket.socket.__init__ = refuse  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.__init__ = real  # type: ignore[method-assign]
