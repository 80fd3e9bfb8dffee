"""What is due, and why the rest is not."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import (
    Article,
    Channel,
    Edition,
    History,
    Kind,
    Late,
    Overrides,
    Plan,
    Schedule,
    Select,
    Used,
)
from syndicate.plan import by_hand, make_plan, one_post

ZONE = ZoneInfo("Asia/Kolkata")
NOON = datetime(2025, 3, 10, 12, tzinfo=ZONE)
DIGEST = Channel(
    name="weekly-digest",
    kind=Kind.DIGEST,
    account="outbox",
    audience="readers",
    template="digest",
    schedule=Schedule(cron="0 9 * * MON", zone="Asia/Kolkata"),
    select=Select(lookback=None),
)
POSTS = Channel(
    name="linkedin",
    kind=Kind.POST,
    account="outbox",
    template="linkedin",
    schedule=Schedule(cron="30 10 * * MON-FRI", zone="Asia/Kolkata"),
    select=Select(max=2, order="oldest", lookback=None),
)


def article(slug: str, published: str | None = "2025-03-07", **other: object) -> Article:
    date = datetime.fromisoformat(published).replace(tzinfo=ZONE) if published else None
    return Article(path=f"seeds/{slug}.md", slug=slug, title=slug.title(), published=date, **other)  # type: ignore[arg-type]


def enter(history: History, *editions: Edition) -> History:
    used = [
        Used(edition.key, edition.channel.name, edition.occasion, one.slug, one.path)
        for edition in editions
        for one in edition.articles
    ]
    keys = {edition.key: "done" for edition in editions}
    return History((*history.used, *used), {**history.editions, **keys})


def reasons(plan: Plan) -> dict[str, str]:
    return {skipped.article.slug: skipped.reason for part in plan.channels for skipped in part.skipped}


def test_a_digest_takes_the_articles_published_up_to_its_occasion_newest_first() -> None:
    plan = make_plan([article("old", "2024-03-01"), article("new", "2025-03-07")], [DIGEST], History(), NOON)
    (edition,) = plan.editions
    assert edition.key == "weekly-digest/2025-03-10T09:00"
    assert [one.slug for one in edition.articles] == ["new", "old"]


def test_a_post_channel_makes_one_edition_of_each_article_under_its_slug() -> None:
    plan = make_plan([article("b"), article("a", "2024-03-01")], [POSTS], History(), NOON)
    assert [edition.key for edition in plan.editions] == ["linkedin/a", "linkedin/b"]


def test_the_same_time_again_has_nothing_left_to_say() -> None:
    articles = [article("a"), article("b"), article("c")]
    first = make_plan(articles, [DIGEST, POSTS], History(), NOON)
    assert len(first.editions) == 3
    again = make_plan(articles, [DIGEST, POSTS], enter(History(), *first.editions), NOON)
    assert again.editions == ()
    assert again.channels[0].entered == ("weekly-digest/2025-03-10T09:00",)


def test_the_next_occasion_takes_what_the_last_left() -> None:
    articles = [article("a", "2025-03-01"), article("b", "2025-03-02"), article("c", "2025-03-03")]
    first = make_plan(articles, [POSTS], History(), NOON)
    tuesday = make_plan(articles, [POSTS], enter(History(), *first.editions), NOON + timedelta(days=1))
    assert [edition.key for edition in tuesday.editions] == ["linkedin/c"]


def test_each_article_left_out_carries_its_reason() -> None:
    channel = replace(DIGEST, select=Select(max=1, lookback=timedelta(days=30), tags=("ai",)))
    articles = [
        article("draft", draft=True),
        article("undated", None, undated="publish_date 'soon' is not a date"),
        article("future", "2025-04-01"),
        article("old", "2024-03-01"),
        article("untagged"),
        article("skipped", overrides=Overrides(skip=frozenset({"weekly-digest"}))),
        article("used"),
        article("taken", "2025-03-09", tags=("AI",)),
        article("beyond", "2025-03-08", tags=("ai",)),
    ]
    past = Used("weekly-digest/2025-03-03T09:00", "weekly-digest", NOON - timedelta(days=7), "used", "seeds/used.md")
    plan = make_plan(articles, [channel], History((past,), {}), NOON)
    assert [one.slug for one in plan.editions[0].articles] == ["taken"]
    assert reasons(plan) == {
        "draft": "it is a draft",
        "undated": "publish_date 'soon' is not a date",
        "future": "its publish date 2025-04-01 00:00 is still to come",
        "old": "older than the 30 days that the channel looks back",
        "untagged": "it has none of the tags ai",
        "skipped": "its front matter says so (syndicate.skip)",
        "used": "already in weekly-digest/2025-03-03T09:00",
        "beyond": "beyond the 1 articles an edition takes; waits for the next",
    }


def test_a_mended_title_is_not_sent_again() -> None:
    first = make_plan([article("teh-title")], [POSTS], History(), NOON)
    mended = replace(article("teh-title"), slug="the-title", title="The title")
    plan = make_plan([mended], [POSTS], enter(History(), *first.editions), NOON + timedelta(days=1))
    assert reasons(plan) == {"the-title": "already in linkedin/teh-title"}


def test_a_renamed_file_is_not_sent_again() -> None:
    first = make_plan([article("title")], [POSTS], History(), NOON)
    renamed = replace(article("title"), path="seeds/elsewhere.md")
    plan = make_plan([renamed], [POSTS], enter(History(), *first.editions), NOON + timedelta(days=1))
    assert plan.editions == ()


def test_a_file_with_a_new_slug_of_its_author_is_a_new_article() -> None:
    first = make_plan([article("issue-1", slug_given=True)], [POSTS], History(), NOON)
    rewritten = replace(article("issue-2", slug_given=True), path="seeds/issue-1.md")
    plan = make_plan([rewritten], [POSTS], enter(History(), *first.editions), NOON + timedelta(days=1))
    assert [edition.key for edition in plan.editions] == ["linkedin/issue-2"]


def test_a_digest_with_too_few_articles_is_not_made() -> None:
    channel = replace(DIGEST, select=Select(min=2, lookback=None))
    plan = make_plan([article("only")], [channel], History(), NOON)
    assert plan.editions == ()
    assert plan.channels[0].note == "1 of the at least 2 articles that an edition needs"
    assert reasons(plan) == {"only": plan.channels[0].note}


def test_an_occasion_missed_beyond_its_grace_is_skipped_and_says_so() -> None:
    plan = make_plan([article("a")], [DIGEST], History(), NOON + timedelta(days=3))
    assert plan.editions == ()
    assert plan.channels[0].note == (
        "Monday, 10 March 2025, 09:00 passed 3 days ago, more than its grace of 6 hours, "
        "and is skipped (late.then: skip)"
    )


def test_a_channel_that_sends_late_makes_the_same_edition_whenever_it_is_asked() -> None:
    channel = replace(DIGEST, schedule=replace(DIGEST.schedule, late=Late(then="send")))
    articles = [article("a"), article("later", "2025-03-11")]
    on_time = make_plan(articles, [channel], History(), NOON)
    assert make_plan(articles, [channel], History(), NOON + timedelta(days=3)).editions == on_time.editions


def test_a_digest_by_hand_is_the_due_occasion_and_then_an_extra_edition() -> None:
    articles = [article("a")]
    due = by_hand(articles, DIGEST, History(), NOON)
    assert [edition.key for edition in due.editions] == ["weekly-digest/2025-03-10T09:00"]
    history = enter(History(), *due.editions)
    extra = by_hand([*articles, article("b")], DIGEST, history, NOON)
    assert [edition.key for edition in extra.editions] == ["weekly-digest/2025-03-10T12:00"]
    assert [one.slug for one in extra.editions[0].articles] == ["b"]


def test_a_one_off_post_takes_a_draft_and_is_not_repeated_without_again() -> None:
    draft = article("draft", None, draft=True)
    first = one_post(draft, POSTS, History(), NOON)
    assert [edition.key for edition in first.editions] == ["linkedin/draft"]
    history = enter(History(), *first.editions)
    assert one_post(draft, POSTS, history, NOON).note == "already in linkedin/draft; --again posts it once more"
    assert [edition.key for edition in one_post(draft, POSTS, history, NOON, again=True).editions] == [
        "linkedin/draft#2"
    ]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.booleans(), st.sampled_from(["", "ai", "ops"])), max_size=30),
    st.integers(1, 5),
    st.sampled_from([None, timedelta(days=30)]),
)
def test_every_article_is_either_taken_or_left_out_with_a_reason(
    given_articles: list[tuple[int, bool, str]], most: int, lookback: timedelta | None
) -> None:
    articles = [
        replace(article(f"a{number}", None, draft=draft, tags=(tag,)), published=NOON - timedelta(days=age - 50))
        for number, (age, draft, tag) in enumerate(given_articles)
    ]
    channel = replace(DIGEST, select=Select(max=most, lookback=lookback))
    plan = make_plan(articles, [channel], History(), NOON)
    taken = [one.path for edition in plan.editions for one in edition.articles]
    left = [skipped.article.path for skipped in plan.channels[0].skipped]
    assert sorted(taken + left) == sorted(one.path for one in articles)
    assert len(taken) <= most
    assert all(skipped.reason for skipped in plan.channels[0].skipped)
