"""LinkedIn: a post with a link card, through the Posts API.

https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, http
from syndicate.adapters.addresses import checked_url
from syndicate.errors import Unsupported
from syndicate.model import (
    Dedupe,
    Deferred,
    Message,
    Outcome,
    Paused,
    Payload,
    Post,
    Receipt,
    Refused,
    Request,
    TextRules,
    Unknown,
    Upload,
)

if TYPE_CHECKING:
    import requests

VERSION = "202609"  #: the API version that is asked for unless the account says otherwise
HOLE = "{{image}}"

# https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/little-text-format
RESERVED = "|{}@[]()<>#\\*_~"
_HASHTAG = r"(?P<hashtag>(?<!\S)#(?=\w*[^\W\d_]))"
_TO_ESCAPE = re.compile(f"{_HASHTAG}|[{re.escape(RESERVED)}]")
_URN = re.compile(r"urn:li:(?:share|ugcPost|activity):\d+")
_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif"})

_RECONNECT = "Sign in again: syndicate connect, with the account's name."


#: So long ahead it is said that something ends.
NOTICE = timedelta(days=30)


def sunset(version: str) -> date:
    """The last day of an API version: the 15th, a year after it came out; LinkedIn announced one exception.

    After it every call is answered 426. Raises ValueError for what is not YYYYMM.
    """
    if re.fullmatch(r"20\d\d(0[1-9]|1[0-2])", version) is None:
        raise ValueError(f"not a LinkedIn API version (YYYYMM): {version}")
    return _EXCEPTIONS.get(version, date(int(version[:4]) + 1, int(version[4:]), 15))


_EXCEPTIONS = {"202511": date(2026, 11, 16)}


def _version(value: str) -> str:
    sunset(value)
    return value


class LinkedInOptions(base.Options):
    """A member or a page that posts."""

    token: SecretStr = Field(description="access token with w_member_social or w_organization_social; lives 60 days")
    token_until: date | None = Field(
        default=None, description="last day of the token, 60 days after it was made; `status` warns before"
    )
    author: str = Field(
        pattern=r"^urn:li:(person|organization):[A-Za-z0-9_-]+$",
        description="who posts: urn:li:person:… or urn:li:organization:…",
    )
    version: Annotated[str, AfterValidator(_version)] = Field(
        default=VERSION, description="API version YYYYMM; each lives for a year"
    )
    visibility: Literal["PUBLIC", "CONNECTIONS", "LOGGED_IN"] = Field(default="PUBLIC", description="who sees the post")
    base_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://api.linkedin.com", description="another address of the API, for a proxy"
    )


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
    supports = frozenset({"post", "image"})
    options: LinkedInOptions

    def __init__(self, options: LinkedInOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        self._table = http.Table(
            accepted=_accepted,
            special={
                400: _bad_request,
                409: lambda answer: Deferred(_said(answer)),
                422: _unprocessable,
                426: self._sunset,
                429: self._throttled,
            },
            explain=_words,
            credentials=_RECONNECT,
        )

    def compose(self, message: Message) -> Request:
        """`POST /rest/posts`, with a hole for the picture. The API scrapes nothing, so the card is written out."""
        if not isinstance(message, Post):
            raise Unsupported("linkedin takes posts, not e-mail")
        if message.image and message.image.media_type not in _PICTURES:
            raise Unsupported(f"linkedin takes JPEG, PNG and GIF, not {message.image.media_type}")
        post: dict[str, Any] = {
            "author": self.options.author,
            "commentary": little_text(message.text),
            "visibility": self.options.visibility,
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": False,
        }
        content = _content(message)
        if content:
            post["content"] = content
        image = message.image
        uploads = (Upload(HOLE, image.data, image.media_type, image.alt),) if image else ()
        return Request("POST", self._url("/rest/posts"), _json(post), self._headers(), uploads)

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session."""
        return http.session()

    def prepare(self, session: requests.Session, payload: Payload) -> Payload | Outcome:
        """Uploads the picture, in one request as the API wants it, and fills the hole with its URN."""
        request = _request(payload)
        if not request.uploads:
            return request
        if HOLE in request.fills:
            return _filled(request, request.fills[HOLE])
        (upload,) = request.uploads
        wanted = {"initializeUploadRequest": {"owner": self.options.author}}
        begin = Request("POST", self._url("/rest/images?action=initializeUpload"), _json(wanted), self._headers())
        place = http.exchange(session, begin, self._credentials())
        value = place.json().get("value", {}) if isinstance(place, http.Answer) else {}
        urn, address = value.get("image"), value.get("uploadUrl")
        if not (isinstance(urn, str) and isinstance(address, str) and self._trusted(address)):
            return _harmless(http.sort(place, replace(self._table, accepted=_no_place), self._now))
        # The upload address is a capability of its own: the token does not travel to it.
        put = Request("PUT", address, upload.data, {"Content-Type": upload.media_type})
        outcome = http.sort(http.exchange(session, put, {}), self._table, self._now)
        return _filled(request, urn) if isinstance(outcome, Receipt) else _harmless(outcome)

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Publishes. A 422 that names an earlier post of the same content is that post's receipt."""
        return http.sort(http.exchange(session, _request(payload), self._credentials()), self._table, self._now)

    def warnings(self, today: date) -> tuple[str, ...]:
        """The end of the API version and of the token, a while ahead."""
        options = self.options
        found = (
            _ending(f"API version {options.version}", sunset(options.version), today, self._newer()),
            _ending("the token", options.token_until, today, _RECONNECT),
        )
        return tuple(filter(None, found))

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
        reason = f"{_said(answer)} (version {version} ends on {sunset(version):%Y-%m-%d})"
        return Paused(reason, self._newer())

    def _throttled(self, answer: http.Answer) -> Outcome:
        """429 has no Retry-After here. The limits are per day and end at midnight UTC, but for one that ends soon."""
        now = http.server_time(answer, self._now).astimezone(UTC)
        midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        soon = timedelta(minutes=5) if "infrastructure" in _words(answer).lower() else midnight - now
        return Deferred(_said(answer), http.retry_after(answer, self._now) or soon)


def little_text(text: str) -> str:
    """Commentary as the API reads it: every reserved character escaped but the `#` of a hashtag.

    One that is not escaped cuts the post off there, silently and with a 201.
    """
    return _TO_ESCAPE.sub(lambda match: match[0] if match["hashtag"] else f"\\{match[0]}", text)


def _content(post: Post) -> dict[str, Any]:
    """The link card, or the picture of a post without a link. Plain text here: an escape would be shown."""
    if post.url:
        card = {"source": post.url, "title": post.title, "description": post.description}
        if post.image:
            card["thumbnail"] = HOLE
        return {"article": {name: value for name, value in card.items() if value}}
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
    return replace(request, body=_json(post), uploads=(), fills={HOLE: urn})


def _json(value: Any) -> bytes:
    """Canonical: the same value gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _request(payload: Payload) -> Request:
    if not isinstance(payload, Request):
        raise TypeError(f"linkedin sends a Request, not {type(payload).__name__}")
    return payload


def _words(answer: http.Answer) -> str:
    """Code and message of an error; `errorDetails` is the newer envelope."""
    body = answer.json()
    details = body.get("errorDetails")
    errors = details.get("inputErrors") if isinstance(details, dict) else None
    inner = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return " ".join(str(part) for part in (body.get("code") or inner.get("code"), body.get("message")) if part)


def _said(answer: http.Answer) -> str:
    return http.said(answer, http.Table(explain=_words))


def _accepted(answer: http.Answer) -> Outcome:
    """201 is published even without an id: it is the only chance to learn the id, not a condition."""
    urn = answer.headers.get("x-restli-id") or answer.headers.get("x-linkedin-id", "")
    if answer.status == 201 or urn:
        return _receipt(urn, str(answer.status))
    return Unknown(f"{answer.status} instead of 201, and no id")


def _receipt(urn: str, status: str) -> Receipt:
    return Receipt(urn, f"https://www.linkedin.com/feed/update/{urn}/" if urn else "", status)


def _bad_request(answer: http.Answer) -> Outcome:
    """A picture that is not ready yet is the one 400 that time mends."""
    if "MEDIA_ASSET_WAITING_UPLOAD" in _words(answer):  # PROCESSING_FAILED stays so: a repeat shows the same picture
        return Deferred(_said(answer), timedelta(minutes=1))
    return Refused(_said(answer))


def _unprocessable(answer: http.Answer) -> Outcome:
    """A duplicate of a post is that post; the URN stands in the message only, and a person's does not count."""
    words = _words(answer)
    found = _URN.search(words)
    if found and ("DUPLICATE_POST" in words or "is a duplicate of" in words):
        return _receipt(found[0], "422 DUPLICATE_POST: this very post is there already")
    return Refused(_said(answer))


def _no_place(answer: http.Answer) -> Outcome:
    return Deferred(f"{answer.status}, but no address to upload the picture to")


def _harmless(outcome: Outcome) -> Outcome:
    """An upload without an answer leaves no doubt: nothing of it is public, and it may happen twice."""
    return Deferred(outcome.reason) if isinstance(outcome, Unknown) else outcome


def _ending(what: str, end: date | None, today: date, hint: str) -> str:
    """A warning of what ends on a day: from `NOTICE` on, and after it; empty before, and where nothing is known."""
    if end is None or end - today > NOTICE:
        return ""
    when = f"ends on {end}, in {(end - today).days} days" if end >= today else f"has ended on {end}"
    return f"{what} {when}. {hint}"
