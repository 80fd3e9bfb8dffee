"""The part of a fake network at which people sign in: it checks what a network checks, and remembers what it gave."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from syndicate.testing.http import Received, Reply

CLIENT, SECRET = "client-of-the-tests", "client-secret-of-the-tests"


@dataclass
class Authority:
    """Codes that work once, refresh tokens that work once, and tokens that work until they are revoked."""

    #: the first token; those that follow it have a number behind it
    token: str
    #: seconds; 0: the network says of no end
    lifetime: int = 0
    #: whether a token comes with a refresh token, and for how many seconds that lives (0: nobody says)
    refreshable: bool = False
    refresh_lifetime: int = 0
    #: whether a code has to be asked for with a challenge
    pkce: bool = False
    #: whether a secret has to come as basic authentication
    basic: bool = False
    #: applications: id -> secret
    clients: dict[str, str] = field(default_factory=lambda: {CLIENT: SECRET})
    #: between scopes in an answer; LinkedIn uses a comma, the standard a blank
    separator: str = " "
    #: what the person, or the network, answers instead of a code, as query
    refusal: Mapping[str, str] = field(default_factory=dict)
    #: scopes that are left out without a word
    dropped: frozenset[str] = frozenset()
    #: every code has ended by the time it is used
    stale: bool = False
    #: no refresh token is taken any more
    revoked: bool = False
    #: what the browser is sent back with instead of the `state` that came
    state: str = ""
    #: tokens that are taken
    valid: set[str] = field(init=False)
    #: refresh tokens that were used, in order
    spent: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _fresh: set[str] = field(default_factory=set)
    _given: int = 0

    def __post_init__(self) -> None:
        self.valid = {self.token}

    def page(self, request: Received) -> Reply:
        """The person agrees at once: the browser is sent back with a code."""
        query = query_of(request.path)
        if query.get("client_id") not in self.clients or (self.pkce and query.get("code_challenge_method") != "S256"):
            return Reply(400, b"<h1>Bummer, something went wrong.</h1>")
        answer = dict(self.refusal)
        if not answer:
            code = f"code-{len(self._codes)}-of-the-tests"
            self._codes[code], answer = query, {"code": code}
        answer["state"] = self.state or query.get("state", "")
        return Reply(302, headers={"Location": f"{query['redirect_uri']}?{urlencode(answer)}"})

    def tokens(self, request: Received) -> dict[str, Any] | str:
        """The fields of a token, or what speaks against one: `invalid_client`, `invalid_grant`, …"""
        form = form_of(request)
        if not self._knows(request, form):
            return "invalid_client"
        if form.get("grant_type") == "refresh_token":
            return self._refreshed(form.get("refresh_token", ""))
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or self.stale or asked["redirect_uri"] != form.get("redirect_uri"):
            return "invalid_grant"
        if self.pkce and challenge(form.get("code_verifier", "")) != asked["code_challenge"]:
            return "invalid_grant"
        return self.given(asked["scope"])

    def given(self, scope: str) -> dict[str, Any]:
        """The next token."""
        access = self.token if not self._given else f"{self.token}-{self._given}"
        self._given += 1
        self.valid = {access}
        scopes = [one for one in scope.replace(",", " ").split() if one not in self.dropped]
        found: dict[str, Any] = {"access_token": access, "token_type": "bearer", "scope": self.separator.join(scopes)}
        found |= {"expires_in": self.lifetime} if self.lifetime else {}
        if self.refreshable:
            refresh = f"refresh-{self._given}-of-the-tests"
            self._fresh.add(refresh)
            found["refresh_token"] = refresh
            found |= {"refresh_token_expires_in": self.refresh_lifetime} if self.refresh_lifetime else {}
        return found

    def _refreshed(self, token: str) -> dict[str, Any] | str:
        self.spent.append(token)
        if self.revoked or token not in self._fresh:
            return "invalid_grant"
        self._fresh.remove(token)
        return self.given("tweet.read tweet.write users.read offline.access")

    def _knows(self, request: Received, form: Mapping[str, str]) -> bool:
        if not self.basic:
            return self.clients.get(form.get("client_id", "")) == form.get("client_secret")
        return any(
            request.headers.get("authorization") == f"Basic {b64encode(pair.encode()).decode()}"
            for pair in (f"{quote_plus(name)}:{quote_plus(secret)}" for name, secret in self.clients.items())
        )


def challenge(verifier: str) -> str:
    """RFC 7636 §4.2."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def query_of(path: str) -> dict[str, str]:
    """The query of a path, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


def form_of(request: Received) -> dict[str, str]:
    """A form as browsers send it."""
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def answered(found: dict[str, Any] | str, errors: Mapping[str, Reply]) -> Reply:
    """As the network says it."""
    if isinstance(found, str):
        return errors[found]
    return Reply(200, json.dumps(found).encode(), {"Content-Type": "application/json"})
