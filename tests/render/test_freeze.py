"""Frozen messages: back exactly as they were, the same bytes each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndicate.errors import RenderError
from syndicate.model import Image, Letter, Mailbox, Mention, Post
from syndicate.render.email import letter
from syndicate.render.freeze import freeze, thaw
from tests.render.factory import PUBLICATION, TEMPLATES, digest

ZONES = st.sampled_from(
    [UTC, ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=-3, minutes=-30))]
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=ZONES)
LETTERS = st.builds(
    Letter,
    edition=st.text(),
    channel=st.text(),
    date=MOMENTS,
    subject=st.text(),
    preheader=st.text(),
    sender=st.builds(Mailbox, st.text(), st.text()),
    reply_to=st.text(),
    html=st.text(),
    text=st.text(),
    headers=st.lists(st.tuples(st.text(), st.text())).map(tuple),
    segments=st.lists(st.binary()).map(tuple),
    slots=st.lists(st.text()).map(tuple),
)
POSTS = st.builds(
    Post,
    edition=st.text(),
    text=st.text(st.characters()),
    url=st.text(),
    title=st.text(),
    description=st.text(),
    image=st.none() | st.builds(Image, st.binary(), st.text(), st.text()),
    language=st.text(),
    hashtags=st.lists(st.text()).map(tuple),
    mentions=st.lists(st.builds(Mention, st.integers(), st.integers())).map(tuple),
    then=st.lists(st.text()).map(tuple),
)


@given(LETTERS | POSTS)
def test_a_thawed_message_is_the_one_that_was_frozen(message: Letter | Post) -> None:
    thawed = thaw(freeze(message))
    assert thawed == message
    assert freeze(thawed) == freeze(message)
    if isinstance(message, Letter) and isinstance(thawed, Letter):
        assert (thawed.date.isoformat(), thawed.date.fold) == (message.date.isoformat(), message.date.fold)


def test_a_real_letter_survives() -> None:
    made, _ = letter(digest(), PUBLICATION, TEMPLATES)
    assert thaw(freeze(made)) == made


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"syndicate":2,"message":null}',
        b'{"syndicate":1,"message":5}',
        b'{"syndicate":1,"message":{"$is":"Path"}}',
        b"\xff\x00",
        b'{"syndicate":1,"message":{"$is":"Post"}}',
    ],
)
def test_bytes_of_another_kind_are_an_error_and_no_code(data: bytes) -> None:
    with pytest.raises(RenderError, match="a frozen message"):
        thaw(data)
