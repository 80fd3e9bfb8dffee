"""Bluesky: a record written to a place that is a function of the edition, so that a repeat changes nothing.

https://docs.bsky.app/docs/advanced-guides/posts and the lexicons of com.atproto.repo and app.bsky.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, bodies, http, thread
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.bluesky_record import LONGEST_LINK, answer, blob, record, tid
from syndicate.errors import Unsupported
from syndicate.model import (
    Dedupe,
    Deferred,
    Image,
    Message,
    Outcome,
    Payload,
    PictureRules,
    Receipt,
    Refused,
    Request,
    TextRules,
    Unknown,
    Upload,
)

if TYPE_CHECKING:
    import requests

# An access token lives for two hours. A new one is asked for before; a server that sees it otherwise says so.
FRESH = timedelta(minutes=90)


class BlueskyOptions(base.Options):
    """An account, by app password."""

    handle: str = Field(
        pattern=r"^(did:[a-z]+:\S+|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$",
        description="who posts: name.bsky.social, or a DID",
    )
    password: SecretStr = Field(description="an app password, made in the settings; not the account's own")
    service: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://bsky.social", description="address of the account's server"
    )


@dataclass(frozen=True, slots=True)
class _Tokens:
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    until: datetime


class Bluesky(base.Adapter):
    """Posts to one account's repository."""

    name = "bluesky"
    Options = BlueskyOptions
    rules = TextRules(max_length=300, max_bytes=3000, unit="grapheme", link_length=LONGEST_LINK, max_hashtags=3)
    # An identical record at the same place is answered with the first one, for ever.
    dedupe = Dedupe(repeat=timedelta(days=3650))
    # app.bsky.embed.external; a picture of its own might have twice the bytes
    pictures = PictureRules(max_bytes=1_000_000, max_side=2000, ratio=1.91, max_alt=2000)
    supports = frozenset({"post", "image", "thread"})
    options: BlueskyOptions

    def __init__(self, options: BlueskyOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        self._lock = Lock()
        # Kept from one session to the next: a server lets an account sign in 300 times a day.
        self._tokens: _Tokens | None = None
        self._table = http.Table(
            accepted=_accepted,
            special={400: self._bad_request},
            explain=_words,
            reset="ratelimit-reset",
            credentials="Make a new app password and set it as `password`.",
        )

    def compose(self, message: Message) -> Request:
        """`putRecord` that creates only (`swapRecord: null`). The picture's name is a hash, so there is no hole."""
        post = bodies.post_of(message, self)
        if post.date is None:
            raise Unsupported("bluesky dates a post, and this one has no date")
        image = post.image
        moments = [post.date + timedelta(milliseconds=number) for number in range(1 + len(post.then))]
        answers = (answer(post.language, *each) for each in zip(post.then, moments[1:], strict=True))
        places = (tid(moment, post.edition) for moment in moments)
        first, *others = map(self._put, places, (record(post, post.date), *answers))
        uploads = (Upload("", image.data, image.media_type, image.alt),) if image else ()
        return replace(first, uploads=uploads, then=tuple(others))

    def _put(self, place: str, record: Mapping[str, Any]) -> Request:
        body = {
            "repo": self.options.handle,
            "collection": "app.bsky.feed.post",
            "rkey": place,
            "record": record,
            "swapRecord": None,
        }
        return Request("POST", self._url("com.atproto.repo.putRecord"), bodies.canonical(body), bodies.JSON)

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session; the account is signed in to with the first call."""
        return http.session()

    def prepare(self, session: requests.Session, payload: Payload) -> Payload | Outcome:
        """Uploads the picture right before the record: what no record refers to is soon thrown away."""
        request = bodies.request_of(payload)
        for upload in request.uploads:
            kind = {"Content-Type": upload.media_type}
            answer = self._call(session, Request("POST", self._url("com.atproto.repo.uploadBlob"), upload.data, kind))
            if isinstance(answer, http.Answer) and answer.status == 200:
                if answer.json().get("blob") != blob(Image(upload.data, upload.media_type)):
                    return Refused("the server keeps the picture as something else than it is")
            else:
                return bodies.harmless(self._sorted(answer))
        return request

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Writes the record, and those of a thread. An identical one at its place is no change, and answered alike."""
        written: list[Mapping[str, Any]] = []

        def post(part: Request, before: Sequence[Receipt]) -> Outcome:
            found = self._call(session, _answering(part, written) if before else part)
            outcome = self._sorted(found)
            if isinstance(outcome, Receipt) and isinstance(found, http.Answer):
                written.append({name: found.json().get(name) for name in ("uri", "cid")})
            return outcome

        return thread.in_turn(bodies.request_of(payload), post)

    def _call(self, session: requests.Session, request: Request) -> http.Answer | http.Broken | Outcome:
        """One call as the account; an outcome where it cannot be signed in to."""
        tokens = self._sign_in(session)
        return http.exchange(session, request, _bearer(tokens.access)) if isinstance(tokens, _Tokens) else tokens

    def _sign_in(self, session: requests.Session) -> _Tokens | Outcome:
        """The tokens at hand, renewed ones, or those of a new sign-in."""
        with self._lock:
            if self._tokens and self._now() >= self._tokens.until:
                renew = Request("POST", self._url("com.atproto.server.refreshSession"), b"")
                self._tokens = self._issued(http.exchange(session, renew, _bearer(self._tokens.refresh)))
            if self._tokens:
                return self._tokens
            who = {"identifier": self.options.handle, "password": self.options.password.get_secret_value()}
            create = Request("POST", self._url("com.atproto.server.createSession"), bodies.canonical(who), bodies.JSON)
            answer = http.exchange(session, create, {})
            self._tokens = self._issued(answer)
            return self._tokens or bodies.harmless(self._sorted(answer))

    def _issued(self, answer: http.Answer | http.Broken) -> _Tokens | None:
        found = answer.json() if isinstance(answer, http.Answer) and answer.status == 200 else {}
        access, refresh = found.get("accessJwt"), found.get("refreshJwt")
        if isinstance(access, str) and isinstance(refresh, str):
            return _Tokens(access, refresh, self._now() + FRESH)
        return None

    def _sorted(self, answer: http.Answer | http.Broken | Outcome) -> Outcome:
        return http.sort(answer, self._table, self._now) if isinstance(answer, http.Answer | http.Broken) else answer

    def _url(self, method: str) -> str:
        return f"{self.options.service.rstrip('/')}/xrpc/{method}"

    def _bad_request(self, answer: http.Answer) -> Outcome:
        said = http.said(answer, self._table)
        match answer.json().get("error"):
            case "ExpiredToken" | "InvalidToken":  # the next attempt signs in
                self._tokens = None
                return Deferred(said)
            case "BlobNotFound":  # the next attempt uploads it
                return Deferred(said)
            case "InvalidSwap":
                return Refused(f"{said}: another text has been posted as this edition")
        return Refused(said)


def _answering(request: Request, written: Sequence[Mapping[str, Any]]) -> Request:
    """The record as an answer to the last one, in the thread of the first: a reference has address and hash."""
    body = json.loads(request.body)
    body["record"]["reply"] = {"root": written[0], "parent": written[-1]}
    return replace(request, body=bodies.canonical(body))


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _words(answer: http.Answer) -> str:
    body = answer.json()
    return " ".join(str(body[name]) for name in ("error", "message") if body.get(name))


def _accepted(answer: http.Answer) -> Outcome:
    found = re.fullmatch(r"at://([^/]+)/app\.bsky\.feed\.post/([^/]+)", str(answer.json().get("uri", "")))
    if not found:
        return Unknown(f"{answer.status}, but no address of the post")
    return Receipt(found[0], f"https://bsky.app/profile/{found[1]}/post/{found[2]}", str(answer.status))
