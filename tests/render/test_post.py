"""Posts: an article's own words, with its call to action and a link that is never lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate import adapters
from syndicate.errors import RenderError
from syndicate.model import Article, Body, Image, Overrides, Post, Problem, TextRules
from syndicate.render.fit import fold, measure
from syndicate.render.gist import about, figures, hook_and_points, sentences
from syndicate.render.hashtags import hashtags
from syndicate.render.post import post
from syndicate.render.templates import Templates
from syndicate.render.views import plain
from tests.render.factory import HYDERABAD, PUBLICATION, RISE, TEMPLATES, single

LINKEDIN = TextRules(
    max_length=3000, unit="utf16", escaped="|{}@[]()<>#\\*_~", fold_lines=3, fold_phone=45, fold_desktop=70
)


def written(article: Article, rules: TextRules = LINKEDIN, network: str = "linkedin") -> str:
    return post(single(article), PUBLICATION, TEMPLATES, rules, network)[0].text


def overridden(**text: str) -> Article:
    return replace(RISE, overrides=Overrides(text=text))


@pytest.mark.parametrize(("article", "golden"), [(RISE, "india.txt"), (HYDERABAD, "hyderabad.txt")])
def test_the_seeds_make_posts_that_a_person_would_have_written(article: Article, golden: str) -> None:
    assert written(article) + "\n" == (Path(__file__).parent / "golden" / golden).read_text("utf-8")


def on(network: str, article: Article) -> tuple[Post, list[Problem]]:
    """A post by the network's own template and rules."""
    edition = single(article)
    edition = replace(edition, channel=replace(edition.channel, name=network, template=network))
    return post(edition, PUBLICATION, TEMPLATES, adapters.load(network).rules, network)


NETWORKS = ["mastodon", "bluesky", "threads", "x", "slack", "discord", "telegram"]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_seeds_make_posts_for_every_network(network: str) -> None:
    texts = [on(network, article)[0].text for article in (RISE, HYDERABAD)]
    golden = (Path(__file__).parent / "golden" / f"{network}.txt").read_text("utf-8")
    assert "\n\n========\n\n".join(texts) + "\n" == golden


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("article", [RISE, HYDERABAD])
def test_what_is_shown_only_where_there_is_room_goes_without_a_word(network: str, article: Article) -> None:
    rules = adapters.load(network).rules
    made, problems = on(network, article)
    assert problems == []
    assert measure(made.text, rules) <= rules.max_length
    assert made.url in made.text
    assert "LinkedIn for" not in made.text  # whoever reads of a page gets its address


@pytest.mark.parametrize("article", [RISE, HYDERABAD])
def test_the_hook_stands_whole_above_the_fold(article: Article) -> None:
    text = written(article)
    hook = text.split("\n\n")[0]
    assert len(hook) <= 140
    for shown in fold(text, LINKEDIN):
        assert " ".join(shown.split()) == hook


@pytest.mark.parametrize("article", [RISE, HYDERABAD])
def test_every_point_is_the_article_s_own(article: Article) -> None:
    assert article.body
    hook, points = hook_and_points(article)
    for said in (hook, *points):
        assert said[1:-1] in " ".join(article.body.text.split())


@given(limit=st.integers(180, 1500), link=st.sampled_from([0, 23]), unit=st.sampled_from(["utf16", "grapheme", "byte"]))
@settings(deadline=None)
def test_a_post_fits_every_network_and_keeps_its_link(limit: int, link: int, unit: str) -> None:
    rules = TextRules(max_length=limit, unit=unit, link_length=link)
    made, _ = post(single(HYDERABAD), PUBLICATION, TEMPLATES, rules, "x")
    assert measure(made.text, rules) <= limit
    assert made.url in made.text.split("\n")


def test_what_was_cut_is_told() -> None:
    _, problems = post(single(RISE), PUBLICATION, TEMPLATES, TextRules(max_length=400), "mastodon")
    assert [(problem.path, problem.code) for problem in problems] == [(RISE.path, "render.shortened")]


def test_the_card_has_title_description_picture_and_the_marked_link() -> None:
    image = Image(b"x", "image/png", "alt")
    made, problems = post(single(RISE), PUBLICATION, TEMPLATES, LINKEDIN, "linkedin", image)
    assert (made.title, made.description, made.image, problems) == (RISE.title, RISE.description, image, [])
    assert made.url.endswith("?utm_source=linkedin&utm_medium=social&utm_campaign=linkedin")
    assert made.hashtags == ("MLOps", "India", "MLOpsTraining", "MachineLearning", "AIImplementation")


@pytest.mark.parametrize(
    ("texts", "wins"),
    [
        ({"linkedin": "by channel", "x-network": "by network", "post": "by post"}, "by channel"),
        ({"x-network": "by network", "post": "by post"}, "by network"),
        ({"post": "by post"}, "by post"),
    ],
)
def test_a_text_of_the_front_matter_wins_and_the_link_follows(texts: dict[str, str], wins: str) -> None:
    made, problems = post(single(overridden(**texts)), PUBLICATION, TEMPLATES, LINKEDIN, "x-network")
    assert (made.text, problems) == (f"{wins}\n\n{made.url}", [])


def test_a_front_matter_text_with_a_link_stays_as_it_is() -> None:
    assert written(overridden(post="Mine: https://magick.ai/short")) == "Mine: https://magick.ai/short"


@given(words=st.integers(1, 80), at=st.integers(0, 80))
def test_a_front_matter_text_that_is_too_long_is_fitted_and_keeps_a_link(words: int, at: int) -> None:
    said = ["word"] * words
    said.insert(at, "https://magick.ai/short")
    rules = TextRules(max_length=200)
    made, problems = post(single(overridden(post=" ".join(said))), PUBLICATION, TEMPLATES, rules, "x")
    assert measure(made.text, rules) <= 200
    assert "https://magick.ai/" in made.text
    assert bool(problems) == (made.text != " ".join(said))


def test_no_markdown_is_left_over() -> None:
    marked = replace(
        RISE,
        subtitle="A **bold** [claim](https://x.test) with `code`",
        cta="*Follow* us",
        body=Body(
            html="",
            text="## Heading 40% of it\n\nAbout 40% of all [1] use snake_case_names and *stars*.\n\n[1] https://x.test",
        ),
    )
    text = written(marked)
    assert "A bold claim with code" in text
    assert "Follow us" in text
    assert not {"**", "`", "](", "[1]", "## "} & {mark for mark in ("**", "`", "](", "[1]", "## ") if mark in text}
    assert "snake_case_names" in text


@pytest.mark.parametrize(
    ("said", "left"),
    [("2 * 3 * 4", "2 * 3 * 4"), ("__init__ and _x_", "init and _x_"), ("# Title", "Title"), ("C# is #1", "C# is #1")],
)
def test_only_markdown_is_taken_for_markdown(said: str, left: str) -> None:
    assert plain(said) == left


def test_an_article_without_text_still_makes_a_post() -> None:
    bare = Article(path="a.md", slug="a", title="Short", url="https://magick.ai/a")
    assert written(bare).startswith("Short\n\nShort (1 min read):\nhttps://magick.ai/a?")


def test_a_template_without_a_link_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "linkedin.txt.j2").write_text("{% block hook %}{{ post.hook }}{% endblock %}")
    with pytest.raises(RenderError, match=r"template linkedin\.txt\.j2 shows no link"):
        post(single(RISE), PUBLICATION, Templates(tmp_path), LINKEDIN, "linkedin")


def test_sentences_end_where_they_do() -> None:
    text = "Dr. Rao pays $3.50, e.g. for tea. It works! “Really?” Yes.\n\n- a list\n\n    code 40%\n\nLast\none [2]."
    assert list(sentences(text)) == ["Dr. Rao pays $3.50, e.g. for tea.", "It works!", "“Really?”", "Yes.", "Last one."]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Nearly 40% of firms agree.", True),
        ("It costs ₹500.", False),
        ("Rent costs ₹500.", True),
        ("Courses take three months.", True),
        ("In 2024 and 2025 much changed.", False),
        ("GPT-4 and Python 3.11 are names.", False),
        ("However, 40% disagree.", False),
    ],
)
def test_a_figure_says_how_much_and_stands_alone(text: str, found: bool) -> None:
    assert bool(figures(text)) == found


def test_a_description_ends_with_a_whole_sentence() -> None:
    assert about("One. " * 100).endswith("One.")
    assert about("no full stop") == "no full stop"


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        (("machine learning", "mlops", "ai"), ("MachineLearning", "MLOps", "AI")),
        (("#C++", "node.js", "2025", "", "MLOps", "mlops"), ("C", "NodeJs", "MLOps")),
        (("केंद्र", "日本語", "a-b"), ("केंद्र", "日本語", "AB")),
        (tuple("abcdefgh"), ("A", "B", "C", "D", "E")),
    ],
)
def test_tags_become_hashtags_in_camel_case(tags: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    assert hashtags(replace(RISE, tags=tags), 5) == wanted


def test_hashtags_of_the_front_matter_are_taken_as_they_are() -> None:
    assert hashtags(replace(RISE, tags=("a", "b", "c"), overrides=Overrides(hashtags=("OnlyThis",))), 5) == (
        "OnlyThis",
    )


def test_a_title_with_a_link_in_it_takes_no_link_away() -> None:
    article = replace(RISE, title="Why https://example.com/a-page-of-others fell, and what it means for the rest of us")
    made, _ = post(single(article), PUBLICATION, TEMPLATES, TextRules(max_length=150), "mastodon")
    assert made.url in made.text.split()
    assert "example.com/a-page" not in made.text.splitlines()[-1]


def test_a_text_that_cannot_be_cut_is_an_error_and_not_a_bare_link() -> None:
    with pytest.raises(RenderError, match="the text has 4,000 characters, and the network takes 3,000"):
        written(overridden(linkedin="x" * 4000))
