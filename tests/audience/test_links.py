"""The links of a letter."""

import pytest

from syndicate.audience.links import Letterhead, confirming, view
from syndicate.audience.tokens import Keys, Purpose
from syndicate.model import Recipient

KEYS = Keys([b"0123456789abcdef"])
ADA = Recipient("Ada@example.org", "Ada", {}, 7)


@pytest.mark.parametrize("base", ["https://n.test", "https://n.test/"])
@pytest.mark.parametrize("reader", [0, 7])
@pytest.mark.parametrize("number", [0, 3])
def test_each_link_holds_the_reader_s_token_for_its_own_purpose(base: str, reader: int, number: int) -> None:
    def token(purpose: Purpose) -> str:
        member = reader and number
        return KEYS.member(purpose, reader, number) if member else KEYS.stranger(purpose, "weekly", "ada@example.org")

    links = Letterhead(KEYS, base, "weekly", number, "weekly/2025-03-10", pages=True).links()
    assert links(Recipient("Ada@example.org", reader=reader)) == {
        "view": view(KEYS, base, "weekly/2025-03-10"),
        "unsubscribe": f"https://n.test/u/{token(Purpose.UNSUBSCRIBE)}",
        "preferences": f"https://n.test/p/{token(Purpose.PREFERENCES)}",
    }


def test_without_pages_there_is_only_the_way_out() -> None:
    links = Letterhead(KEYS, "https://n.test", "weekly", 3).links()
    assert links(ADA) == {"unsubscribe": f"https://n.test/u/{KEYS.member(Purpose.UNSUBSCRIBE, 7, 3)}"}


def test_who_is_asked_for_confirmation_is_asked_about_all_lists() -> None:
    assert confirming(KEYS, "https://n.test/")(ADA) == {
        "confirm": f"https://n.test/c/{KEYS.member(Purpose.CONFIRM, 7, 0)}"
    }
