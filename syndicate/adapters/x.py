"""X: a post by the v2 API. The link card is made by the network from the page.

https://docs.x.com/x-api/posts/create-post
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, bodies, http
from syndicate.adapters.addresses import checked_url
from syndicate.adapters.signin import SignIn, SignInOptions
from syndicate.model import Message, Outcome, Paused, Payload, Receipt, Refused, Request, TextRules, Unknown

if TYPE_CHECKING:
    import requests


class XOptions(SignInOptions):
    """An account that posts."""

    token: SecretStr = Field(description="OAuth 2.0 user token with tweet.write and users.read")
    max_weight: int = Field(default=280, ge=50, description="what the account may post; more for Premium")
    base_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://api.x.com", description="another address of the API, for a proxy"
    )
    login_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://x.com/i/oauth2/authorize", description="the page at which you agree, for a proxy"
    )


class X(base.Adapter):
    """Posts as a user.

    It knows no key, and reading what one has posted costs money: silence is for a person. A repeat is refused where the
    first one arrived, but the refusal does not say which post that is. So it takes no threads either: after silence
    nobody could tell which of the parts are there.
    """

    name = "x"
    Options = XOptions
    rules = TextRules(max_length=280, unit="weighted", link_length=23, max_hashtags=2, notifies=True)
    supports = frozenset({"post"})
    granted = ("token",)
    options: XOptions

    def __init__(self, options: XOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        self.rules = replace(type(self).rules, max_length=options.max_weight)
        self._table = http.Table(
            accepted=_accepted,
            special={
                402: lambda answer: Paused(http.said(answer, WORDS), "Buy credits for the API at console.x.com."),
                403: _forbidden,
            },
            explain=_words,
            reset="x-rate-limit-reset",
            credentials=_RECONNECT,
        )

    def compose(self, message: Message) -> Request:
        """`POST /2/tweets`."""
        post = bodies.post_of(message, self)
        url = f"{self.options.base_url.rstrip('/')}/2/tweets"
        return Request("POST", url, bodies.canonical({"text": post.text}), bodies.JSON)

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session."""
        return http.session()

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Posts."""
        answer = http.exchange(session, bodies.request_of(payload), self._credentials())
        return http.sort(answer, self._table, self._now)

    def signin(self) -> SignIn:
        """As a public or a confidential client; the token lives for two hours and its refresh token works once.

        https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code
        """
        return SignIn(
            page=self.options.login_url,
            tokens=f"{self.options.base_url.rstrip('/')}/2/oauth2/token",
            scopes=("tweet.read", "tweet.write", "users.read", "offline.access"),
            client_id=self.options.client_id,
            client_secret=self.options.client_secret.get_secret_value(),
            redirect=self.options.redirect,
            pkce=True,
            basic=True,
            lead=timedelta(minutes=30),
        )

    def _credentials(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.options.token.get_secret_value()}"}


_RECONNECT = "Sign in again: syndicate connect, with the account's name; or make a new token, and set it."


def _words(answer: http.Answer) -> str:
    """What a problem document (RFC 9457) says, or the older list of errors."""
    body = answer.json()
    errors = body.get("errors")
    older = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return str(body.get("detail") or older.get("message") or body.get("title") or "")


WORDS = http.Table(explain=_words)


def _accepted(answer: http.Answer) -> Outcome:
    data = answer.json().get("data")
    found = data.get("id") if isinstance(data, dict) else None
    if not found:
        return Unknown(f"{answer.status}, but no id")
    return Receipt(str(found), f"https://x.com/i/web/status/{found}", str(answer.status))


def _forbidden(answer: http.Answer) -> Outcome:
    """A duplicate is the one 403 that is about the text and not about the account."""
    said = http.said(answer, WORDS)
    if "duplicate content" in said:
        return Refused(f"{said} The account has posted this very text before: look there.")
    return Paused(said, _RECONNECT)
