"""LinkedIn: a post with a link card, or with the link as its first comment, through the Posts API.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from syndicate.adapters import base, bodies, http
from syndicate.adapters import linkedin_answers as answers
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.linkedin_answers import sunset
from syndicate.adapters.linkedin_text import RESERVED, Place, cost, little_text, named, without_link
from syndicate.adapters.signin import SignIn, SignInOptions
from syndicate.model import (
    Dedupe,
    Message,
    Outcome,
    Paused,
    Payload,
    PictureRules,
    Post,
    Receipt,
    Request,
    TextRules,
    Upload,
)

if TYPE_CHECKING:
    import requests

VERSION = "202609"  #: the API version that is asked for unless the account says otherwise
HOLE = "{{image}}"
#: Stands in the uploads for the first comment, which fills no hole: it is sent after the post.
COMMENT = "text/plain; charset=utf-8"
_RECONNECT = "Sign in again: syndicate connect, with the account's name."
#: So long ahead it is said that something ends.
NOTICE = timedelta(days=30)


def _version(value: str) -> str:
    sunset(value)
    return value


Urn = Annotated[str, StringConstraints(pattern=r"^urn:li:(person|organization):[A-Za-z0-9_-]+$")]


class LinkedInOptions(SignInOptions):
    """A member or a page that posts."""

    token: SecretStr = Field(description="access token with w_member_social or w_organization_social; lives 60 days")
    token_until: date | None = Field(
        default=None, description="last day of the token, 60 days after it was made; `status` warns before"
    )
    author: Urn = Field(
        description="who posts: urn:li:person:… (that of who signs in, unless it is set) or urn:li:organization:…"
    )
    version: Annotated[str, AfterValidator(_version)] = Field(
        default=VERSION, description="API version YYYYMM; each lives for a year"
    )
    visibility: Literal["PUBLIC", "CONNECTIONS", "LOGGED_IN"] = Field(default="PUBLIC", description="who sees the post")
    link: Literal["card", "comment"] = Field(
        default="card", description="where the link goes: into a card under the text, or into the first comment"
    )
    link_note: str = Field(
        default="", max_length=200, description="with `link: comment`, in the place of the link in the text"
    )
    mentions: dict[str, Urn] = Field(
        default={}, description="name, exactly as at LinkedIn -> urn:li:…; where a text first names it, it is a mention"
    )
    page: str = Field(default="", description="the one of `mentions` that is the publication's own page")
    base_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://api.linkedin.com", description="another address of the API, for a proxy"
    )
    login_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://www.linkedin.com/oauth/v2", description="where you agree, and get a token, for a proxy"
    )

    @model_validator(mode="after")
    def _page_is_known(self) -> LinkedInOptions:
        if self.page and self.page not in self.mentions:
            raise ValueError("`page` has to be one of the names in `mentions`")
        return self


class LinkedIn(base.Adapter):
    """Posts as a member or a page."""

    name = "linkedin"
    Options = LinkedInOptions
    # 3,000 as the server itself counts and says; whether a backslash counts is disputed, so it does.
    # The feed folds after three lines.
    rules = TextRules(
        max_length=3000, unit="utf16", escaped=RESERVED, max_hashtags=5, fold_lines=3, fold_phone=45, fold_desktop=70
    )
    # There is no key, but a byte-identical post is answered 422 with the name of the first one.
    dedupe = Dedupe(repeat=timedelta(days=1))
    # The card is 1.91:1; JPG, PNG and GIF of at most 36,152,320 pixels (Images API).
    pictures = PictureRules(max_pixels=36_152_320, max_side=2400, ratio=1.91, max_alt=4086)
    supports = frozenset({"post", "image"})
    corrects = True
    granted = ("token", "author")
    options: LinkedInOptions

    def __init__(self, options: LinkedInOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        costs = tuple((name, cost(name, urn)) for name, urn in options.mentions.items())
        self.rules = replace(type(self).rules, named=costs)
        self._table = http.Table(
            accepted=answers.accepted,
            special={
                400: answers.bad_request,
                409: answers.conflict,
                422: answers.unprocessable,
                426: self._sunset,
                429: lambda answer: answers.throttled(answer, self._now),
            },
            explain=answers.words,
            credentials=_RECONNECT,
        )

    def compose(self, message: Message) -> Request:
        """`POST /rest/posts`, with a hole for the picture. The API scrapes nothing, so the card is written out."""
        message = bodies.post_of(message, self)
        post: dict[str, Any] = {
            "author": self.options.author,
            "commentary": self._commentary(message),
            "visibility": self.options.visibility,
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        content = _content(message, card=self.options.link == "card")
        if content:
            post["content"] = content
        image = message.image
        uploads = [Upload(HOLE, image.data, image.media_type, image.alt)] if image else []
        if self.options.link == "comment" and message.url:
            uploads.append(Upload("", message.url.encode(), COMMENT))
        return Request("POST", self._url("/rest/posts"), bodies.canonical(post), self._headers(), tuple(uploads))

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session."""
        return http.session()

    def prepare(self, session: requests.Session, payload: Payload) -> Payload | Outcome:
        """Uploads the picture, in one request as the API wants it, and fills the hole with its URN."""
        request = bodies.request_of(payload)
        upload = next((one for one in request.uploads if one.hole), None)
        if upload is None:
            return request
        if HOLE in request.fills:
            return _filled(request, request.fills[HOLE])
        wanted = {"initializeUploadRequest": {"owner": self.options.author}}
        url = self._url("/rest/images?action=initializeUpload")
        begin = Request("POST", url, bodies.canonical(wanted), self._headers())
        place = http.exchange(session, begin, self._credentials())
        value = place.json().get("value", {}) if isinstance(place, http.Answer) else {}
        urn, address = value.get("image"), value.get("uploadUrl")
        if not (isinstance(urn, str) and isinstance(address, str) and self._trusted(address)):
            return bodies.harmless(http.sort(place, replace(self._table, accepted=answers.no_place), self._now))
        # The upload address is a capability of its own: the token does not travel to it.
        put = Request("PUT", address, upload.data, {"Content-Type": upload.media_type})
        outcome = http.sort(http.exchange(session, put, {}), self._table, self._now)
        return _filled(request, urn) if isinstance(outcome, Receipt) else bodies.harmless(outcome)

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Publishes. A 422 that names an earlier post of the same content is that post's receipt.

        What became of the first comment stands in the receipt's status, and changes nothing about the post.
        """
        request = bodies.request_of(payload)
        outcome = http.sort(http.exchange(session, request, self._credentials()), self._table, self._now)
        comment = next((one for one in request.uploads if not one.hole), None)
        if comment is None or not isinstance(outcome, Receipt):
            return outcome
        return replace(outcome, status=f"{outcome.status}; {self._comment(session, outcome, comment.data.decode())}")

    def correct(self, session: requests.Session, number: str, message: Message) -> Outcome:
        """PARTIAL_UPDATE: the text alone, since the API changes neither card nor picture."""
        body = bodies.canonical({"patch": {"$set": {"commentary": self._commentary(bodies.post_of(message, self))}}})
        headers = {**self._headers(), "X-RestLi-Method": "PARTIAL_UPDATE"}
        request = Request("POST", self._url(f"/rest/posts/{quote(number, safe='')}"), body, headers)
        table = replace(self._table, accepted=lambda answer: answers.receipt(number, str(answer.status)))
        return http.sort(http.exchange(session, request, self._credentials()), table, self._now)

    def signin(self) -> SignIn:
        """A member signs in by OpenID Connect; a page is posted to by an application of its own product.

        Only what is needed is asked for: an application that lacks one scope of a list is given none.
        https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow
        """
        page = self.options.author.startswith("urn:li:organization:")
        root = self.options.login_url.rstrip("/")
        return SignIn(
            page=f"{root}/authorization",
            tokens=f"{root}/accessToken",
            scopes=("w_organization_social",) if page else ("openid", "profile", "w_member_social"),
            client_id=self.options.client_id,
            client_secret=self.options.client_secret.get_secret_value(),
            redirect=self.options.redirect,
            whoami="" if page else self._url("/v2/userinfo"),
            options={} if page else {"author": "urn:li:person:{sub}"},
            called="" if page else "{name}",
        )

    def warnings(self, today: date) -> tuple[str, ...]:
        """The end of the API version and of the token, a while ahead."""
        options = self.options
        found = (
            _ending(f"API version {options.version}", sunset(options.version), today, self._newer()),
            _ending("the token", options.token_until, today, _RECONNECT),
        )
        return tuple(filter(None, found))

    def _commentary(self, post: Post) -> str:
        """The text with its mentions; without them where they would make it too long."""
        text = post.text
        if self.options.link == "comment" and post.url:
            text = without_link(text, post.url, self.options.link_note)
        places = named(text, self.options.mentions, list(self._own(post, text)))
        written = little_text(text, places)
        return written if len(written.encode("utf-16-le")) // 2 <= self.rules.max_length else little_text(text)

    def _own(self, post: Post, text: str) -> Iterator[Place]:
        """Where `text`, which may have lost lines, names the publication's own page."""
        page = self.options.page
        for one in post.mentions if page else ():
            words = post.text[one.start : one.end]
            start = one.start if text == post.text else text.find(words)
            if start >= 0:
                yield Place(start, start + len(words), page, self.options.mentions[page])

    def _comment(self, session: requests.Session, post: Receipt, text: str) -> str:
        """Makes the first comment, once, and says what became of it; there is no way to ask whether it is there.

        `/rest/socialActions` answers 403 to the applications of most; the unversioned address takes the same token.
        """
        if post.status.startswith(answers.ADOPTED):
            return "look whether its first comment is there"
        if not post.id:
            return "no first comment, since the post has no id that could be commented on"
        body = {"actor": self.options.author, "object": post.id, "message": {"text": text}}
        url = self._url(f"/v2/socialActions/{quote(post.id, safe='')}/comments")
        headers = {name: value for name, value in self._headers().items() if name != "LinkedIn-Version"}
        answer = http.exchange(session, Request("POST", url, bodies.canonical(body), headers), self._credentials())
        if isinstance(answer, http.Broken):
            return (
                f"{'look whether its first comment is there' if answer.sent else 'no first comment'}: {answer.reason}"
            )
        if answer.status == 201:
            return "with its first comment"
        return f"no first comment: {answers.said(answer)}"

    def _newer(self) -> str:
        return f"Set `version` of the account to {VERSION} or newer."

    def _url(self, path: str) -> str:
        return self.options.base_url.rstrip("/") + path

    def _headers(self) -> Mapping[str, str]:
        return {
            "Content-Type": "application/json",
            "LinkedIn-Version": self.options.version,
            "X-Restli-Protocol-Version": "2.0.0",
        }

    def _credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.options.token.get_secret_value()}"}

    def _trusted(self, address: str) -> bool:
        """Whether an upload may go there: LinkedIn over https, or the proxy that the account names."""
        place, ours = urlsplit(address), urlsplit(self.options.base_url)
        host = place.hostname or ""
        at_linkedin = place.scheme == "https" and (host == "linkedin.com" or host.endswith(".linkedin.com"))
        return at_linkedin or (place.scheme, place.netloc) == (ours.scheme, ours.netloc)

    def _sunset(self, answer: http.Answer) -> Outcome:
        version = self.options.version
        reason = f"{answers.said(answer)} (version {version} ends on {sunset(version):%Y-%m-%d})"
        return Paused(reason, self._newer())


def _content(post: Post, *, card: bool) -> dict[str, Any]:
    """The link card, or the picture of a post without one. Plain text here: an escape would be shown."""
    if post.url and card:
        found = {"source": post.url, "title": post.title, "description": post.description}
        if post.image:
            found["thumbnail"] = HOLE
        return {"article": {name: value for name, value in found.items() if value}}
    if post.image:
        return {"media": {name: value for name, value in {"id": HOLE, "altText": post.image.alt}.items() if value}}
    return {}


def _filled(request: Request, urn: str) -> Request:
    """The request with the picture's URN in its hole: found by its place, since a title may read like a hole."""
    post = json.loads(request.body)
    content = post["content"]
    if "article" in content:
        content["article"]["thumbnail"] = urn
    else:
        content["media"]["id"] = urn
    rest = tuple(one for one in request.uploads if not one.hole)
    return replace(request, body=bodies.canonical(post), uploads=rest, fills={HOLE: urn})


def _ending(what: str, end: date | None, today: date, hint: str) -> str:
    """A warning of what ends on a day: from `NOTICE` on, and after it; empty before, and where nothing is known."""
    if end is None or end - today > NOTICE:
        return ""
    when = f"ends on {end}, in {(end - today).days} days" if end >= today else f"has ended on {end}"
    return f"{what} {when}. {hint}"
