"""What is due, and why the rest is not."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from syndicate.model import (
    Article,
    Channel,
    ChannelPlan,
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
from syndicate.plan import anew, by_hand, changed_since, coming, make_plan, one_post, other_names

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
        Used(edition.key, edition.channel.name, edition.occasion, one.slug, one.path, slug_given=one.slug_given)
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


def test_a_slug_that_is_written_later_makes_no_new_article() -> None:
    first = make_plan([article("title")], [POSTS], History(), NOON)
    named = replace(article("title"), slug="of-its-own", slug_given=True)
    plan = make_plan([named], [POSTS], enter(History(), *first.editions), NOON + timedelta(days=1))
    assert plan.editions == ()


def test_an_article_that_was_renamed_and_then_retitled_is_known_by_both_names() -> None:
    first = make_plan([article("title")], [POSTS], History(), NOON)
    history = enter(History(), *first.editions)
    renamed = replace(article("title"), path="seeds/elsewhere.md")
    (other,) = other_names([renamed], "linkedin", history)
    history = replace(history, used=(*history.used, other))
    assert list(other_names([renamed], "linkedin", history)) == []
    retitled = replace(renamed, slug="new-title", title="New title")
    assert make_plan([retitled], [POSTS], history, NOON + timedelta(days=1)).editions == ()


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


def scheduled(channel: Channel, **changes: object) -> Channel:
    return replace(channel, schedule=replace(channel.schedule, **changes))  # type: ignore[arg-type]


def part_of(articles: list[Article], channel: Channel, history: History, at: datetime) -> ChannelPlan:
    return make_plan(articles, [channel], history, at).channels[0]


def slugs(part: ChannelPlan) -> list[str]:
    return [one.slug for edition in part.editions for one in edition.articles]


def test_after_three_missed_digests_one_has_the_articles_of_all_three_windows() -> None:
    channel = replace(scheduled(DIGEST, late=Late(then="send")), select=Select(lookback=timedelta(days=7)))
    weekly = [article(f"week{n}", f"2025-03-{3 + 7 * n:02}T10:00") for n in range(4)]  # each after a Monday's 09:00
    first = part_of(weekly, channel, History(), NOON)
    assert slugs(first) == ["week0"]
    history = enter(History(), *first.editions)
    late = part_of(weekly, channel, history, NOON + timedelta(days=21, hours=20))
    assert [edition.key for edition in late.editions] == ["weekly-digest/2025-03-31T09:00"]
    assert slugs(late) == ["week3", "week2", "week1"]
    again = part_of(weekly, channel, enter(history, *late.editions), NOON + timedelta(days=22))
    assert (again.editions, again.code) == ((), "entered")


def test_what_a_skipped_digest_would_have_had_is_in_the_next() -> None:
    channel = replace(DIGEST, select=Select(lookback=timedelta(days=7)))
    weekly = [article("week0", "2025-03-03T10:00"), article("week1", "2025-03-10T10:00")]
    history = enter(History(), *part_of(weekly, channel, History(), NOON).editions)
    assert part_of(weekly, channel, history, NOON + timedelta(days=8)).code == "late-skip"
    assert slugs(part_of(weekly, channel, history, NOON + timedelta(days=14))) == ["week1"]


def test_an_article_older_than_the_last_edition_is_told_so() -> None:
    channel = replace(DIGEST, select=Select(max=1, lookback=timedelta(days=7)))
    articles = [article("a", "2025-03-09"), article("b", "2025-03-08")]
    history = enter(History(), *part_of(articles, channel, History(), NOON).editions)
    part = part_of(articles, channel, history, NOON + timedelta(days=14))
    assert [(one.article.slug, one.reason) for one in part.skipped if one.code == "too-old"] == [
        ("b", "older than the channel's last edition, 2025-03-10 09:00")
    ]


def test_an_occasion_that_asks_waits_under_its_key_until_a_person_sends_it() -> None:
    channel = scheduled(DIGEST, late=Late(then="ask"))
    late = NOON + timedelta(days=3)
    part = part_of([article("a")], channel, History(), late)
    assert (part.editions, part.code, part.waiting) == ((), "late-ask", ("weekly-digest/2025-03-10T09:00",))
    assert part.skipped[0].reason == part.note
    sent = by_hand([article("a")], channel, History(), late)
    assert [edition.key for edition in sent.editions] == ["weekly-digest/2025-03-10T09:00"]


def test_an_occasion_that_has_nothing_to_say_is_never_late() -> None:
    part = part_of([], scheduled(DIGEST, late=Late(then="ask")), History(), NOON + timedelta(days=3))
    assert (part.code, part.note, part.waiting) == ("below-min", "no article is eligible", ())


def test_an_occasion_in_a_blackout_is_skipped_and_its_articles_wait() -> None:
    channel = scheduled(DIGEST, blackout=((date(2025, 3, 10), date(2025, 3, 10)),), late=Late(then="send"))
    part = part_of([article("a")], channel, History(), NOON)
    assert part.note == "Monday, 10 March 2025, 09:00 falls into the blackout 2025-03-10 and is skipped"
    assert part_of([article("a")], channel, History(), NOON + timedelta(days=1)).code == "blackout"
    assert slugs(part_of([article("a")], channel, History(), NOON + timedelta(days=7))) == ["a"]


def test_what_is_made_up_for_waits_until_quiet_hours_and_blackouts_have_ended() -> None:
    night, late = (time(22), time(7)), Late(then="send")
    quiet = scheduled(DIGEST, quiet=night, late=late)
    assert part_of([article("a")], quiet, History(), NOON.replace(hour=23)).note == (
        "Monday, 10 March 2025, 09:00 is due and waits: quiet hours until 07:00"
    )
    morning = NOON.replace(day=11, hour=7)
    assert slugs(part_of([article("a")], quiet, History(), morning)) == ["a"]
    closed = scheduled(DIGEST, blackout=((date(2025, 3, 11), date(2025, 3, 12)),), late=late)
    assert part_of([article("a")], closed, History(), morning).code == "quiet"
    assert slugs(part_of([article("a")], closed, History(), NOON.replace(day=13))) == ["a"]


def test_a_person_may_send_in_quiet_hours_and_blackouts() -> None:
    channel = scheduled(DIGEST, quiet=(time(11), time(13)), blackout=((date(2025, 3, 10), date(2025, 3, 10)),))
    part = by_hand([article("a")], channel, History(), NOON)
    assert [edition.key for edition in part.editions] == ["weekly-digest/2025-03-10T12:00"]


def test_posts_that_an_occasion_left_over_are_not_caught_up_after_its_grace() -> None:
    history = enter(History(), *part_of([article("a")], POSTS, History(), NOON).editions)
    late = part_of([article("a"), article("b")], POSTS, history, NOON + timedelta(hours=8))
    assert (late.editions, late.code) == ((), "entered")
    assert slugs(part_of([article("a"), article("b")], POSTS, history, NOON)) == ["b"]


def test_the_key_is_in_the_channels_zone_whatever_the_zone_of_the_question() -> None:
    asked = NOON.astimezone(ZoneInfo("America/New_York"))
    history = History((), {"weekly-digest/2025-03-10T09:00": "done"})
    assert [one.key for one in by_hand([article("a")], DIGEST, history, asked).editions] == [
        "weekly-digest/2025-03-10T12:00"
    ]


ON_PUBLISH = replace(
    POSTS,
    schedule=Schedule(on_publish=True, zone="Asia/Kolkata", late=Late(grace=timedelta(days=1))),
    select=Select(max=1),
)


def test_a_post_goes_out_when_the_publish_date_and_time_of_its_article_come() -> None:
    articles = [article("b", "2025-03-10T11:59"), article("a", "2025-03-10T09:00"), article("c", "2025-03-10T12:01")]
    part = part_of(articles, ON_PUBLISH, History(), NOON)
    assert [(one.key, f"{one.occasion:%H:%M}") for one in part.editions] == [
        ("linkedin/a", "09:00"),
        ("linkedin/b", "11:59"),
    ]
    later = part_of(articles, ON_PUBLISH, enter(History(), *part.editions), NOON + timedelta(minutes=1))
    assert [one.key for one in later.editions] == ["linkedin/c"]


def test_an_old_article_is_not_posted_because_its_channel_is_new() -> None:
    part = part_of([article("old", "2025-03-01"), article("ancient", "2024-03-01")], ON_PUBLISH, History(), NOON)
    assert part.editions == ()
    assert {one.article.slug: one.code for one in part.skipped} == {"old": "late-skip", "ancient": "too-old"}


def test_a_post_whose_moment_passed_waits_for_a_person_if_the_channel_asks() -> None:
    channel = scheduled(ON_PUBLISH, late=Late(then="ask"))
    part = part_of([article("missed", "2025-03-09"), article("now", "2025-03-10T11:00")], channel, History(), NOON)
    assert ([one.key for one in part.editions], part.waiting) == (["linkedin/now"], ("linkedin/missed",))
    alone = part_of([article("missed", "2025-03-09")], channel, History(), NOON)
    assert (alone.code, alone.note) == ("late-ask", "what passed its grace waits for a person (late.then: ask)")


def test_a_publish_time_in_quiet_hours_moves_and_one_in_a_blackout_is_left_to_a_person() -> None:
    channel = scheduled(ON_PUBLISH, quiet=(time(22), time(7)), blackout=((date(2025, 3, 11),) * 2,))
    night, holiday = article("night", "2025-03-09T23:00"), article("holiday", "2025-03-11T09:00")
    early = part_of([night], channel, History(), NOON.replace(hour=6))
    assert early.skipped[0].reason == ("its time falls into the quiet hours; it moves to Monday, 10 March 2025, 07:00")
    assert f"{part_of([night], channel, History(), NOON).editions[0].occasion:%d %H:%M}" == "10 07:00"
    part = part_of([night, holiday], channel, History(), NOON.replace(day=11))
    assert [one.code for one in part.skipped if one.article is holiday] == ["blackout"]


def test_what_comes_next_is_known_of_both_kinds_of_schedule() -> None:
    weekly = coming([], DIGEST, History(), NOON)
    assert [f"{next(weekly)[0]:%m-%d}" for _ in range(2)] == ["03-17", "03-24"]
    future = [article("b", "2025-03-12"), article("a", "2025-03-11"), article("draft", "2025-03-11", draft=True)]
    assert [(f"{moment:%m-%d}", one.slug) for moment, one in coming(future, ON_PUBLISH, History(), NOON) if one] == [
        ("03-11", "a"),
        ("03-12", "b"),
    ]


def test_an_occasion_in_the_hour_that_occurs_twice_has_no_more_posts_than_another() -> None:
    channel = replace(scheduled(POSTS, cron="30 2 * * *", zone="Europe/Berlin"), select=Select(max=1))
    now, articles = datetime(2025, 10, 26, 0, 45, tzinfo=UTC), [article("a", "2025-10-20"), article("b", "2025-10-21")]
    first = part_of(articles, channel, History(), now)
    used = tuple(replace(use, occasion=use.occasion.astimezone(UTC)) for use in enter(History(), *first.editions).used)
    again = part_of(articles, channel, History(used, {}), now + timedelta(hours=1))
    assert (slugs(first), slugs(again)) == (["b"], [])


def test_the_hour_that_occurs_twice_has_one_digest() -> None:
    channel = scheduled(DIGEST, cron="30 2 * * *", zone="Europe/Berlin")
    history, midnight = History(), datetime(2025, 10, 26, 0, tzinfo=UTC)
    for minute in range(0, 180, 10):
        now = midnight + timedelta(minutes=minute)
        articles = [article(f"a{minute}", "2025-03-07"), *(article(use.slug) for use in history.used)]
        history = enter(
            history, *part_of(articles, channel, history, now.astimezone(ZoneInfo("Europe/Berlin"))).editions
        )
    assert list(history.editions) == ["weekly-digest/2025-10-26T02:30"]


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


def test_an_edition_is_drafted_anew_of_its_own_articles_as_they_are_now() -> None:
    a, b, new = article("a", "2025-03-01"), article("b", "2025-03-02"), article("new", "2025-03-03")
    (edition,) = part_of([a, b], DIGEST, History(), NOON).editions
    history = enter(History(), edition)
    uses = history.used
    edited = replace(b, title="Retitled", slug="retitled", sha256="2")
    part = anew([a, edited, new], DIGEST, history, edition.key, edition.occasion, uses)
    assert [one.key for one in part.editions] == [edition.key]
    assert slugs(part) == ["retitled", "a"]
    part = anew([replace(a, draft=True), new], DIGEST, history, edition.key, edition.occasion, uses)
    assert (part.editions, part.code) == ((), "gone")
    assert "seeds/a.md: it is a draft" in part.note
    assert "they are gone" in anew([new], DIGEST, history, edition.key, edition.occasion, uses).note


def test_an_article_that_was_edited_since_is_named_with_its_edition_even_after_it_was_renamed() -> None:
    one = article("one", sha256="1")
    (edition,) = part_of([one], DIGEST, History(), NOON).editions
    history = enter(History(), edition)
    history = replace(history, used=tuple(replace(use, sha256="1") for use in history.used))
    assert list(changed_since([one], DIGEST.name, history)) == []
    moved = replace(one, path="seeds/moved.md")
    history = replace(history, used=(*history.used, *other_names([moved], DIGEST.name, history)))
    edited = replace(moved, slug="retitled", sha256="2")
    assert [use.edition for _, use in changed_since([edited], DIGEST.name, history)] == [edition.key]
    assert list(changed_since([edited], "linkedin", history)) == []


def test_articles_of_a_rejected_digest_are_taken_again_only_where_a_person_asks() -> None:
    (edition,) = part_of([article("a")], DIGEST, History(), NOON).editions
    history = enter(History(), edition)
    rejected = replace(history, editions={edition.key: "rejected"})
    assert by_hand([article("a")], DIGEST, rejected, NOON).editions == ()
    assert by_hand([article("a")], DIGEST, history, NOON, again=True).editions == ()
    part = by_hand([article("a")], DIGEST, rejected, NOON, again=True)
    assert [one.key for one in part.editions] == ["weekly-digest/2025-03-10T12:00"]
