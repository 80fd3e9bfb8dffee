"""Threads: a container that nobody sees, then its publication.

https://developers.facebook.com/docs/threads/posts and …/docs/threads/troubleshooting
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, bodies, graph, http
from syndicate.adapters.addresses import SECRET_HOLE, checked_url
from syndicate.adapters.signin import SignIn, SignInOptions
from syndicate.errors import Unsupported
from syndicate.model import (
    Dedupe,
    Deferred,
    Message,
    Outcome,
    Payload,
    Receipt,
    Refused,
    Request,
    TextRules,
    Upload,
)

if TYPE_CHECKING:
    import requests

CONTAINER = "{{container}}"
SOON = timedelta(seconds=30)  # as the API's pages advise between a container and its publication
#: So long ahead it is said that the token ends.
NOTICE = timedelta(days=14)
_RECONNECT = "Sign in again: syndicate connect, with the account's name; or make a new token, and set it."


class ThreadsOptions(SignInOptions):
    """A profile that posts."""

    user: str = Field(pattern=r"^\d+$", description="number of the profile: `id` at /me")
    token: SecretStr = Field(description="long-lived token with threads_basic and threads_content_publish; 60 days")
    token_until: date | None = Field(default=None, description="last day of the token; `status` warns before")
    base_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://graph.threads.net/v1.0", description="address and version of the API"
    )
    login_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://threads.net/oauth/authorize", description="the page at which you agree, for a proxy"
    )


class Threads(base.Adapter):
    """Posts as a profile. Pictures would have to lie at a public address, so it takes none."""

    name = "threads"
    Options = ThreadsOptions
    rules = TextRules(max_length=500, unit="emoji", max_hashtags=1, notifies=True)  # a post has one topic
    # A container can be published once, and lives for 24 hours; after that it still says whether it was.
    dedupe = Dedupe(repeat=timedelta(hours=23), lookup=True)
    supports = frozenset({"post"})
    granted = ("token", "user")
    options: ThreadsOptions

    def __init__(self, options: ThreadsOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        self._table = graph.table(_RECONNECT)

    def compose(self, message: Message) -> Request:
        """The container, which holds all that people will see; `fills` gets its id and with it a repeat is safe."""
        post = bodies.post_of(message, self)
        form = {"media_type": "TEXT", "text": post.text} | ({"link_attachment": post.url} if post.url else {})
        request = self._form(f"{self.options.user}/threads", urlencode(form).encode())
        return replace(request, uploads=(Upload(CONTAINER, b""),))

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session."""
        return http.session()

    def prepare(self, session: requests.Session, payload: Payload) -> Payload | Outcome:
        """Makes the container, unless there is one that has not expired; what has expired was never published."""
        request = bodies.request_of(payload)
        if CONTAINER in request.fills and _status(self._state(session, request)) != "EXPIRED":
            return request
        made = self._sorted(self._ask(session, request))
        return replace(request, fills={CONTAINER: made.id}) if isinstance(made, Receipt) else bodies.harmless(made)

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Publishes the container, if it is ready and not published yet."""
        request = bodies.request_of(payload)
        state = self._state(session, request)
        match _status(state):
            case "FINISHED":
                return self._publish(session, request.fills[CONTAINER])
            case "PUBLISHED":
                return self._published(session, request)
            case "ERROR":
                return Refused(f"the container failed: {graph.said(state, 'error_message')}")
            case "":
                return bodies.harmless(self._sorted(state))
            case status:
                return Deferred(f"the container is not ready: {status}", SOON)

    def find(self, session: requests.Session, payload: Payload, key: str) -> Receipt | None:
        """Asks the container; without one nothing was ever sent."""
        request = bodies.request_of(payload)
        if CONTAINER not in request.fills:
            return None
        status = _status(self._state(session, request))
        if status == "PUBLISHED":
            return self._published(session, request)
        if status in {"FINISHED", "EXPIRED", "ERROR"}:
            return None
        raise Unsupported("the container does not say whether it was published")

    def warnings(self, today: date) -> tuple[str, ...]:
        """The end of the token, a while ahead."""
        end = self.options.token_until
        if end is None or end - today > NOTICE:
            return ()
        when = f"ends on {end}, in {(end - today).days} days" if end >= today else f"has ended on {end}"
        return (f"the token {when}. {_RECONNECT}",)

    def signin(self) -> SignIn:
        """A token of an hour becomes one of 60 days at once, and that is renewed by itself while it lives.

        https://developers.facebook.com/docs/threads/get-started/long-lived-tokens
        """
        place = urlsplit(self.options.base_url)
        root = f"{place.scheme}://{place.netloc}"
        return SignIn(
            page=self.options.login_url,
            tokens=f"{root}/oauth/access_token",
            scopes=("threads_basic", "threads_content_publish"),
            separator=",",
            client_id=self.options.client_id,
            client_secret=self.options.client_secret.get_secret_value(),
            redirect=self.options.redirect,
            prolong=(f"{root}/access_token", "th_exchange_token"),
            renew=(f"{root}/refresh_access_token", "th_refresh_token"),
            lead=timedelta(days=30),
            options={"user": "{user_id}"},
        )

    def _publish(self, session: requests.Session, container: str) -> Outcome:
        body = urlencode({"creation_id": container}).encode()
        outcome = self._sorted(self._ask(session, self._form(f"{self.options.user}/threads_publish", body)))
        if not isinstance(outcome, Receipt):
            return outcome
        return replace(outcome, permalink=graph.said(self._read(session, outcome.id, fields="permalink"), "permalink"))

    def _state(self, session: requests.Session, request: Request) -> http.Answer | http.Broken:
        return self._read(session, request.fills[CONTAINER], fields="status,error_message")

    def _published(self, session: requests.Session, request: Request) -> Receipt:
        """The receipt of a container that was published without our hearing of it; the text tells which post it is."""
        (text,) = parse_qs(request.body.decode())["text"]
        place = f"{self.options.user}/threads"
        posts = self._read(session, place, fields="id,permalink,text", limit="25")
        listed = posts.json().get("data") if isinstance(posts, http.Answer) else None
        one: Mapping[str, Any] = next((post for post in listed or () if post.get("text") == text), {})
        return Receipt(str(one.get("id", "")), str(one.get("permalink", "")), "PUBLISHED, as its container says")

    def _read(self, session: requests.Session, path: str, **query: str) -> http.Answer | http.Broken:
        return self._ask(session, Request("GET", self._url(path, **query), b""))

    def _form(self, path: str, body: bytes) -> Request:
        return Request("POST", self._url(path), body, {"Content-Type": "application/x-www-form-urlencoded"})

    def _url(self, path: str, **query: str) -> str:
        """With a hole for the token, which the API takes in the query."""
        return f"{self.options.base_url.rstrip('/')}/{path}?{urlencode({**query, 'access_token': ''})}{SECRET_HOLE}"

    def _ask(self, session: requests.Session, request: Request) -> http.Answer | http.Broken:
        token = quote(self.options.token.get_secret_value(), safe="")
        return http.exchange(session, request, {}, holes={SECRET_HOLE: token})

    def _sorted(self, answer: http.Answer | http.Broken) -> Outcome:
        return http.sort(answer, self._table, self._now)


def _status(answer: http.Answer | http.Broken) -> str:
    """Of a container; empty where the API does not say."""
    return graph.said(answer, "status")
