"""LinkedIn against a fake that answers what the real one was seen to answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from syndicate.adapters.linkedin import LinkedIn, LinkedInOptions
from syndicate.adapters.linkedin_answers import sunset
from syndicate.adapters.linkedin_text import little_text, without_link
from syndicate.errors import Unsupported
from syndicate.model import Deferred, Image, Mention, Outcome, Paused, Post, Receipt, Refused, Request, Unknown
from syndicate.testing import linkedin as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.linkedin import TOKEN, FakeLinkedIn, visible
from syndicate.testing.messages import PNG, email, picture, post

NOW = datetime(2025, 3, 10, 21, 30, tzinfo=UTC)
AUTHOR = "urn:li:person:782bbtaQ"


@pytest.fixture
def network() -> Iterator[FakeLinkedIn]:
    with FakeLinkedIn() as running:
        yield running


def adapter(network: FakeLinkedIn | None = None, **options: Any) -> LinkedIn:
    settings: dict[str, Any] = {"token": TOKEN, "author": AUTHOR, **options}
    if network:
        settings["base_url"] = network.url
    return LinkedIn(LinkedInOptions.model_validate(settings), now=lambda: NOW)


def publish(network: FakeLinkedIn, message: Post | None = None, **options: Any) -> Outcome:
    linkedin = adapter(network, **options)
    with linkedin.open() as session:
        payload = linkedin.prepare(session, linkedin.compose(message or post()))
        if isinstance(payload, Deferred | Paused | Refused):
            return payload
        return linkedin.send(session, payload, "key")


# -- the text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("This is a test. (This is also a test.)", "This is a test. "),
        ("Va al repo (durable)", "Va al repo "),
        ("a\\(b\\)", "a(b)"),
        ("#coding #AI", "#coding #AI"),
        ("Hello @[Acme Corp](urn:li:organization:1234)", "Hello @[Acme Corp](urn:li:organization:1234)"),
        ("{hashtag|#|Technology}", "{hashtag|#|Technology}"),
        ("# not a tag", ""),
        ("a_b", "a"),
    ],
)
def test_the_fake_cuts_as_the_real_one_was_seen_to(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.one_of(st.sampled_from("|{}@[]()<>#\\*_~ab1 \n/:"), st.characters(exclude_categories=["Cs"]))))
def test_readers_see_every_character(text: str) -> None:
    assert visible(little_text(text)) == text


def test_hashtags_stay_hashtags() -> None:
    written = "#AI and #MLOps_2025, but C#, #1, x#y and https://x.test/a_b#c\n#Ünï"
    assert little_text(written) == (r"#AI and #MLOps\_2025, but C\#, \#1, x\#y and https://x.test/a\_b\#c" + "\n#Ünï")


def test_people_see_the_text_as_it_was_written(network: FakeLinkedIn) -> None:
    text = "Up 4% (EPRI, 2024) — *really* @ 10~12 <b> | [x] {y} \\ _z_ #AI\n\nhttps://x.test/a_(b)?c=d#e"
    assert isinstance(publish(network, post(text)), Receipt)
    assert network.published[0].text == text


def test_only_the_commentary_is_escaped(network: FakeLinkedIn) -> None:
    publish(network)
    assert network.published[0].post["content"]["article"] == {
        "source": "https://example.com/a?utm_source=linkedin",
        "title": "An article (with brackets)",
        "description": "What it is about.",
    }


# -- the request --------------------------------------------------------------------------------------------------


def test_the_request_is_what_the_api_page_shows() -> None:
    request = adapter().compose(post("Hello", url=""))
    assert (request.method, request.url) == ("POST", "https://api.linkedin.com/rest/posts")
    assert request.headers == {
        "Content-Type": "application/json",
        "LinkedIn-Version": "202609",
        "X-Restli-Protocol-Version": "2.0.0",
    }
    assert json.loads(request.body) == {
        "author": AUTHOR,
        "commentary": "Hello",
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }


def test_text_goes_out_as_utf8_and_not_as_escapes() -> None:
    assert "José 😀".encode() in adapter().compose(post("José 😀")).body


def test_a_receipt_has_the_urn_and_the_permalink(network: FakeLinkedIn) -> None:
    urn = "urn:li:share:7243000000000000000"
    assert publish(network) == Receipt(urn, f"https://www.linkedin.com/feed/update/{urn}/", "201")


def test_a_201_without_an_id_is_published_all_the_same(network: FakeLinkedIn) -> None:
    network.silent_about_id = True
    assert publish(network) == Receipt(status="201")


@pytest.mark.parametrize("url", ["https://example.com/a", ""])
def test_the_picture_is_uploaded_first_and_shown(network: FakeLinkedIn, url: str) -> None:
    assert isinstance(publish(network, post("{{image}}", url=url, image=picture())), Receipt)
    ((urn, data),) = network.images.items()
    content = network.published[0].post["content"]
    assert data == PNG
    assert content == ({"article": {**content["article"], "thumbnail": urn}} if url else
                       {"media": {"id": urn, "altText": "A pixel"}})  # fmt: skip
    assert network.published[0].text == "{{image}}"


def test_the_token_does_not_travel_with_the_picture(network: FakeLinkedIn) -> None:
    publish(network, post(image=picture()))
    assert ["authorization" in request.headers for request in network.journal] == [True, False, True]


def test_a_picture_is_not_sent_to_just_anybody(network: FakeLinkedIn) -> None:
    place = {"value": {"uploadUrl": "https://evil.test/", "image": "urn:li:image:x"}}
    network.fault(Fault(Reply(200, json.dumps(place).encode())))
    assert isinstance(publish(network, post(image=picture())), Deferred)
    assert len(network.journal) == 1


@pytest.mark.parametrize("request_number", [0, 1])
@pytest.mark.parametrize("fault", [Fault(then="close", apply=True), Fault(Reply(500)), Fault(Reply(200, b"[]"))])
def test_an_upload_leaves_no_doubt(network: FakeLinkedIn, request_number: int, fault: Fault) -> None:
    network.fault(*[None] * request_number, fault)
    if fault.reply and fault.reply.status == 200 and request_number == 1:
        assert isinstance(publish(network, post(image=picture())), Deferred)  # the picture is not there: 400, later
        return
    assert isinstance(publish(network, post(image=picture())), Deferred)
    assert network.published == []


def test_a_picture_of_another_kind_is_refused() -> None:
    with pytest.raises(Unsupported, match="image/jpeg, image/png, image/gif"):
        adapter().compose(post(image=Image(b"", "image/webp")))


def test_email_is_refused() -> None:
    with pytest.raises(Unsupported, match="not e-mail"):
        adapter().compose(email())


# -- mentions -----------------------------------------------------------------------------------------------------

ACME, ACME_LABS, JO = "urn:li:organization:1", "urn:li:organization:2", "urn:li:person:j-o"
NAMES = {"Acme": ACME, "Acme Labs": ACME_LABS, "Jo (Ann)": JO}


def commentary(text: str, **options: Any) -> str:
    """The text as it goes over the wire."""
    body = json.loads(adapter(mentions=NAMES, **options).compose(post(text, url="https://x.test/a")).body)
    return str(body["commentary"])


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("By Acme.", f"By @[Acme]({ACME})."),
        ("Acme Labs and Acme", f"@[Acme Labs]({ACME_LABS}) and @[Acme]({ACME})"),
        ("Acme, Acme, Acme", f"@[Acme]({ACME}), Acme, Acme"),
        ("Jo (Ann) says_so", f"@[Jo \\(Ann\\)]({JO}) says\\_so"),
        ("acme, Acmes, MyAcme, #Acme", "acme, Acmes, MyAcme, #Acme"),
        ("https://Acme.test/Acme is not Acme", f"https://Acme.test/Acme is not @[Acme]({ACME})"),
        ("@Acme", "\\@Acme"),
        ("#AI by Acme #ML", f"#AI by @[Acme]({ACME}) #ML"),
    ],
)
def test_who_is_named_is_mentioned(text: str, wire: str) -> None:
    assert commentary(text) == wire


@given(
    st.lists(st.sampled_from(["Acme", "Acme Labs", "Jo (Ann)", " ", "x", "#", "é", "(", "_", "https://x.test/Acme"]))
)
@settings(deadline=None)
def test_nobody_who_is_named_cuts_the_text_off(words: list[str]) -> None:
    text = " ".join(words)
    seen = visible(commentary(text))
    for name, urn in NAMES.items():
        seen = seen.replace(f"@[{little_text(name)}]({urn})", name)
    assert seen == text


def test_a_mention_is_counted_as_it_is_written(network: FakeLinkedIn) -> None:
    from syndicate.render.fit import Part, fit, measure

    linkedin = adapter(network, mentions=NAMES)
    for count in range(2900, 3010):
        text = fit([Part("text", "Acme Labs, Jo (Ann) " + "x " * (count // 2))], linkedin.rules).text
        written = json.loads(linkedin.compose(post(text)).body)["commentary"]
        assert len(written) <= measure(text, linkedin.rules) <= 3000
        assert written.startswith("@[Acme Labs](")
    assert isinstance(publish(network, post(text), mentions=NAMES), Receipt)


def test_a_text_that_nobody_fitted_goes_without_mentions_before_it_is_refused(network: FakeLinkedIn) -> None:
    text = "Acme " + "x" * 2990
    assert isinstance(publish(network, post(text), mentions=NAMES), Receipt)
    assert network.published[0].text == text


def test_the_publications_own_page_is_mentioned_where_the_post_says_so() -> None:
    message = replace(post("Follow us on LinkedIn (Acme)!", url=""), mentions=(Mention(10, 21),))
    body = json.loads(adapter(mentions=NAMES, page="Acme Labs").compose(message).body)
    assert body["commentary"] == f"Follow us @[Acme Labs]({ACME_LABS}) \\(@[Acme]({ACME})\\)!"
    without = json.loads(adapter(mentions=NAMES).compose(message).body)
    assert without["commentary"] == f"Follow us on LinkedIn \\(@[Acme]({ACME})\\)!"


@pytest.mark.parametrize("options", [{"page": "Acme"}, {"mentions": {"Acme": "acme"}}, {"link": "below"}])
def test_mentions_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        adapter(**options)


# -- the first comment --------------------------------------------------------------------------------------------

LINK = "https://example.com/a?utm_source=linkedin"


def test_the_link_stands_in_the_first_comment(network: FakeLinkedIn) -> None:
    found = publish(
        network, post(f"Read on_here:\n{LINK}\n\n#AI"), link="comment", link_note="Link in the first comment."
    )
    assert isinstance(found, Receipt)
    assert found.status == "201; with its first comment"
    assert network.published[0].text == "Link in the first comment.\n\n#AI"
    assert "content" not in network.published[0].post
    assert network.comments == {found.id: [LINK]}


def test_a_comment_is_made_at_the_address_that_takes_the_token_of_most(network: FakeLinkedIn) -> None:
    publish(network, link="comment")
    request = network.journal[-1]
    assert request.path == "/v2/socialActions/urn%3Ali%3Ashare%3A7243000000000000000/comments"
    assert "linkedin-version" not in request.headers
    assert json.loads(request.body) == {
        "actor": AUTHOR,
        "object": "urn:li:share:7243000000000000000",
        "message": {"text": LINK},
    }


def test_the_picture_stays_where_the_link_went_into_the_comment(network: FakeLinkedIn) -> None:
    publish(network, post(image=picture()), link="comment")
    ((urn, _),) = network.images.items()
    assert network.published[0].post["content"] == {"media": {"id": urn, "altText": "A pixel"}}
    assert list(network.comments.values()) == [[LINK]]


def test_what_a_dry_run_shows_includes_the_comment() -> None:
    request = adapter(link="comment").compose(post())
    assert isinstance(request, Request)
    assert [(one.hole, one.data) for one in request.uploads] == [("", LINK.encode())]
    assert request.whole


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault(fake.NO_COMMENT), "no first comment: 403 ACCESS_DENIED Not enough permissions"),
        (Fault(fake.COMMENT_THROTTLED), "no first comment: 429 Comment create throttled"),
        (Fault(fake.EXPIRED), "no first comment: 401 EXPIRED_ACCESS_TOKEN"),
        (Fault(Reply(500)), "no first comment: 500"),
        (Fault(then="close", apply=True), "look whether its first comment is there: the connection failed"),
    ],
)
def test_a_comment_that_fails_is_told_and_the_post_stays_a_success(
    network: FakeLinkedIn, fault: Fault, told: str
) -> None:
    network.fault(None, fault)
    found = publish(network, link="comment")
    assert isinstance(found, Receipt)
    assert found.id == network.published[0].urn
    assert found.status.startswith(f"201; {told}")
    assert len(network.journal) == 2


def test_a_post_that_was_there_already_is_not_commented_on_again(network: FakeLinkedIn) -> None:
    publish(network, link="comment")
    again = publish(network, link="comment")
    assert isinstance(again, Receipt)
    assert again.status.endswith("; look whether its first comment is there")
    assert list(network.comments.values()) == [[LINK]]


def test_a_post_without_an_id_cannot_be_commented_on(network: FakeLinkedIn) -> None:
    network.silent_about_id = True
    assert publish(network, link="comment") == Receipt(
        status="201; no first comment, since the post has no id that could be commented on"
    )


def test_a_post_that_was_refused_is_not_commented_on(network: FakeLinkedIn) -> None:
    network.fault(Fault(Reply(422, b'{"message": "no"}')))
    assert isinstance(publish(network, link="comment"), Refused)
    assert len(network.journal) == 1


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Text\n\nRead it:\nURL\n\n#AI", "Text\n\n#AI"),
        ("Text (URL) goes on", "Text (URL) goes on"),
        ("URL", ""),
        ("A\n\nURL\n\nB", "A\n\nB"),
    ],
)
def test_the_lines_that_only_hold_the_link_go(text: str, left: str) -> None:
    assert without_link(text.replace("URL", LINK), LINK, "") == left.replace("URL", LINK)


# -- corrections --------------------------------------------------------------------------------------------------


def corrected(network: FakeLinkedIn, urn: str, text: str, **options: Any) -> Outcome:
    linkedin = adapter(network, **options)
    with linkedin.open() as session:
        return linkedin.correct(session, urn, post(text))


def test_the_text_of_a_post_is_corrected_and_its_card_stays(network: FakeLinkedIn) -> None:
    first = publish(network, post("A tpyo"))
    assert isinstance(first, Receipt)
    card = network.published[0].post["content"]
    assert corrected(network, first.id, "A typo (mended) by Acme", mentions=NAMES) == replace(first, status="204")
    assert (network.published[0].text, network.published[0].post["content"]) == (
        f"A typo (mended) by @[Acme]({ACME})",
        card,
    )
    request = network.journal[-1]
    assert (request.method, request.headers["x-restli-method"]) == ("POST", "PARTIAL_UPDATE")
    assert request.path == "/rest/posts/urn%3Ali%3Ashare%3A7243000000000000000"
    assert json.loads(request.body) == {"patch": {"$set": {"commentary": f"A typo \\(mended\\) by @[Acme]({ACME})"}}}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(fake.EXPIRED), Paused),
        (Fault(fake.THROTTLED), Deferred),
        (Fault(Reply(500), apply=True), Unknown),
        (Fault(then="close", apply=True), Unknown),
    ],
)
def test_what_can_become_of_a_correction(network: FakeLinkedIn, fault: Fault, expected: type[Outcome]) -> None:
    first = publish(network)
    assert isinstance(first, Receipt)
    network.fault(fault)
    assert isinstance(corrected(network, first.id, "new"), expected)
    assert isinstance(corrected(network, first.id, "new"), Receipt)


def test_a_post_that_is_gone_cannot_be_corrected(network: FakeLinkedIn) -> None:
    assert corrected(network, "urn:li:share:1", "new") == Refused("404 RESOURCE_NOT_FOUND Post not found")


# -- the answers --------------------------------------------------------------------------------------------------


def test_the_same_post_again_is_answered_with_the_first_one(network: FakeLinkedIn) -> None:
    first, second = publish(network), publish(network)
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert (second.id, second.permalink) == (first.id, first.permalink)
    assert second.status == "422 DUPLICATE_POST: this very post is there already"
    assert len(network.published) == 1


def test_a_lost_answer_is_found_again_by_the_same_bytes(network: FakeLinkedIn) -> None:
    network.fault(Fault(then="close", apply=True))
    assert isinstance(publish(network), Unknown)
    assert publish(network) == Receipt(
        network.published[0].urn,
        f"https://www.linkedin.com/feed/update/{network.published[0].urn}/",
        "422 DUPLICATE_POST: this very post is there already",
    )


@pytest.mark.parametrize("message", ["Content is a duplicate of urn:li:person:1", "Content is a duplicate"])
def test_a_duplicate_of_nothing_we_know_is_a_refusal(network: FakeLinkedIn, message: str) -> None:
    network.fault(Fault(Reply(422, json.dumps({"message": message, "code": "DUPLICATE_POST"}).encode())))
    assert publish(network) == Refused(f"422 DUPLICATE_POST {message}")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (fake.EXPIRED, Paused),
        (fake.REVOKED, Paused),
        (fake.DENIED, Paused),
        (fake.CONFLICT, Deferred),
        (fake.UNAVAILABLE, Unknown),
        (fake.NOT_READY, Deferred),
        (Reply(400, fake.NOT_READY.body.replace(b"WAITING_UPLOAD", b"PROCESSING_FAILED")), Refused),
        (fake.VERSION_MISSING, Refused),
        (Reply(400, b"<html>"), Refused),
        (Reply(422, b'{"message": "no"}'), Refused),
        (Reply(200), Unknown),
    ],
)
def test_recorded_answers(network: FakeLinkedIn, reply: Reply, expected: type[Outcome]) -> None:
    network.fault(Fault(reply))
    assert isinstance(publish(network), expected)


def test_reasons_have_the_networks_own_words(network: FakeLinkedIn) -> None:
    network.fault(Fault(fake.EXPIRED))
    assert publish(network) == Paused(
        "401 EXPIRED_ACCESS_TOKEN The token used in the request has expired",
        "Sign in again: syndicate connect, with the account's name.",
    )


def test_too_long_is_refused_in_the_servers_count(network: FakeLinkedIn) -> None:
    found = publish(network, post("x" * 3001))
    assert isinstance(found, Refused)
    assert "(3001 characters) exceeded the maximum allowed (3000 characters)" in found.reason


def test_a_throttle_ends_at_midnight_utc(network: FakeLinkedIn) -> None:
    network.fault(Fault(Reply(429, fake.THROTTLED.body, {"Date": "Mon, 10 Mar 2025 21:30:00 GMT"})))
    found = publish(network)
    assert isinstance(found, Deferred)
    assert found.after == timedelta(hours=2, minutes=30)


def test_a_throttle_that_protects_the_infrastructure_ends_soon(network: FakeLinkedIn) -> None:
    network.fault(Fault(Reply(429, b'{"message": "Infrastructure protection", "status": 429}')))
    assert publish(network) == Deferred("429 Infrastructure protection", timedelta(minutes=5))


def test_a_version_that_has_ended_pauses_the_account(network: FakeLinkedIn) -> None:
    assert publish(network, version="202501") == Paused(
        "426 NONEXISTENT_VERSION Requested version 20250101 is not active (version 202501 ends on 2026-01-15)",
        "Set `version` of the account to 202609 or newer.",
    )


@pytest.mark.parametrize(
    ("version", "end"),
    [("202601", date(2027, 1, 15)), ("202609", date(2027, 9, 15)), ("202511", date(2026, 11, 16))],
)
def test_when_a_version_ends(version: str, end: date) -> None:
    assert sunset(version) == end


@pytest.mark.parametrize(
    "options",
    [
        {"version": "2026-09"},
        {"version": "202613"},
        {"author": "urn:li:person:"},
        {"author": "me"},
        {"base_url": "http://api.linkedin.com"},
        {"visibility": "FRIENDS"},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        adapter(**options)


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (date(2027, 8, 15), ()),
        (date(2027, 8, 16), ("API version 202609 ends on 2027-09-15, in 30 days. Set `version`",)),
        (date(2027, 9, 15), ("API version 202609 ends on 2027-09-15, in 0 days. Set `version`",)),
        (date(2027, 9, 16), ("API version 202609 has ended on 2027-09-15. Set `version`",)),
    ],
)
def test_the_end_of_a_version_is_told_a_month_ahead(today: date, told: tuple[str, ...]) -> None:
    warnings = adapter(version="202609").warnings(today)
    assert len(warnings) == len(told)
    assert all(warning.startswith(start) for warning, start in zip(warnings, told, strict=True))


def test_the_end_of_a_token_is_told_where_the_account_knows_it() -> None:
    (warning,) = adapter(version="202609", token_until="2026-12-24").warnings(date(2026, 12, 1))
    assert (
        warning
        == "the token ends on 2026-12-24, in 23 days. Sign in again: syndicate connect, with the account's name."
    )
    assert TOKEN not in warning
