"""The authorization code flow (RFC 6749 §4.1, RFC 7636, RFC 8252): its four addresses and what is said at each.

Nothing here opens a browser, listens or keeps anything. No answer of a network is quoted but its `error` and
`error_description` (RFC 6749 §5.2), and these without our secrets.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from syndicate.adapters import http
from syndicate.adapters.signin import SignIn
from syndicate.errors import SyndicateError
from syndicate.model import Request
from syndicate.signin.vault import Token

if TYPE_CHECKING:
    import requests

FORM = "application/x-www-form-urlencoded"
ACCEPT = {"Accept": "application/json"}
#: What is sent and no secret: an error may name it.
HARMLESS = frozenset({"authorization_code", "refresh_token", "th_exchange_token", "th_refresh_token"})
#: How the application is called that is registered where there is none.
NAME = "Syndicate"


class Denied(SyndicateError):
    """The network gave no token."""

    def __init__(self, message: str, hint: str = "", *, said: bool = True) -> None:
        """`said`: whether it was a no; False: nobody answered, or not in a way that can be understood."""
        super().__init__(message, hint=hint)
        self.said = said


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in under way: what only this process and this person's browser know."""

    signin: SignIn
    #: where the network sends the browser back to
    redirect: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    #: RFC 7636 §4.1: 43 to 128 characters
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)

    @property
    def page(self) -> str:
        """The address to open. It holds no secret: state and challenge are of use to nobody without the code."""
        query = {
            "response_type": "code",
            "client_id": self.signin.client_id,
            "redirect_uri": self.redirect,
            "scope": self.signin.separator.join(self.signin.scopes),
            "state": self.state,
        }
        if self.signin.pkce:
            query |= {"code_challenge": challenge(self.verifier), "code_challenge_method": "S256"}
        return f"{self.signin.page}?{urlencode(query)}"

    def is_ours(self, query: Mapping[str, str]) -> bool:
        """Whether an answer belongs to this attempt (RFC 6749 §10.12); compared in constant time."""
        return hmac.compare_digest(query.get("state", "").encode(), self.state.encode())

    def code(self, query: Mapping[str, str]) -> str:
        """The code that came back. Raises `Denied` where the person, or the network, said no."""
        if query.get("code"):
            return query["code"]
        why = unescape(unescape(query.get("error_description", "")))  # LinkedIn escapes twice
        said = printable(" ".join(filter(None, (query.get("error", ""), why)))) or "no code came back"
        scope = "scope" in query.get("error", "")
        hint = "Add the product that has this scope to your application." if scope else "Run it again, and agree."
        raise Denied(f"the sign-in was refused: {said}", hint)


def challenge(verifier: str) -> str:
    """S256 (RFC 7636 §4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def query_of(url: str) -> Mapping[str, str]:
    """The query of an address that a browser was sent to, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def registered(session: requests.Session, signin: SignIn, redirect: str) -> SignIn:
    """With a name and a secret, from the network itself where the account brings none. Raises `Denied`."""
    if signin.client_id or not signin.register:
        return signin
    scopes = signin.separator.join(signin.scopes)
    form = {"client_name": NAME, "redirect_uris": redirect, "scopes": scopes}
    answer = asked(session, Request("POST", signin.register, urlencode(form).encode(), {"Content-Type": FORM}), signin)
    name, secret = text(answer, "client_id"), text(answer, "client_secret")
    if not (name and secret):
        raise Denied("the network registered no application: its answer has no client_id", said=False)
    return replace(signin, client_id=name, client_secret=secret)


def redeemed(session: requests.Session, attempt: Attempt, code: str, known: Token) -> Token:
    """The token for a code. `known` has what does not come from the network. Raises `Denied`."""
    signin = attempt.signin
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": attempt.redirect}
    if signin.pkce:
        form["code_verifier"] = attempt.verifier
    answer = at_tokens(session, signin, form)
    if signin.prolong[0]:
        grant = {"grant_type": signin.prolong[1], "client_secret": signin.client_secret}
        answer = {**answer, **by_query(session, signin.prolong[0], grant, text(answer, "access_token"), signin)}
    token = granted(known, answer, signin)
    about = {**answer, **whoami(session, signin, token.access)} if signin.whoami else answer
    options = {name: filled(value, about) for name, value in signin.options.items()}
    return replace(token, options=options, called=filled(signin.called, about) or ", ".join(options.values()))


def renewed(session: requests.Session, signin: SignIn, token: Token, now: datetime) -> Token:
    """The next token, by the refresh token or by itself (RFC 6749 §6). Raises `Denied`."""
    if signin.renew[0]:
        answer = by_query(session, signin.renew[0], {"grant_type": signin.renew[1]}, token.access, signin)
    else:
        answer = at_tokens(session, signin, {"grant_type": "refresh_token", "refresh_token": token.refresh})
    fresh = replace(token, made=now, failed="", tried=None, refused=False)
    return granted(fresh, answer, signin)


def granted(known: Token, answer: Mapping[str, Any], signin: SignIn) -> Token:
    """`known` with what a token answer says (RFC 6749 §5.1). Raises `Denied` where it holds no token.

    Without a `scope` it is the one that was asked for; without a refresh token the one there was stays.
    """
    access = text(answer, "access_token")
    if not access:
        raise Denied("the network's answer holds no access token", said=False)
    return replace(
        known,
        access=access,
        refresh=text(answer, "refresh_token") or known.refresh,
        until=after(known.made, answer.get("expires_in")),
        refresh_until=after(known.made, answer.get("refresh_token_expires_in")) or known.refresh_until,
        scopes=scopes_of(answer) or known.scopes or signin.scopes,
    )


def scopes_of(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Between commas or blanks: LinkedIn has been seen to use either."""
    return tuple(filter(None, re.split(r"[,\s]+", text(answer, "scope"))))


def missing(signin: SignIn, token: Token) -> tuple[str, ...]:
    """Scopes that were asked for and did not come; a network may leave out what an application has no right to."""
    return tuple(scope for scope in signin.scopes if scope not in token.scopes)


def whoami(session: requests.Session, signin: SignIn, access: str) -> Mapping[str, Any]:
    """Who has signed in. Raises `Denied`, also where the token is not taken."""
    return asked(session, Request("GET", signin.whoami, b""), signin, {"Authorization": f"Bearer {access}"})


def at_tokens(session: requests.Session, signin: SignIn, form: dict[str, str]) -> Mapping[str, Any]:
    """One question at the token endpoint, as the application that we are."""
    headers = {}
    if signin.basic and signin.client_secret:
        pair = f"{quote_plus(signin.client_id)}:{quote_plus(signin.client_secret)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        form = {**form, "client_id": signin.client_id}
        form |= {"client_secret": signin.client_secret} if signin.client_secret else {}
    request = Request("POST", signin.tokens, urlencode(form).encode(), {"Content-Type": FORM, **ACCEPT})
    return asked(session, request, signin, headers)


def by_query(
    session: requests.Session, url: str, query: Mapping[str, str], access: str, signin: SignIn
) -> Mapping[str, Any]:
    """One question in Meta's way: what it is about stands in the address, which nobody is shown."""
    address = f"{url}?{urlencode({**query, 'access_token': access})}"
    return asked(session, Request("GET", address, b"", ACCEPT), signin)


def asked(
    session: requests.Session, request: Request, signin: SignIn, headers: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """The object that is answered. Raises `Denied` for everything else."""
    answer = http.exchange(session, request, headers or {})
    host = urlsplit(request.url).netloc
    if isinstance(answer, http.Broken):
        raise Denied(f"{host} was not reached: {answer.reason}", answer.hint, said=False)
    if 200 <= answer.status < 300 and (found := answer.json()):
        return found
    words = hidden(words_of(answer), request, signin)
    said = f"{host} answered {answer.status} {words}".strip()
    raise Denied(said, said=400 <= answer.status < 500 and answer.status not in {408, 425, 429})


def words_of(answer: http.Answer) -> str:
    """`error` and its description, or Meta's and LinkedIn's `message`."""
    body = answer.json()
    error = body.get("error")
    inner = error if isinstance(error, dict) else {}
    found = ("" if inner else error, body.get("error_description"), inner.get("message"), body.get("message"))
    return printable(" ".join(str(one) for one in found if one))


def hidden(words: str, request: Request, signin: SignIn) -> str:
    """Without what we have sent, in case the network repeats it."""
    fields = (parse_qs(request.body.decode()), parse_qs(urlsplit(request.url).query))
    sent = {value for field in fields for values in field.values() for value in values}
    for value in (*sent, signin.client_secret):
        words = words.replace(value, "***") if len(value) > 8 and value not in HARMLESS else words
    return words


def printable(words: str) -> str:
    """On one line, of a length that can be shown."""
    return "".join(char if char.isprintable() else " " for char in words)[:300].strip()


def text(answer: Mapping[str, Any], name: str) -> str:
    """A field that is a text; empty if it is not."""
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def after(made: datetime, seconds: Any) -> datetime | None:
    """The moment so long after; None where the network says nothing that makes sense."""
    try:
        return made + timedelta(seconds=int(seconds))
    except (TypeError, ValueError, OverflowError):
        return None


def filled(pattern: str, about: Mapping[str, Any]) -> str:
    """The pattern with the fields it names. Raises `Denied` where one is not there."""
    for name in re.findall(r"\{(\w+)\}", pattern):
        if not about.get(name):
            raise Denied(f"the network does not say who has signed in: its answer has no `{name}`", said=False)
        pattern = pattern.replace(f"{{{name}}}", printable(str(about[name])))
    return pattern
