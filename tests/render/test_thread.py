"""The text of an article as the posts of a thread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from syndicate import adapters
from syndicate.model import Article, Body, Overrides, TextRules
from syndicate.render import thread
from syndicate.render.fit import measure
from syndicate.render.post import post
from tests.render.factory import HYDERABAD, PUBLICATION, RISE, TEMPLATES, single

SHORT = TextRules(max_length=60)


def posts(text: str, most: int = 9, rules: TextRules = SHORT) -> list[str]:
    return list(thread.posts(text, rules, most))


def texts(network: str, article: Article, most: int, *, numbered: bool = False) -> tuple[str, ...]:
    edition = single(article)
    channel = replace(edition.channel, name=network, template=network, thread=most, numbered=numbered)
    rules = adapters.load(network).rules
    made, problems = post(replace(edition, channel=channel), PUBLICATION, TEMPLATES, rules, network)
    assert problems == []
    return made.texts


@pytest.mark.parametrize("network", ["mastodon", "bluesky"])
def test_the_seeds_make_threads_that_a_person_would_have_written(network: str) -> None:
    made = [text for article in (RISE, HYDERABAD) for text in texts(network, article, 6)]
    golden = (Path(__file__).parent / "golden" / f"thread-{network}.txt").read_text("utf-8")
    assert "\n\n========\n\n".join(made) + "\n" == golden


def test_paragraphs_stay_whole_where_a_post_has_room_for_them() -> None:
    text = "One is short.\n\nTwo is short too.\n\n" + "Three fills almost the whole of its own post by itself."
    assert posts(text) == [
        "One is short.\n\nTwo is short too.",
        "Three fills almost the whole of its own post by itself.",
    ]


def test_a_longer_paragraph_is_cut_between_sentences() -> None:
    text = "The first sentence of it. The second sentence of it. The third sentence. The fourth one is here."
    assert posts(text) == [
        "The first sentence of it. The second sentence of it.",
        "The third sentence. The fourth one is here.",
    ]


def test_a_sentence_that_is_longer_than_a_post_goes_on_in_the_next() -> None:
    text = "This sentence, which is rather long, has more words than a single post can hold, and so it goes on."
    assert posts(text) == [
        "This sentence, which is rather long, has more words than a…",
        "… single post can hold, and so it goes on.",
    ]


def test_a_word_that_is_longer_than_a_post_ends_the_thread_s_sentence_and_nothing_else() -> None:
    assert posts(f"Before {'x' * 99} after.\n\nNext.") == ["Before…\n\nNext."]


def test_no_more_posts_are_made_than_were_asked_for() -> None:
    assert len(posts("One sentence that fills the half of it. " * 9, most=2)) == 2
    assert posts("Some words.", most=0) == []
    assert posts("") == []


def test_a_heading_stands_with_what_it_heads() -> None:
    text = f"{'First. ' * 5}\n\nA heading\n---------\n\nWhat it heads.\n\nAnother\n\nThe end."
    assert posts(text) == ["First. First. First. First. First.", "A heading\n\nWhat it heads.\n\nAnother\n\nThe end."]


def test_the_items_of_a_list_stay_lines() -> None:
    text = "We saw:\n\n- one thing that\n  goes on [1]\n- another\n\n1. first\n2. second\n\n[1] https://example.com"
    assert posts(text, rules=TextRules(max_length=500)) == [
        "We saw:\n\n– one thing that goes on\n– another\n\n1. first\n2. second"
    ]


def test_code_tables_rules_and_footnotes_are_left_out() -> None:
    text = "Say.\n\n    code()\n\nA   B\n--  --\n1   2\n\n* * *\n\n> Quoted words,\n> on two lines.\n\n[1] https://a.example"
    assert posts(text) == ["Say.\n\nQuoted words, on two lines."]


def test_numbers_stand_at_the_end_and_have_their_room() -> None:
    made = texts("bluesky", RISE, 12, numbered=True)
    assert [text.rpartition("\n\n")[2] for text in made] == [f"{at}/{len(made)}" for at in range(1, len(made) + 1)]
    rules = adapters.load("bluesky").rules
    assert max(measure(text, rules) for text in made) <= rules.max_length


def test_an_article_without_text_makes_a_single_post() -> None:
    bare = replace(RISE, body=Body(html="", text=""))
    assert texts("mastodon", bare, 5) == texts("mastodon", bare, 0)


def test_the_author_s_own_text_is_a_single_post() -> None:
    own = replace(RISE, overrides=Overrides(text={"post": "Mine."}))
    assert len(texts("mastodon", own, 5)) == 1


def test_a_thread_begins_with_the_post_and_ends_with_call_to_action_and_link() -> None:
    (alone,) = texts("mastodon", HYDERABAD, 0)
    first, *_, last = texts("mastodon", HYDERABAD, 5)
    assert first == alone
    assert "Follow us on LinkedIn (" in last
    assert last.splitlines()[-2] == "The whole article, 8 min:"
    assert last.splitlines()[-1].startswith("https://magick.ai/mlops-training-in-hyderabad?")
