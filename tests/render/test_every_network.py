"""Whatever an article says: every network's rules hold, links and graphemes stay whole, and what is said is true."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate import adapters
from syndicate.content import markdown
from syndicate.model import Article, Body, Overrides, Post, Problem
from syndicate.model.links import URL
from syndicate.render.fit import fits, measure
from syndicate.render.post import post
from tests.content.conftest import read
from tests.render.factory import HYDERABAD, PUBLICATION, RISE, TEMPLATES, single

NETWORKS = ["linkedin", "mastodon", "bluesky", "threads", "x", "slack", "discord", "telegram"]
#: networks that take threads
THREADS = [name for name in NETWORKS if "thread" in adapters.load(name).supports]
PAGE = PUBLICATION.linkedin


def on(
    network: str, article: Article, *, thread: int = 0, numbered: bool = False, page: str = PAGE
) -> tuple[Post, list[Problem]]:
    """A post by the network's own template and rules."""
    edition = single(article)
    channel = replace(edition.channel, name=network, template=network, thread=thread, numbered=numbered)
    publication = replace(PUBLICATION, linkedin=page)
    return post(replace(edition, channel=channel), publication, TEMPLATES, adapters.load(network).rules, network)


def graphemes(text: str) -> set[str]:
    return set(regex.findall(r"\X", text))


def links(text: str) -> set[str]:
    return {found[0] for found in URL.finditer(text)}


# -- whatever goes in -------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "a", "MLOps", "naïve", "don't", "40%", "₹6,00,000", "C++", "#tag", "@name@host.example", "日本語のテキスト",
        "👩\u200d👩\u200d👧", "🇮🇳", "e\u0301te\u0301", "क्षत्रिय", "שלום", "مرحبا", "1️⃣", "&", "<b>", "*x*", "_y_", "|",
        "x" * 90, "👍🏽" * 30, "end.", "Why?", "and,", "https://example.com/a_(b)?c=d&e=f#g", "https://日本.example/道",
        "LinkedIn",
    ]
)  # fmt: skip
SENTENCES = st.lists(WORDS, min_size=1, max_size=25).map(" ".join)
BODIES = st.lists(SENTENCES, max_size=12).map("\n\n".join)


@st.composite
def articles(draw: st.DrawFn) -> Article:
    return Article(
        path="articles/x.md",
        slug="x",
        title=draw(SENTENCES),
        subtitle=draw(SENTENCES | st.just("")),
        description=draw(SENTENCES | st.just("")),
        cta=draw(SENTENCES | st.just("") | SENTENCES.map(lambda said: f"{said} Follow us on LinkedIn for {said}")),
        tags=tuple(draw(st.lists(WORDS, max_size=8))),
        url="https://magick.ai/articles/x",
        overrides=Overrides(mentions=draw(st.sampled_from([{}, {"mastodon": ("@a@b.example",), "x": ("@a", "@b")}]))),
        body=Body(html="", text=draw(BODIES)),
    )


def sources(article: Article) -> str:
    """All that a post can take words from, but for the template."""
    body = article.body.text if article.body else ""
    said = (article.title, article.subtitle, article.description, article.cta, *article.tags, body, article.url)
    return " \n ".join((*said, *map(str.upper, said)))  # a hashtag is in camel case


@pytest.mark.parametrize("network", NETWORKS)
@given(article=articles(), thread=st.sampled_from([0, 3, 5]), numbered=st.booleans())
@settings(deadline=None, max_examples=25)
def test_every_rule_of_every_network_holds(network: str, article: Article, thread: int, numbered: bool) -> None:
    rules = adapters.load(network).rules
    made, _ = on(network, article, thread=thread if network in THREADS else 0, numbered=numbered)
    assert all(fits(text, rules) for text in made.texts)
    assert made.url in links(made.text)
    assert len(made.hashtags) <= rules.max_hashtags
    for start, end in ((one.start, one.end) for one in made.mentions):
        assert made.text[start:end].casefold() in {"us on linkedin", "on linkedin"}
    for text in made.texts:
        assert links(text) <= {made.url, PAGE} | links(sources(article))
        assert graphemes(text) <= graphemes(sources(article)) | set(map(chr, range(128))) | {"…", "–", "\u2060"}


@pytest.mark.parametrize("network", THREADS)
@given(article=articles(), most=st.integers(3, 8), numbered=st.booleans())
@settings(deadline=None, max_examples=25)
def test_a_thread_has_the_articles_own_words_in_their_order_and_ends_with_the_link(
    network: str, article: Article, most: int, numbered: bool
) -> None:
    made, _ = on(network, article, thread=most, numbered=numbered)
    assert len(made.texts) <= most
    assert len(made.texts) != 2
    if not made.then:
        return
    texts = made.texts
    if numbered:
        ends = [f"\n\n{number}/{len(texts)}" for number in range(1, len(texts) + 1)]
        assert all(text.endswith(end) for text, end in zip(texts, ends, strict=True))
        texts = tuple(text.removesuffix(end) for text, end in zip(texts, ends, strict=True))
    assert made.url in links(texts[-1])
    assert article.body
    said = iter(squeezed(article.body.text))
    assert all(letter in said for letter in squeezed("".join(texts[1:-1])))  # in order, with nothing between them new


def squeezed(text: str) -> str:
    """Without what the cutting adds, or takes away at a cut."""
    return regex.sub(r"[\s…,;:–\-(\u2060]", "", text)


# -- real articles ----------------------------------------------------------------------------------------------------


def real(shared: Path) -> Iterator[Article]:
    """The articles of other people that can be read, with their text."""
    for case in json.loads((shared / "cases" / "manifest.json").read_text("utf-8")):
        data = (shared / "cases" / case["file"]).read_bytes()
        if found := read(data, case["file"]).article:
            text = data.decode("utf-8", "replace").rpartition("\n---\n")[2]
            body = markdown.render(text, found.url, found.title)
            yield replace(found, body=body if isinstance(body, Body) else None)


@pytest.mark.parametrize("network", NETWORKS)
def test_real_articles_make_posts_for_every_network(shared: Path, network: str) -> None:
    rules = adapters.load(network).rules
    count = 0
    for article in real(shared):
        made, _ = on(network, article, thread=4 if network in THREADS else 0)
        count += 1
        assert all(fits(text, rules) for text in made.texts), article.path
        assert made.url in links(made.text), article.path
        assert made.text.count("#") <= rules.max_hashtags + sources(article).count("#"), article.path
    assert count >= 40


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("article", [RISE, HYDERABAD])
@pytest.mark.parametrize("room", [0, 40, 120, 200])
def test_the_call_to_action_goes_before_the_link_and_the_hook_go(network: str, article: Article, room: int) -> None:
    full, _ = on(network, article)
    rules = adapters.load(network).rules
    blocks = full.text.split("\n\n")
    bare = measure("\n\n".join((blocks[0], *(block for block in blocks if full.url in block))), rules)
    edition = single(article)
    edition = replace(edition, channel=replace(edition.channel, name=network, template=network))
    tight = replace(rules, max_length=bare + room)
    made, _ = post(edition, PUBLICATION, TEMPLATES, tight, network)
    assert made.url in links(made.text)
    assert measure(made.text, tight) <= tight.max_length
    assert "Stay updated" not in made.text
    assert made.text.startswith(blocks[0])


# -- a call to action that is true where it stands --------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("article", [RISE, HYDERABAD])
def test_whoever_is_sent_to_linkedin_gets_the_address_of_the_page(network: str, article: Article) -> None:
    short = replace(article, cta="Follow us on LinkedIn for more.", body=None)
    text = on(network, short)[0].text
    if network == "linkedin":
        assert "\n\nFollow us on LinkedIn for more.\n\n" in text
        assert PAGE not in text
    else:
        assert text.count("LinkedIn") == text.count(f"Follow us on LinkedIn ({PAGE}) for more.")


@pytest.mark.parametrize("network", NETWORKS)
def test_without_a_page_nobody_is_sent_to_linkedin_from_elsewhere(network: str) -> None:
    made, problems = on(network, replace(RISE, cta="Follow us on LinkedIn for more.", body=None), page="")
    assert ("LinkedIn" in made.text) == (network == "linkedin")
    assert [problem.code for problem in problems] == ([] if network == "linkedin" else ["render.cta"])


@pytest.mark.parametrize(
    "cta",
    ["Subscribe for more.", "See https://www.linkedin.com/company/mine for more.", "Ask hello@linkedin.com anything."],
)
@pytest.mark.parametrize("network", ["linkedin", "mastodon", "slack"])
def test_any_other_call_to_action_stays_as_it_is(network: str, cta: str) -> None:
    assert cta in on(network, replace(RISE, cta=cta, body=None))[0].text


@pytest.mark.parametrize(
    ("cta", "words"),
    [
        ("Follow us on LinkedIn for more.", "us on LinkedIn"),
        ("Connect with us on LinkedIn!", "us on LinkedIn"),
        ("Curious? follow on linkedin.", "on linkedin"),
        ("See our LinkedIn page.", ""),
        ("Subscribe.", ""),
        ("", ""),
    ],
)
def test_on_linkedin_the_page_s_own_name_can_stand_for_us(cta: str, words: str) -> None:
    made, _ = on("linkedin", replace(RISE, cta=cta))
    assert [made.text[one.start : one.end] for one in made.mentions] == ([words] if words else [])
    for one in made.mentions:
        assert made.text[: one.start].lower().endswith(("follow ", "connect with "))


def test_where_the_call_to_action_went_nothing_is_marked() -> None:
    edition = single(RISE)
    tight = replace(adapters.load("linkedin").rules, max_length=400)
    made, _ = post(edition, PUBLICATION, TEMPLATES, tight, "linkedin")
    assert "LinkedIn" not in made.text.replace(made.url, "")
    assert made.mentions == ()


def test_without_a_page_of_its_own_linkedin_still_says_where() -> None:
    made, _ = on("linkedin", RISE, page="")
    assert "Follow us on LinkedIn for exclusive insights" in made.text


# -- hashtags and mentions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_hashtags_stand_last_in_camel_case_and_as_many_as_the_place_bears(network: str) -> None:
    tags = ("machine learning", "mlops", "ci/cd", "hyderabad", "ai", "training")
    made, _ = on(network, replace(HYDERABAD, tags=tags))
    most = adapters.load(network).rules.max_hashtags
    expected = ("MachineLearning", "MLOps", "CICD", "Hyderabad", "AI", "Training")[:most]
    assert made.hashtags == expected
    line = " ".join(f"#{tag}" for tag in expected)
    assert made.text.endswith(f"\n\n{line}" if expected else made.url)


@pytest.mark.parametrize("network", ["slack", "discord"])
def test_where_hashtags_mean_nothing_there_are_none(network: str) -> None:
    assert "#" not in on(network, RISE)[0].text


@pytest.mark.parametrize("network", NETWORKS)
def test_whom_an_article_names_in_passing_is_not_called(network: str) -> None:
    text = "About 40% of all code uses @property and @ada@host.example, says a@b.example at https://a.example/@c today."
    article = replace(RISE, body=Body(html="", text=text), overrides=Overrides(mentions=MENTIONS))
    made, _ = on(network, article, thread=3 if network in THREADS else 0)
    called = set(regex.findall(r"(?<![\w/])@\w+", " ".join(made.texts)))
    meant = {handle.rpartition("@")[0] or handle for handle in MENTIONS.get(network, ())}
    if adapters.load(network).rules.notifies:
        assert called == meant
        assert "@\u2060property and @\u2060ada@host.example, says a@b.example at https://a.example/@c" in made.text
    else:
        assert called == {"@property", "@ada"}


MENTIONS: dict[str, Any] = {"mastodon": ("@magick@social.example", "@ada@b.example"), "x": ("@magick",)}


@pytest.mark.parametrize("network", NETWORKS)
def test_handles_stand_only_where_they_belong(network: str) -> None:
    made, problems = on(network, replace(RISE, overrides=Overrides(mentions=MENTIONS)))
    line = "\n\n" + " ".join(MENTIONS.get(network, ("",))) + "\n\n#"
    assert problems == []
    assert (line in made.text) == (network in MENTIONS)
    assert ("@" in made.text) == (network in MENTIONS)
