"""A Mastodon server that answers as its documentation says, and forgets idempotency keys as it does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any, ClassVar

import regex

from syndicate.testing.http import FakeNetwork, Received, Reply
from syndicate.testing.oauth import Authority, answered, form_of

TOKEN = "mastodon-token-of-the-tests"
RESET = "2026-11-22T02:00:00.000000Z"

# Bodies of docs.joinmastodon.org.
INVALID = Reply(401, b'{"error":"The access token is invalid"}')
SCOPE = Reply(403, b'{"error":"This action is outside the authorized scopes"}')
DISABLED = Reply(403, b'{"error":"Your login is currently disabled"}')
NOT_FOUND = Reply(404, b'{"error":"Record not found"}')
NO_PARENT = Reply(404, b'{"error":"The post you are trying to reply to does not appear to exist."}')
BLANK = Reply(422, b'{"error":"Validation failed: Text can\'t be blank"}')
TOO_LONG = Reply(422, b'{"error":"Validation failed: Text character limit of 500 exceeded"}')
BAD_FILE = Reply(422, b'{"error":"Validation failed: File content type is invalid, File is invalid"}')
PROCESSING = Reply(422, b'{"error":"Cannot attach files that have not finished processing. Try again in a moment!"}')
THROTTLED = Reply(
    429,
    b'{"error":"Too many requests"}',
    {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET},
)
THUMBNAIL = Reply(500, b'{"error":"Error processing thumbnail for uploaded media"}')
UNAVAILABLE = Reply(503, b"<html><title>We're sorry, but something went wrong (500)</title></html>")

# Of the documentation of /oauth/token.
TOKEN_ERRORS = {
    "invalid_client": Reply(
        401,
        b'{"error":"invalid_client","error_description":"Client authentication failed due to unknown client, no client '
        b'authentication included, or unsupported authentication method."}',
    ),
    "invalid_grant": Reply(
        400,
        b'{"error":"invalid_grant","error_description":"The provided authorization grant is invalid, expired, revoked, '
        b'does not match the redirection URI used in the authorization request, or was issued to another client."}',
    ),
}

_LINK = re.compile(r"https?://[^\s<]+[^\s<.,]")


@dataclass(frozen=True, slots=True)
class Status:
    """A status that people can see."""

    id: str
    text: str
    #: the whole request body
    params: dict[str, Any]


class FakeMastodon(FakeNetwork):
    """The API of one account."""

    option = "server"
    credentials: ClassVar = {"token": TOKEN}

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self.statuses: list[Status] = []
        #: id -> (bytes of the form, how many more posts find it unfinished)
        self.media: dict[str, tuple[bytes, int]] = {}
        #: a picture is finished only after so many attempts to attach it
        self.pending = 0
        #: keys are not remembered, as while the server's Redis is down
        self.redis_down = False
        #: applications have to register first
        self.authority = Authority(TOKEN, pkce=True, clients={})
        self._clock = clock
        self._keys: dict[str, tuple[datetime, Status]] = {}

    def handle(self, request: Received) -> Reply:
        """Statuses, media, and what the account has."""
        if signing := self._sign_in(request):
            return signing
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.authority.valid:
            return INVALID
        match request.method, request.path.partition("?")[0]:
            case "POST", "/api/v1/statuses":
                return self._post(request)
            case "POST", "/api/v2/media":
                return self._upload(request)
            case "GET", "/api/v1/accounts/verify_credentials":
                return _json(200, {"id": "23634", "username": "Gargron", "acct": "Gargron"})
            case "GET", "/api/v1/accounts/23634/statuses":
                return self._own(request.path)
        return NOT_FOUND

    def _sign_in(self, request: Received) -> Reply | None:
        match request.method, request.path.partition("?")[0]:
            case "POST", "/api/v1/apps":
                return self._register(form_of(request))
            case "GET", "/oauth/authorize":
                return self.authority.page(request)
            case "POST", "/oauth/token":
                return answered(self.authority.tokens(request), TOKEN_ERRORS)
        return None

    def _register(self, form: dict[str, str]) -> Reply:
        name, secret = f"client-{len(self.authority.clients)}-of-the-tests", "registered-secret-of-the-tests"
        self.authority.clients[name] = secret
        app = {"id": "563419", "name": form["client_name"], "website": None, "redirect_uri": form["redirect_uris"]}
        return _json(200, {**app, "client_id": name, "client_secret": secret})

    def _post(self, request: Received) -> Reply:
        key = request.headers.get("idempotency-key", "")
        since, first = self._keys.get(key, (None, None))
        if since and first and self._clock() - since < timedelta(hours=1) and not self.redis_down:
            return self._shown(first)
        params = json.loads(request.body)
        if not params["status"].strip():
            return BLANK
        if len(regex.findall(r"\X", _LINK.sub("x" * 23, params["status"]))) > 500:
            return TOO_LONG
        if params.get("in_reply_to_id", "0") not in {"0", *(one.id for one in self.statuses)}:
            return NO_PARENT
        if refusal := self._attach(params.get("media_ids", [])):
            return refusal
        status = Status(str(103254962155278888 + len(self.statuses)), params["status"], params)
        self.statuses.append(status)
        self._keys[key] = (self._clock(), status)
        return self._shown(status)

    def _attach(self, ids: list[str]) -> Reply | None:
        for media in ids:
            if media not in self.media:
                return Reply(422, b'{"error":"Validation failed: Media not found"}')
            data, pending = self.media[media]
            self.media[media] = (data, pending - 1)
            if pending > 0:
                return PROCESSING
        return None

    def _upload(self, request: Received) -> Reply:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return BAD_FILE
        media = str(22348641 + len(self.media))
        self.media[media] = (request.body, self.pending)
        place = None if self.pending else f"https://files.mastodon.social/media_attachments/{media}.jpeg"
        answer = {"id": media, "type": "image", "url": place, "preview_url": None, "description": None}
        return _json(202 if self.pending else 200, answer)

    def _own(self, path: str) -> Reply:
        older = re.search(r"max_id=(\d+)", path)
        found = [one for one in reversed(self.statuses) if older is None or int(one.id) < int(older[1])]
        return Reply(200, json.dumps([self._entity(one) for one in found[:40]]).encode())

    def _shown(self, status: Status) -> Reply:
        headers = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "299", "X-RateLimit-Reset": RESET}
        return Reply(200, json.dumps(self._entity(status)).encode(), headers)

    def _entity(self, status: Status) -> dict[str, Any]:
        return {
            "id": status.id,
            "created_at": "2019-12-05T11:34:47.196Z",
            "in_reply_to_id": status.params.get("in_reply_to_id"),
            "visibility": status.params["visibility"],
            "language": status.params["language"],
            "uri": f"https://mastodon.social/users/Gargron/statuses/{status.id}",
            "url": f"https://mastodon.social/@Gargron/{status.id}",
            "content": content(status.text),
        }


def content(text: str) -> str:
    """A text as the server shows it: paragraphs, and links cut in three for the eye."""
    return "".join(f"<p>{'<br />'.join(map(_line, part.split(chr(10))))}</p>" for part in text.split("\n\n"))


def _line(line: str) -> str:
    marked = _LINK.sub(lambda found: f"\0{found[0]}\0", line)
    return "".join(_anchor(piece) if at % 2 else escape(piece) for at, piece in enumerate(marked.split("\0")))


def _anchor(url: str) -> str:
    scheme, shown, rest = url[:8], url[8:38], url[38:]
    return (
        f'<a href="{escape(url)}" rel="nofollow"><span class="invisible">{escape(scheme)}</span>'
        f'<span class="ellipsis">{escape(shown)}</span><span class="invisible">{escape(rest)}</span></a>'
    )


def _json(status: int, value: dict[str, Any]) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})
