"""Bluesky against a fake server of the protocol, and against the models of the atproto library."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from atproto import models
from atproto_client.utils import TextBuilder
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from syndicate.adapters.bluesky import Bluesky, BlueskyOptions
from syndicate.adapters.bluesky_record import rich_text, short_link, tid
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Image, Outcome, Paused, Post, Receipt, Refused, Unknown
from syndicate.testing import bluesky as fake
from syndicate.testing.bluesky import DID, HANDLE, PASSWORD, FakeBluesky, links
from syndicate.testing.http import Fault, Reply
from syndicate.testing.messages import OCCASION, PNG, picture, post
from tests.adapters.social import Social, deliver


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2025, 3, 10, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def network() -> Iterator[FakeBluesky]:
    with FakeBluesky() as running:
        yield running


def adapter(network: FakeBluesky | None = None, clock: Clock | None = None, **options: Any) -> Bluesky:
    base = {"service": network.url} if network else {}
    settings = {"handle": HANDLE, "password": PASSWORD, **base, **options}
    return Bluesky(BlueskyOptions.model_validate(settings), now=clock or Clock())


class TestBluesky(Social):
    before = 2  # signing in, and the picture
    before_plain = 1
    secrets: ClassVar = (PASSWORD, "access-jwt-0001", "refresh-jwt-0001")
    busy = fake.THROTTLED
    locked = fake.WRONG_PASSWORD
    refuses = fake.TOO_LONG
    down = fake.UPSTREAM

    def fake(self) -> FakeBluesky:
        return FakeBluesky()

    def make(self, network: FakeBluesky) -> Bluesky:
        return adapter(network)

    def received(self, network: FakeBluesky) -> list[Any]:
        return list(network.records)


def record(message: Post, **options: Any) -> dict[str, Any]:
    return dict(json.loads(adapter(**options).compose(message).body)["record"])


# -- the record ---------------------------------------------------------------------------------------------------


def test_the_byte_offsets_of_the_published_example() -> None:
    text = "✨ example mentioning @atproto.com to share the URL 👨‍❤️‍👨 https://en.wikipedia.org/wiki/CBOR."
    shown, (handle, facet) = rich_text(text)
    assert handle["index"] == {"byteStart": 23, "byteEnd": 35}
    # a mention there; here a link, because the DID of whom it names is not known without asking
    assert handle["features"][0]["uri"] == "https://bsky.app/profile/atproto.com"
    # 74 to 108 in the example, which shows the scheme; ours is without its eight characters
    assert facet["index"] == {"byteStart": 74, "byteEnd": 108 - len("https://")}
    assert facet["features"] == [{"$type": "app.bsky.richtext.facet#link", "uri": "https://en.wikipedia.org/wiki/CBOR"}]
    assert shown.endswith("👨‍❤️‍👨 en.wikipedia.org/wiki/CBOR.")


def test_facets_are_those_of_the_librarys_text_builder() -> None:
    built = TextBuilder().text("日本 ").link("example.com/a", "https://example.com/a").text(" — ").tag("#AI", "AI")
    text, facets = rich_text("日本 https://example.com/a — #AI")
    assert text == built.build_text()
    theirs = [facet.model_dump(by_alias=True, exclude_none=True) for facet in built.build_facets()]
    assert [facet["index"] for facet in facets] == [
        {"byteStart": one["index"]["byteStart"], "byteEnd": one["index"]["byteEnd"]} for one in theirs
    ]
    assert [facet["features"][0].get("uri") or facet["features"][0]["tag"] for facet in facets] == [
        one["features"][0].get("uri") or one["features"][0]["tag"] for one in theirs
    ]


@pytest.mark.parametrize(
    "message", [post(), post(url=""), post(image=picture()), post(url="", image=picture()), post("日本 #日本 #1 x#y")]
)
def test_the_librarys_models_take_the_record(message: Post) -> None:
    made = models.get_or_create(record(message), models.AppBskyFeedPost.Record)
    assert isinstance(made, models.AppBskyFeedPost.Record)
    assert made.text == rich_text(message.text)[0]
    if message.url:
        assert isinstance(made.embed, models.AppBskyEmbedExternal.Main)
        assert made.embed.external.uri == message.url
        assert bool(made.embed.external.thumb) == bool(message.image)


PIECES = st.sampled_from(
    [
        *"ab #é日👩 \n.,()/?=&:@",
        "@name.bsky.social",
        "👩\u200d👧",
        "https://example.com/",
        "https://www.a-very.long.host.example",
    ]
)


@given(st.lists(PIECES | st.characters(codec="utf-8")))
def test_every_facet_lies_on_what_it_says(pieces: list[str]) -> None:
    shown, facets = rich_text("".join(pieces))
    for seen, meaning in links({"text": shown, "facets": facets}):
        assert seen in {f"#{meaning}", short_link(meaning), f"@{meaning.removeprefix('https://bsky.app/profile/')}"}
    starts = [facet["index"]["byteStart"] for facet in facets]
    ends = [facet["index"]["byteEnd"] for facet in facets]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


def test_a_link_is_shown_short_and_leads_all_the_way(network: FakeBluesky) -> None:
    url = "https://www.example.com/a-rather-long-path/to-an-article?utm_source=bluesky"
    deliver(adapter(network), post(f"Hook\n\n{url}\n\n#AI", url=url))
    (found,) = network.records.values()
    assert found["text"] == "Hook\n\nexample.com/a-rather-long-pat…\n\n#AI"
    assert links(found) == [("example.com/a-rather-long-pat…", url), ("#AI", "AI")]
    assert len("example.com/a-rather-long-pat…") == Bluesky.rules.link_length


def test_the_moment_is_that_of_the_edition_and_not_of_the_clock() -> None:
    assert record(post())["createdAt"] == "2025-03-10T09:00:00.000Z"


def test_a_post_without_a_moment_is_refused() -> None:
    from dataclasses import replace

    with pytest.raises(Unsupported, match="no date"):
        adapter().compose(replace(post(), date=None))


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)), st.text(max_size=30))
def test_the_place_is_a_tid_of_the_second_of_the_edition(moment: datetime, edition: str) -> None:
    found = tid(moment, edition)
    assert re.fullmatch(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}", found)
    assert found == tid(moment, edition)
    number = 0
    for char in found:
        number = number * 32 + "234567abcdefghijklmnopqrstuvwxyz".index(char)
    assert (number >> 10) // 1_000_000 == int(moment.timestamp())


def test_editions_of_one_second_have_places_of_their_own() -> None:
    assert len({tid(OCCASION, f"bluesky/{number}") for number in range(2000)}) == 2000


# -- the picture --------------------------------------------------------------------------------------------------


def test_the_thumbnail_is_uploaded_and_named_by_its_hash(network: FakeBluesky) -> None:
    assert isinstance(deliver(adapter(network), post(image=picture())), Receipt)
    ((cid, data),) = network.blobs.items()
    (found,) = network.records.values()
    assert data == PNG
    assert found["embed"]["external"] == {
        "uri": "https://example.com/a?utm_source=linkedin",
        "title": "An article (with brackets)",
        "description": "What it is about.",
        "thumb": {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/png", "size": len(PNG)},
    }


def test_a_picture_that_is_larger_than_a_card_takes_is_refused() -> None:
    with pytest.raises(Unsupported, match="at most 1,000,000 bytes"):
        adapter().compose(post(image=Image(b"x" * 1_000_001, "image/png")))


def test_a_server_that_changes_the_picture_is_noticed(network: FakeBluesky) -> None:
    other = {"blob": {"$type": "blob", "ref": {"$link": "bafkrei"}, "mimeType": "image/png", "size": 1}}
    network.fault(None, Fault(Reply(200, json.dumps(other).encode())))
    assert deliver(adapter(network), post(image=picture())) == Refused(
        "the server keeps the picture as something else than it is"
    )


@pytest.mark.parametrize("fault", [Fault(then="close", apply=True), Fault(Reply(500)), Fault(Reply(429))])
@pytest.mark.parametrize("request_number", [0, 1])
def test_signing_in_and_uploading_leave_no_doubt(network: FakeBluesky, fault: Fault, request_number: int) -> None:
    network.fault(*[None] * request_number, fault)
    assert isinstance(deliver(adapter(network), post(image=picture())), Deferred)
    assert network.records == {}


# -- the session --------------------------------------------------------------------------------------------------


def test_one_sign_in_serves_many_posts_and_sessions(network: FakeBluesky) -> None:
    bluesky = adapter(network)
    for number in range(5):
        assert isinstance(deliver(bluesky, post(edition=f"bluesky/{number}")), Receipt)
    assert (network.logins, network.renewals, len(network.records)) == (1, 0, 5)


def test_an_old_token_is_renewed_and_not_replaced(network: FakeBluesky) -> None:
    clock = Clock()
    bluesky = adapter(network, clock)
    deliver(bluesky, post(edition="bluesky/1"))
    clock.now += timedelta(hours=3)
    network.expire()
    assert isinstance(deliver(bluesky, post(edition="bluesky/2")), Receipt)
    assert (network.logins, network.renewals) == (1, 1)


def test_where_nothing_can_be_renewed_the_account_signs_in_again(network: FakeBluesky) -> None:
    clock = Clock()
    bluesky = adapter(network, clock)
    deliver(bluesky, post(edition="bluesky/1"))
    clock.now += timedelta(days=100)
    network.expire(for_good=True)
    assert isinstance(deliver(bluesky, post(edition="bluesky/2")), Receipt)
    assert network.logins == 2


def test_a_token_that_ends_early_costs_one_attempt(network: FakeBluesky) -> None:
    bluesky = adapter(network)
    deliver(bluesky, post(edition="bluesky/1"))
    network.expire()
    assert deliver(bluesky, post(edition="bluesky/2")) == Deferred("400 ExpiredToken Token has expired")
    assert isinstance(deliver(bluesky, post(edition="bluesky/2")), Receipt)


@pytest.mark.parametrize("reply", [fake.WRONG_PASSWORD, fake.SECOND_FACTOR])
def test_a_password_that_is_not_taken_pauses_the_account(network: FakeBluesky, reply: Reply) -> None:
    network.fault(Fault(reply))
    found = deliver(adapter(network), post())
    assert isinstance(found, Paused)
    assert "app password" in found.hint


def test_a_sign_in_without_tokens_is_tried_again(network: FakeBluesky) -> None:
    network.fault(Fault(Reply(200, b"{}")))
    assert isinstance(deliver(adapter(network), post()), Deferred)


# -- the answers --------------------------------------------------------------------------------------------------


def test_a_receipt_has_the_address_of_the_record_and_of_the_page(network: FakeBluesky) -> None:
    found = deliver(adapter(network), post())
    (rkey,) = network.records
    assert rkey == tid(OCCASION, "linkedin/an-article")
    assert found == Receipt(
        f"at://{DID}/app.bsky.feed.post/{rkey}", f"https://bsky.app/profile/{DID}/post/{rkey}", "200"
    )


def test_another_text_at_the_same_place_is_refused(network: FakeBluesky) -> None:
    deliver(adapter(network), post())
    found = deliver(adapter(network), post("Something else"))
    assert isinstance(found, Refused)
    assert "another text has been posted as this edition" in found.reason
    assert len(network.records) == 1


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.EXPIRED, Deferred),
        (fake.BAD_SCOPE, Deferred),
        (fake.NO_BLOB, Deferred),
        (fake.TOO_LONG, Refused),
        (fake.TOO_LARGE, Refused),
        (fake.INTERNAL, Unknown),
        (fake.UPSTREAM, Unknown),
        (Reply(413, b'{"error":"PayloadTooLarge","message":"request entity too large"}'), Refused),
        (Reply(200, b'{"uri": "at://x"}'), Unknown),
    ],
)
def test_answers_of_the_servers_source(network: FakeBluesky, reply: Reply, expected: type[Outcome]) -> None:
    network.fault(None, Fault(reply))
    assert isinstance(deliver(adapter(network), post()), expected)


def test_a_limit_ends_when_the_server_says(network: FakeBluesky) -> None:
    without = Reply(429, fake.THROTTLED.body, {"RateLimit-Reset": str(int(Clock().now.timestamp()) + 60)})
    network.fault(None, Fault(fake.THROTTLED), Fault(without))
    bluesky = adapter(network)
    said = "429 RateLimitExceeded Rate Limit Exceeded"
    assert deliver(bluesky, post()) == Deferred(said, timedelta(seconds=123))
    assert deliver(bluesky, post()) == Deferred(said, timedelta(seconds=60))


@pytest.mark.parametrize("options", [{"handle": "me"}, {"service": "http://bsky.social"}, {"handle": "a b.c"}])
def test_options_that_cannot_work_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter(**options)
    assert PASSWORD not in str(caught.value)
