"""X against a fake with its recorded answers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.adapters.x import X, XOptions
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Outcome, Paused, Receipt, Refused, Unknown
from syndicate.render.fit import Part, fit, measure
from syndicate.testing import x as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.messages import picture, post
from syndicate.testing.x import TOKEN, FakeX, weight
from tests.adapters.social import Social, deliver

NOW = datetime(2025, 3, 10, 21, 20, tzinfo=UTC)


@pytest.fixture
def network() -> Iterator[FakeX]:
    with FakeX() as running:
        yield running


def adapter(network: FakeX | None = None, **options: Any) -> X:
    base = {"base_url": network.url} if network else {}
    return X(XOptions.model_validate({"token": TOKEN, **base, **options}), now=lambda: NOW)


class TestX(Social):
    secrets: ClassVar = (TOKEN,)
    busy = fake.THROTTLED
    locked = fake.UNAUTHORIZED
    refuses = fake.TOO_LONG
    down = fake.UNAVAILABLE

    def fake(self) -> FakeX:
        return FakeX()

    def make(self, network: FakeX) -> X:
        return adapter(network)

    def received(self, network: FakeX) -> list[Any]:
        return network.posts

    def test_a_repeat_is_recognised_if_it_says_so(self, network: FakeX) -> None:  # type: ignore[override]
        """It is refused, and so nothing is promised."""
        first, second = deliver(adapter(network), post()), deliver(adapter(network), post())
        assert isinstance(first, Receipt)
        assert isinstance(second, Refused)
        assert len(network.posts) == 1


def test_the_request_is_what_the_api_page_shows() -> None:
    request = adapter().compose(post("Hello"))
    assert (request.method, request.url) == ("POST", "https://api.x.com/2/tweets")
    assert json.loads(request.body) == {"text": "Hello"}


def test_a_receipt_has_id_and_permalink(network: FakeX) -> None:
    number = "1445880548472328193"
    assert deliver(adapter(network), post()) == Receipt(number, f"https://x.com/i/web/status/{number}", "201")


def test_a_picture_is_refused() -> None:
    with pytest.raises(Unsupported, match="without pictures"):
        adapter().compose(post(image=picture()))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.UNAUTHORIZED, Paused),
        (fake.FORBIDDEN, Paused),
        (fake.NO_CREDITS, Paused),
        (fake.DUPLICATE, Refused),
        (fake.TOO_LONG, Refused),
        (fake.UNAVAILABLE, Unknown),
        (Reply(201, b'{"data": []}'), Unknown),
    ],
)
def test_recorded_answers(network: FakeX, reply: Reply, expected: type[Outcome]) -> None:
    network.fault(Fault(reply))
    assert isinstance(deliver(adapter(network), post()), expected)


def test_a_duplicate_says_where_to_look(network: FakeX) -> None:
    deliver(adapter(network), post())
    assert deliver(adapter(network), post()) == Refused(
        "403 You are not allowed to create a Tweet with duplicate content. "
        "The account has posted this very text before: look there."
    )


def test_a_limit_ends_when_the_header_says(network: FakeX) -> None:
    network.fault(Fault(fake.THROTTLED), Fault(fake.OLD_THROTTLED))
    assert deliver(adapter(network), post()) == Deferred("429 Too Many Requests", timedelta(minutes=10))
    assert deliver(adapter(network), post()) == Deferred("429 Rate limit exceeded")


def test_an_account_with_more_room_says_so() -> None:
    assert adapter(max_weight=4000).rules.max_length == 4000
    assert X.rules.max_length == 280


LINK = "https://example.com/a?utm_source=x"


@given(
    st.text(
        st.sampled_from("abc é日の🐱.\n\u2014\u2019") | st.characters(codec="utf-8", exclude_categories=["Cc"]),
        max_size=500,
    )
)
def test_whatever_is_written_the_network_takes_what_was_fitted(text: str) -> None:
    fitted = fit([Part("hook", text), Part("link", LINK, whole=True)], X.rules)
    assert measure(fitted.text, X.rules) <= 280
    assert fitted.text.endswith(LINK)


@given(st.text(st.sampled_from("abc é日の.\n\u2014\u2019 "), max_size=300))
def test_text_without_emoji_is_counted_no_lower_than_the_network_does(text: str) -> None:
    assert measure(f"{text} {LINK}", X.rules) >= weight(f"{text} {LINK}")
