"""Mastodon against a fake that answers as its documentation says."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import requests
from mastodon import Mastodon as Oracle
from pydantic import ValidationError

from syndicate.adapters.mastodon import HOLE, Mastodon, MastodonOptions
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Request, Unknown
from syndicate.testing import mastodon as fake
from syndicate.testing.http import Fault, Reply, form
from syndicate.testing.mastodon import RESET, TOKEN, FakeMastodon
from syndicate.testing.messages import PNG, picture, post
from tests.adapters.social import Social, again, deliver

NOW = datetime(2026, 11, 22, 1, 55, tzinfo=UTC)


@pytest.fixture
def network() -> Iterator[FakeMastodon]:
    with FakeMastodon(lambda: NOW) as running:
        yield running


def adapter(network: FakeMastodon | None = None, **options: Any) -> Mastodon:
    server = network.url if network else "https://mastodon.social"
    return Mastodon(MastodonOptions.model_validate({"server": server, "token": TOKEN, **options}), now=lambda: NOW)


class TestMastodon(Social):
    before = 1
    secrets: ClassVar = (TOKEN,)
    busy = fake.THROTTLED
    locked = fake.INVALID
    refuses = fake.TOO_LONG
    down = fake.UNAVAILABLE

    def fake(self) -> FakeMastodon:
        return FakeMastodon(lambda: NOW)

    def make(self, network: FakeMastodon) -> Mastodon:
        return adapter(network)

    def received(self, network: FakeMastodon) -> list[Any]:
        return network.statuses

    def keys(self, network: FakeMastodon) -> list[str]:
        return [one.headers["idempotency-key"] for one in network.journal if "idempotency-key" in one.headers]


# -- the request --------------------------------------------------------------------------------------------------


class Recorder(requests.adapters.BaseAdapter):
    """Answers a library with what a server would, and keeps what it asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.asked.append(request)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, str(request.url)
        answer._content = b'{"id": "1", "created_at": "2019-12-05T11:34:47.196Z"}'
        return answer

    def close(self) -> None:
        """Nothing is open."""


def test_mastodon_py_asks_for_the_same_post(network: FakeMastodon) -> None:
    recorder = Recorder()
    session = requests.Session()
    session.mount("https://", recorder)
    library = Oracle(
        access_token=TOKEN, api_base_url="https://mastodon.social", session=session,
        version_check_mode="none", ratelimit_method="throw", request_timeout=5,
    )  # fmt: skip
    message = post("Ünï & <b>\n\nhttps://example.com/a?b=c&d=e #AI", image=picture())
    assert isinstance(deliver(adapter(network), message, "edition:key"), Receipt)
    ours = network.journal[-1]
    library.status_post(
        message.text, media_ids=["22348641"], visibility="public", language="en",
        idempotency_key=ours.headers["idempotency-key"],
    )  # fmt: skip
    theirs = recorder.asked[-1]
    assert (ours.method, ours.path) == (theirs.method, theirs.path_url)
    for name in ("Authorization", "Idempotency-Key"):
        assert ours.headers[name.lower()] == theirs.headers[name]
    assert json.loads(ours.body) == parameters(str(theirs.body))


def parameters(body: str) -> dict[str, Any]:
    """A form as the server reads it: `name[]` is a list."""
    from urllib.parse import parse_qs

    found = parse_qs(body)
    return {
        name.removesuffix("[]"): values if name.endswith("[]") else values[0]
        for name, values in found.items()
        if name not in {"sensitive"}  # its default, spelled out
    }


def test_the_picture_goes_first_with_its_alt_text(network: FakeMastodon) -> None:
    assert isinstance(deliver(adapter(network), post(HOLE, image=picture("A pixel"))), Receipt)
    upload = network.journal[0]
    assert (upload.method, upload.path) == ("POST", "/api/v2/media")
    fields = {name: (filename, data) for name, filename, data in form(upload)}
    assert fields == {"description": ("", b"A pixel"), "file": ("picture.png", PNG)}
    (status,) = network.statuses
    assert status.params == {"status": HOLE, "visibility": "public", "language": "en", "media_ids": ["22348641"]}


def test_a_picture_that_is_still_processed_is_waited_for_and_not_uploaded_again(network: FakeMastodon) -> None:
    network.pending = 2
    mastodon = adapter(network)
    outcome, payload = again(mastodon, mastodon.compose(post(image=picture())))
    assert outcome == Deferred(f"422 {json.loads(fake.PROCESSING.body)['error']}", timedelta(seconds=10))
    again(mastodon, payload)
    assert isinstance(again(mastodon, payload)[0], Receipt)
    assert len(network.media) == 1


@pytest.mark.parametrize("fault", [Fault(then="close", apply=True), Fault(Reply(500)), Fault(Reply(200, b"[]"))])
def test_an_upload_leaves_no_doubt(network: FakeMastodon, fault: Fault) -> None:
    network.fault(fault)
    assert isinstance(deliver(adapter(network), post(image=picture())), Deferred)
    assert network.statuses == []


def test_the_account_says_who_sees_it_and_what_the_server_counts(network: FakeMastodon) -> None:
    mastodon = adapter(network, visibility="unlisted", max_characters=5000, link_characters=30)
    assert (mastodon.rules.max_length, mastodon.rules.link_length) == (5000, 30)
    assert (Mastodon.rules.max_length, Mastodon.rules.link_length) == (500, 23)
    deliver(mastodon, post())
    assert network.statuses[0].params["visibility"] == "unlisted"


@pytest.mark.parametrize(
    "options", [{"server": "http://mastodon.social"}, {"visibility": "direct"}, {"max_characters": 0}, {"tokn": "x"}]
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter(**options)
    assert TOKEN not in str(caught.value)


# -- the answers --------------------------------------------------------------------------------------------------


def test_a_receipt_has_id_and_permalink(network: FakeMastodon) -> None:
    expected = Receipt("103254962155278888", "https://mastodon.social/@Gargron/103254962155278888", "200")
    assert deliver(adapter(network), post()) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.INVALID, Paused),
        (fake.SCOPE, Paused),
        (fake.DISABLED, Paused),
        (fake.NOT_FOUND, Paused),
        (fake.BLANK, Refused),
        (fake.TOO_LONG, Refused),
        (fake.BAD_FILE, Refused),
        (fake.PROCESSING, Deferred),
        (fake.THUMBNAIL, Unknown),
        (fake.UNAVAILABLE, Unknown),
        (Reply(200, b"{}"), Unknown),
    ],
)
def test_documented_answers(network: FakeMastodon, reply: Reply, expected: type[Outcome]) -> None:
    network.fault(Fault(reply))
    assert isinstance(deliver(adapter(network), post()), expected)


def test_a_throttle_ends_when_the_server_says(network: FakeMastodon) -> None:
    network.fault(Fault(fake.THROTTLED))
    assert RESET.startswith("2026-11-22T02:00")
    assert deliver(adapter(network), post()) == Deferred("429 Too many requests", timedelta(minutes=5))


# -- silence ------------------------------------------------------------------------------------------------------


def test_a_key_is_forgotten_by_a_server_whose_memory_is_down(network: FakeMastodon) -> None:
    network.redis_down = True
    deliver(adapter(network), post())
    deliver(adapter(network), post())
    assert len(network.statuses) == 2  # the fake can do what the real one was seen to


def test_a_repeat_is_only_promised_while_the_key_lives() -> None:
    repeat = adapter().dedupe.repeat
    assert repeat is not None
    assert repeat <= timedelta(hours=1) - timedelta(minutes=5)


def find(network: FakeMastodon, text: str) -> Receipt | None:
    mastodon = adapter(network)
    with mastodon.open() as session:
        return mastodon.find(session, mastodon.compose(post(text)), "edition:key")


TEXT = "Ünï & <b> “quoted” `x`\nsecond line\n\nhttps://example.com/a-long-path/that-is-cut?utm_source=x&b=c\n\n#AI"


def test_a_lost_status_is_found_among_the_accounts_own(network: FakeMastodon) -> None:
    deliver(adapter(network), post(TEXT), "a")
    for number in range(60):
        deliver(adapter(network), post(f"Other {number}\n\nhttps://example.com/other/{number}"), f"b{number}")
    found = find(network, TEXT)
    assert found is not None
    assert found.id == network.statuses[0].id
    assert found.permalink.endswith(found.id)


def test_a_status_that_was_never_posted_is_known_not_to_be_there(network: FakeMastodon) -> None:
    deliver(adapter(network), post("Another\n\nhttps://example.com/b"), "b")
    assert find(network, TEXT) is None


def test_the_same_link_in_other_words_is_for_a_person(network: FakeMastodon) -> None:
    deliver(adapter(network), post(TEXT.replace("second", "third")), "b")
    with pytest.raises(Unsupported, match="in other words"):
        find(network, TEXT)


def test_more_statuses_than_can_be_looked_through_are_for_a_person(network: FakeMastodon) -> None:
    for number in range(201):
        status = fake.Status(
            str(number + 1), f"https://example.com/{number}", {"visibility": "public", "language": "en"}
        )
        network.statuses.append(status)
    with pytest.raises(Unsupported, match="too many statuses"):
        find(network, TEXT)


@pytest.mark.parametrize("fault", [Fault(Reply(503)), Fault(then="close"), Fault(fake.INVALID)])
def test_a_server_that_does_not_say_decides_nothing(network: FakeMastodon, fault: Fault) -> None:
    network.fault(None, fault)
    with pytest.raises(Unsupported, match="does not say"):
        find(network, TEXT)


def test_find_reads_what_compose_wrote() -> None:
    assert isinstance(adapter().compose(post(TEXT)), Request)
