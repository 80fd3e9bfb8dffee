"""Mastodon, and servers that speak its API: a status with the article's picture, or a thread of them.

https://docs.joinmastodon.org/methods/statuses/#create
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from html import unescape
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, bodies, http, thread
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.signin import SignIn, SignInOptions, checked_redirect
from syndicate.errors import Unsupported
from syndicate.model import (
    Dedupe,
    Deferred,
    Message,
    Outcome,
    Paused,
    Payload,
    PictureRules,
    Post,
    Receipt,
    Refused,
    Request,
    TextRules,
    Unknown,
    Upload,
)
from syndicate.model.links import URL

if TYPE_CHECKING:
    import requests

HOLE, PARENT = "{{image}}", "{{parent}}"
#: Statuses on a page of an account's own, and pages that are looked through for a lost one.
PAGE, PAGES = 40, 5
#: No part of a thread is begun later than this after the first: the keys of all must still live when they are repeated.
SPELL = timedelta(minutes=4)


class MastodonOptions(SignInOptions):
    """An account on one server."""

    server: Annotated[str, AfterValidator(checked_url)] = Field(description="address of the server, https://…")
    token: SecretStr = Field(
        description="access token: write:statuses, write:media, and to find a lost post read:accounts, read:statuses"
    )
    visibility: Literal["public", "unlisted", "private"] = Field(default="public", description="who sees the post")
    max_characters: int = Field(
        default=500, ge=50, description="what the server takes: `max_characters` at SERVER/api/v2/instance"
    )
    link_characters: int = Field(
        default=23, ge=1, description="what a link counts: `characters_reserved_per_url` at the same place"
    )
    redirect: Annotated[str, AfterValidator(checked_redirect)] = Field(
        default="http://127.0.0.1/",
        description="where the server sends you back to after a sign-in; without a port any free one",
    )


class Mastodon(base.Adapter):
    """Posts statuses."""

    name = "mastodon"
    Options = MastodonOptions
    rules = TextRules(max_length=500, unit="grapheme", link_length=23, max_hashtags=4, notifies=True)
    # A key lives for an hour from when the server has stored it; ten minutes are for clocks and for what was under way.
    dedupe = Dedupe(repeat=timedelta(minutes=50), lookup=True)
    pictures = PictureRules(max_bytes=16_000_000, max_pixels=33_177_600, max_alt=1500)
    supports = frozenset({"post", "image", "thread"})
    granted = ("token",)
    options: MastodonOptions

    def __init__(self, options: MastodonOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        self.rules = replace(type(self).rules, max_length=options.max_characters, link_length=options.link_characters)
        self._table = http.Table(
            accepted=_accepted,
            special={
                404: lambda answer: Paused(http.said(answer, WORDS), "Check `server`: no Mastodon is there."),
                422: _unprocessable,
            },
            explain=_words,
            reset="x-ratelimit-reset",
            credentials="Sign in again: syndicate connect, with the account's name; or make a new token and set it.",
        )

    def compose(self, message: Message) -> Request:
        """`POST /api/v1/statuses`, with a hole for the picture. The server makes the link card itself."""
        post = bodies.post_of(message, self)
        image = post.image
        first = self._status(post, post.text, {"media_ids": [HOLE]} if image else {})
        uploads = (Upload(HOLE, image.data, image.media_type, image.alt),) if image else ()
        answers = tuple(self._status(post, text, {"in_reply_to_id": PARENT}) for text in post.then)
        return replace(first, uploads=uploads, then=answers)

    def _status(self, post: Post, text: str, more: Mapping[str, Any]) -> Request:
        language = post.language.partition("-")[0]  # ISO 639-1
        status = {"status": text, "visibility": self.options.visibility, "language": language, **more}
        return Request("POST", self._url("/api/v1/statuses"), bodies.canonical(status), bodies.JSON)

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session."""
        return http.session()

    def prepare(self, session: requests.Session, payload: Payload) -> Payload | Outcome:
        """Uploads the picture with its alt text. One that is still being processed (202) is waited for by `send`."""
        request = bodies.request_of(payload)
        if not request.uploads:
            return request
        if HOLE in request.fills:
            return _with_picture(request, request.fills[HOLE])
        (upload,) = request.uploads
        body, kind = bodies.multipart({"description": upload.alt} if upload.alt else {}, "file", upload)
        media = Request("POST", self._url("/api/v2/media"), body, {"Content-Type": kind})
        outcome = http.sort(http.exchange(session, media, self._credentials()), self._table, self._now)
        return _with_picture(request, outcome.id) if isinstance(outcome, Receipt) else bodies.harmless(outcome)

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Posts. For an hour the server answers the same key with the first status, whatever the body says."""
        begun = self._now()

        def post(part: Request, before: Sequence[Receipt]) -> Outcome:
            if self._now() - begun > SPELL:
                return Deferred("the server is too slow for the rest now")
            name = f"{key} part {len(before) + 1}" if before else key
            headers = {**self._credentials(), "Idempotency-Key": sha256(name.encode()).hexdigest()}
            part = _filled(part, {"in_reply_to_id": before[-1].id}) if before else part
            return http.sort(http.exchange(session, part, headers), self._table, self._now)

        return thread.in_turn(bodies.request_of(payload), post)

    def find(self, session: requests.Session, payload: Payload, key: str) -> Receipt | None:
        """Looks for the status among the account's own, newest first. Raises `Unsupported` where that decides nothing:
        the link is there in other words, a thread is there in part, or not all statuses could be read.
        """
        request = bodies.request_of(payload)
        texts = [str(json.loads(part.body)["status"]) for part in (request, *request.then)]
        missing = Counter(map(_squeezed, texts))
        links = [match[0] for match in URL.finditer(texts[0])]
        for status in self._own(session):
            shown = unescape(re.sub(r"<[^>]+>", "", str(status.get("content"))))
            if missing[_squeezed(shown)]:
                missing[_squeezed(shown)] -= 1
                if not missing.total():
                    found = "found among the account's statuses"
                    return Receipt(str(status["id"]), str(status.get("url") or ""), found)
            elif not links or all(link in shown for link in links):
                raise Unsupported("there is a status with this link, in other words")
        if there := len(texts) - missing.total():
            raise Unsupported(f"{there} of {len(texts)} posts of the thread are there")
        return None

    def _own(self, session: requests.Session) -> Iterator[Mapping[str, Any]]:
        """The account's own statuses; raises `Unsupported` instead of an end that is none."""
        account = self._get(session, "/api/v1/accounts/verify_credentials")
        older = ""
        for _ in range(PAGES):
            path = f"/api/v1/accounts/{account['id']}/statuses?limit={PAGE}&exclude_reblogs=true{older}"
            page = self._get(session, path)
            yield from page
            if not page:
                return
            older = f"&max_id={page[-1]['id']}"
        raise Unsupported("the account has too many statuses to say that this one is not among them")

    def _get(self, session: requests.Session, path: str) -> Any:
        answer = http.exchange(session, Request("GET", self._url(path), b""), self._credentials())
        if not isinstance(answer, http.Answer) or answer.status != 200:
            raise Unsupported("the server does not say what it has")
        return json.loads(answer.body)

    def signin(self) -> SignIn:
        """At the server, as an application that it registers by itself. https://docs.joinmastodon.org/methods/oauth/"""
        return SignIn(
            page=self._url("/oauth/authorize"),
            tokens=self._url("/oauth/token"),
            register=self._url("/api/v1/apps"),
            scopes=("read:accounts", "read:statuses", "write:statuses", "write:media"),
            client_id=self.options.client_id,
            client_secret=self.options.client_secret.get_secret_value(),
            redirect=self.options.redirect,
            pkce=True,  # from 4.3 on; earlier servers read past it
            whoami=self._url("/api/v1/accounts/verify_credentials"),
            called="@{acct}",
        )

    def _url(self, path: str) -> str:
        return self.options.server.rstrip("/") + path

    def _credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.options.token.get_secret_value()}"}


def _filled(request: Request, ids: Mapping[str, Any]) -> Request:
    """The request with ids in its holes: found by their place, since a text may read like a hole."""
    return replace(request, body=bodies.canonical(json.loads(request.body) | ids))


def _with_picture(request: Request, media: str) -> Request:
    return replace(_filled(request, {"media_ids": [media]}), uploads=(), fills={HOLE: media})


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _words(answer: http.Answer) -> str:
    return str(answer.json().get("error", ""))


WORDS = http.Table(explain=_words)


def _accepted(answer: http.Answer) -> Outcome:
    body = answer.json()
    if not body.get("id"):
        return Unknown(f"{answer.status}, but no id")
    return Receipt(str(body["id"]), str(body.get("url") or ""), str(answer.status))


def _unprocessable(answer: http.Answer) -> Outcome:
    """A picture that is still being processed is the one 422 that time mends."""
    if "not finished processing" in _words(answer):
        return Deferred(http.said(answer, WORDS), timedelta(seconds=10))
    return Refused(http.said(answer, WORDS))
