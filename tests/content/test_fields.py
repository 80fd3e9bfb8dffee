from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from syndicate.content import text
from syndicate.content.site import Site
from syndicate.model import Article, Overrides, Severity
from tests.content.conftest import TITLED, codes, front, read

INDIA = ZoneInfo("Asia/Kolkata")


def article(block: str, body: str = "Some words of text.\n", path: str = "articles/x.md") -> Article:
    head = block if TITLED.search(block) else f"title: T\n{block}"
    reading = read(f"---\n{head}\n---\n{body}", path)
    assert reading.article, reading.problems
    return reading.article


@pytest.mark.parametrize(
    ("block", "field", "value"),
    [
        ("Title: A", "title", "A"),
        ("newstitle: A", "title", "A"),
        ("title: A\nname: B", "title", "A"),
        ("deck: A", "subtitle", "A"),
        ("summary: |\n  A\n  b", "description", "A b"),
        ("excerpt: A &mdash; b&#8217;s", "description", "A — b’s"),
        ("description: See **this** [page](https://a.test/x)", "description", "See this page"),
        ("description:\nsummary: A", "description", "A"),
        ("author: Ada, Bob", "authors", ("Ada", "Bob")),
        ("author: Ada (@ada) and Bob <bob@a.test>", "authors", ("Ada", "Bob")),
        ("author: Martin Luther King, Jr.", "authors", ("Martin Luther King, Jr.",)),
        ("authors: [ada, bob, ada]", "authors", ("ada", "bob")),
        ("authors:\n- name: Ada\n  url: x", "authors", ("Ada",)),
        ("by:\n- Ian", "authors", ("Ian",)),
        ("read_time: 3 min read", "read_minutes", 3),
        ("readingTime: 7", "read_minutes", 7),
        ("publish_date: 2025-03-07", "published", datetime(2025, 3, 7, tzinfo=INDIA)),
        ("pubDate: Aug 4 2020", "published", datetime(2020, 8, 4, tzinfo=INDIA)),
        ("published: 2025-03-07", "published", datetime(2025, 3, 7, tzinfo=INDIA)),
        ("date: 2025-03-07T10:00\ntimezone: Europe/Berlin", "published", datetime(2025, 3, 7, 14, 30, tzinfo=INDIA)),
        ("date: 2025-03-07\ncreatedAt: 2025-03-01", "created", datetime(2025, 3, 1, tzinfo=INDIA)),
        ("cover_image: https://a.test/x.png?w=1", "hero_image", "https://a.test/x.png?w=1"),
        ("image: img/x.png", "hero_image", "articles/img/x.png"),
        ("image: ../img/x.png", "hero_image", "img/x.png"),
        ("image: /img/x y.png", "hero_image", "https://magick.ai/img/x%20y.png"),
        ("hero: {src: x.jpg, alt: A cat}", "hero_image", "articles/x.jpg"),
        ("hero: {src: x.jpg, alt: A cat}", "hero_alt", "A cat"),
        ("hero: false\nthumbnail: x.jpg", "hero_image", "articles/x.jpg"),
        ("heroImage: x.jpg\nheroImageAlt: A dog", "hero_alt", "A dog"),
        ("cta: Follow us!", "cta", "Follow us!"),
        ('cta: {url: "https://a.test/?x=%0d%0a", text: "Read on"}', "cta", "Read on"),
        ("tags: 'ai, machine learning, ai'", "tags", ("ai", "machine learning")),
        ("tags: ai ml", "tags", ("ai", "ml")),
        ("categories: ['#News', 2025]", "tags", ("News", "2025")),
        ("slug: My-Post", "slug", "my-post"),
        ("slug: news/", "slug", "news"),
        ("id: hermes", "slug", "hermes"),
        ("canonical_url: https://a.test/x", "url", "https://a.test/x"),
        ("permalink: /news/x/", "url", "https://magick.ai/news/x/"),
        ("permalink: /:year/:title", "url", "https://magick.ai/t"),
        ("draft: yes", "draft", True),
        ("draft: 'false'", "draft", False),
        ("published: false", "draft", True),
        ("published: true", "draft", False),
        ("lang: zh_cn", "language", "zh-CN"),
        ("title: no", "title", "no"),
        ("title: 12:30:45", "title", "12:30:45"),
        ("title: 017", "title", "017"),
        ("title: 1_000", "title", "1_000"),
        ("title: .inf", "title", ".inf"),
        ("title: '  leading and trailing  '", "title", "leading and trailing"),
        ("title: >\n  folded\n  lines", "title", "folded lines"),
        ("title: \"a\u0301 vs \u00e1\"", "title", "\u00e1 vs \u00e1"),
        ("title: '{{ config }} {% raw %} ${7*7} #{7*7} %(x)s {0.__class__}'", "title",
         "{{ config }} {% raw %} ${7*7} #{7*7} %(x)s {0.__class__}"),
    ],
)  # fmt: skip
def test_a_field_under_the_names_it_goes_by(block: str, field: str, value: object) -> None:
    assert getattr(article(block), field) == value


def test_a_declared_reading_time_is_kept_unless_it_is_wild() -> None:
    body = "word " * 460
    assert article("read_time: '15 mins'", body).read_minutes == 15
    wild = front("read_time: '40 mins'\ndate: 2025-01-01", body)
    assert wild.article
    assert wild.article.read_minutes == 2
    assert codes(wild) == ["read-time.wild"]
    assert front("read_time: 0\ndate: 2025-01-01", body).article.read_minutes == 2  # type: ignore[union-attr]
    assert codes(front("read_time: 5-7 mins\ndate: 2025-01-01", body)) == ["frontmatter.unreadable-key"]


@pytest.mark.parametrize(
    ("block", "undated", "code"),
    [
        ("title: T", "it has no publish date", "date.missing"),
        ("date: tomorrow", "its date cannot be read: 'tomorrow' is not a date", "date.unreadable"),
        ("date: [2025]", "its date is not a date", "frontmatter.unreadable-key"),
        ("date: 2025-03-07\ntimezone: ../../etc/passwd", "its time zone cannot be read", "date.zone"),
        ("created_date: 2025-03-07", "it has no publish date", "date.missing"),
    ],
)
def test_without_a_readable_publish_date_there_is_a_reason_and_never_now(block: str, undated: str, code: str) -> None:
    reading = front(block)
    assert reading.article
    assert reading.article.published is None
    assert reading.article.undated == undated
    assert code in codes(reading)


def test_the_file_name_dates_an_article_that_has_no_date_and_no_other() -> None:
    assert article("title: T", path="_posts/2016-01-12-x.md").published == datetime(2016, 1, 12, tzinfo=INDIA)
    assert article("date: 2022-02-29", path="_posts/2022-02-27-x.md").published is None


def test_a_misspelt_key_is_suspected() -> None:
    hints = {problem.code: problem.hint for problem in front("title: T\npublishd_date: 2025-03-07").problems}
    assert hints["date.missing"] == "did you mean publish_date: instead of publishd_date:?"
    (problem,) = read("---\ntittle: x\n---\ny").problems
    assert problem.hint == "did you mean title: instead of tittle:?"


@pytest.mark.parametrize(("days", "created"), [(365, "2026-03-07"), (300, "2026-01-01"), (730, "2027-03-07")])
def test_a_publish_date_long_before_the_creation_date_is_doubted_and_kept(days: int, created: str) -> None:
    reading = front(f"publish_date: 2025-03-07\ncreated_date: {created}")
    (problem,) = reading.problems
    assert problem.message == f"publish date is {days} days before its creation date: wrong year?"
    assert reading.article
    assert reading.article.published == datetime(2025, 3, 7, tzinfo=INDIA)


def test_a_publish_date_shortly_before_the_creation_date_is_not_doubted() -> None:
    assert front("publish_date: 2025-03-01\ncreated_date: 2025-03-07").problems == ()


@pytest.mark.parametrize(
    "value",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        r"..\..\windows\win.png",
        "img/../../../secret.png",
        "'x.png\" onerror=\"alert(1)'",
        "//evil.test/x.png",
        "/etc/passwd",
        "magick.ai/x.jpg",
        "https://user:pass@a.test/x.png",
        "https:///x.png",
        "2024-call-title-card",
        "'{{ site.baseurl }}/x.png'",
        "x.svg",
    ],
)
def test_a_picture_that_is_none_is_left_out(value: str) -> None:
    reading = front(f"heroImage: {value}\ndate: 2025-01-01")
    assert reading.article
    assert reading.article.hero_image == ""
    assert codes(reading, Severity.WARNING) == ["frontmatter.unreadable-key"]


@pytest.mark.parametrize("slug", ["../../../etc/passwd", "CON", "nul.txt", '"a/b\\0c"', "'%2e%2e%2f'", "a..b", "'-'"])
def test_a_slug_that_is_no_name_refuses_the_file(slug: str) -> None:
    reading = front(f"title: T\nslug: {slug}")
    assert reading.article is None or slug.startswith('"')  # NUL in a value leaves the key out
    assert reading.problems


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("MLOps Training: India's Best", "mlops-training-indias-best"),
        ("Żółć & Straße – Ærø", "zolc-strasse-aero"),
        ("Ruby 3.1.0 已发布", "ruby-3-1-0-已发布"),
        ("יכולות מתוכננות", "יכולות-מתוכננות"),
        ("हिन्दी में समाचार", "हिन्दी-में-समाचार"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full-width"),
        ("word " * 30, "-".join(["word"] * 12)),
        ("x" * 100, "x" * 60),
        ("日" * 100, "日" * 60),
    ],
)
def test_a_slug_from_a_title(title: str, slug: str) -> None:
    assert text.slugify(title) == slug


def test_a_title_without_letters_has_a_slug_all_the_same() -> None:
    assert text.slugify("!!! 🎉") == text.slugify("!!! 🎉") != text.slugify("??? 🎉")
    assert article("title: '!!! 🎉'").slug.startswith("article-")


def test_an_article_says_whether_its_slug_was_given() -> None:
    assert article("slug: a").slug_given
    assert not article("title: a").slug_given


def test_the_address_is_empty_where_no_base_is_known() -> None:
    reading = read("---\ntitle: T\n---\nx", site=Site(INDIA, "en", ""))
    assert reading.article
    assert reading.article.url == ""


def test_a_title_comes_from_the_first_heading_or_a_dated_file_name_and_says_so() -> None:
    reading = read("---\ndate: 2025-01-01\n---\n\n# The heading\n\nText")
    assert reading.article
    assert reading.article.title == "The heading"
    assert codes(reading) == ["title.derived"]
    assert article("xtitle: 1", path="2017-2-5-no-zeroes.md").title == "No zeroes"
    assert read("---\nfoo: bar\n---\nText").article is None


def test_a_draft_is_one_by_word_by_folder_or_by_name() -> None:
    assert article("title: T", path="blog/_drafts/x.md").draft
    assert article("title: T", path="blog/_x.md").draft
    unclear = front("draft: maybe\ndate: 2025-01-01")
    assert unclear.article
    assert unclear.article.draft
    assert codes(unclear) == ["draft.unclear"]


def test_overrides_are_read_and_an_unknown_key_is_suspected() -> None:
    reading = front(
        "title: T\ndate: 2025-01-01\nsyndicate:\n  text: {linkedin: 'Own words'}\n  skip: [mastodon, bluesky]\n"
        "  hashtags: ['#MLOps', India]\n  mentions: {mastodon: '@a@b.example', x: ['@a', '@b']}\n"
        "  campaign: spring\n  hashtag: x"
    )
    assert reading.article
    assert reading.article.overrides == Overrides(
        text={"linkedin": "Own words"},
        skip=frozenset({"mastodon", "bluesky"}),
        hashtags=("MLOps", "India"),
        mentions={"mastodon": ("@a@b.example",), "x": ("@a", "@b")},
        campaign="spring",
    )
    (problem,) = reading.problems
    assert problem.message == "syndicate.hashtag: unknown key; left out"
    assert problem.hint == "did you mean hashtags?"


def test_one_override_may_be_for_all() -> None:
    found = article("syndicate: {text: Hello, skip: true, hashtags: 'a, b'}").overrides
    assert found == Overrides(text={"post": "Hello"}, skip=frozenset({"*"}), hashtags=("a", "b"))


@pytest.mark.parametrize(
    "value",
    [
        "yes please",
        "{text: [1]}",
        "{skip: {a: b}}",
        "{hashtags: {a: b}}",
        "{campaign: [a]}",
        "{mentions: '@a'}",
        "{mentions: {}}",
        "{mentions: {x: a}}",
        "{mentions: {x: ['@a', '@b c']}}",
        "{mentions: {x: []}}",
    ],
)
def test_an_override_of_the_wrong_kind_is_left_out(value: str) -> None:
    reading = front(f"title: T\ndate: 2025-01-01\nsyndicate: {value}")
    assert reading.article
    assert reading.article.overrides == Overrides()
    assert codes(reading) == ["frontmatter.unreadable-key"]


REFUSAL = "---\ntitle: Content Request Declined\ndate: 2025-01-01\n{}---\nI'm sorry, but I cannot write about this.\n"


def test_what_looks_like_a_refusal_is_held_back_until_a_person_releases_it() -> None:
    held = read(REFUSAL.format("")).article
    assert held
    assert held.published is None
    assert held.undated.startswith("held back: it looks like")
    released = read(REFUSAL.format("syndicate: {hold: false}\n")).article
    assert released
    assert released.published
    assert released.undated == ""


def test_a_person_can_hold_any_article_back() -> None:
    held = article("date: 2025-01-01\nsyndicate: {hold: true}")
    assert held.published is None
    assert held.undated == "it is held back (syndicate: {hold: true})"


def test_a_real_article_about_errors_is_not_held_back() -> None:
    body = "Automatic error detection finds invalid input in tables. " * 40
    assert article("title: 'Error: what invalid input costs'\ndate: 2025-01-01", body).published


def test_an_article_without_anything_to_show_is_held_back() -> None:
    assert article("date: 2025-01-01", body="\n").undated == "held back: it has neither text nor description"
    assert article("date: 2025-01-01\ndescription: A link post.", body="\n").published


def test_words_are_counted_in_scripts_without_blanks_too() -> None:
    assert text.count_words("four words of text") == 4
    assert text.count_words("日本語の文章") == 4
