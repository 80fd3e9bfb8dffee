"""The Threads API of one profile: containers that nobody sees, and posts that were made of them."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from syndicate.testing.http import FakeNetwork, Received, Reply
from syndicate.testing.oauth import SECRET, Authority, answered

TOKEN, USER = "THQVJ-token-of-the-tests", "17841400000000001"


def error(code: int, message: str, status: int = 400, kind: str = "OAuthException") -> Reply:
    """An error of the Graph API."""
    body = {"error": {"message": message, "type": kind, "code": code, "fbtrace_id": "AbCdEfGh"}}
    return Reply(status, json.dumps(body).encode())


EXPIRED = error(190, "Error validating access token: Session has expired on Friday, 20-Nov-26 00:00:00 PST.", 401)
DENIED = error(10, "Application does not have permission for this action", 403)
LIMIT = error(4, "Application request limit reached", 400)
LINKS = error(100, "THREADS_API__LINK_LIMIT_EXCEEDED")
TRANSIENT = error(2, "An unexpected error has occurred. Please retry your request later.", 500)
TOO_LONG = error(100, "Param text must be at most 500 characters long.")
NO_SUCH = error(24, "The requested resource does not exist")


TOKEN_ERRORS = {
    "invalid_client": error(101, "Error validating client secret."),
    "invalid_grant": error(100, "This authorization code has been used"),
}


class FakeThreads(FakeNetwork):
    """`v1.0` of graph.threads.net."""

    path = "/v1.0"
    credentials: ClassVar = {"user": USER, "token": TOKEN}

    def __init__(self) -> None:
        super().__init__()
        #: id -> what it was made of
        self.containers: dict[str, dict[str, str]] = {}
        #: container -> `FINISHED`, `IN_PROGRESS`, `PUBLISHED`, `EXPIRED` or `ERROR`
        self.states: dict[str, str] = {}
        #: what people see
        self.posts: list[dict[str, str]] = []
        #: what a container is right after it was made
        self.begins = "FINISHED"
        self.authority = Authority(TOKEN, separator=",")
        #: whether tokens are renewed
        self.renews = True

    def handle(self, request: Received) -> Reply:
        """Containers, publication, status and posts."""
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        if signing := self._sign_in(request, parts.path, query):
            return signing
        if query.get("access_token") not in self.authority.valid:
            return EXPIRED
        match request.method, parts.path.removeprefix("/v1.0/").split("/"):
            case "POST", [user, "threads"] if user == USER:
                return self._contain(form)
            case "POST", [user, "threads_publish"] if user == USER:
                return self._publish(form["creation_id"])
            case "GET", [user, "threads"] if user == USER:
                return _json({"data": self.posts[::-1][:25]})
            case "GET", [user, "threads_publishing_limit"] if user == USER:
                limit = {"quota_total": 250, "quota_duration": 86400}
                return _json({"data": [{"quota_usage": len(self.posts), "config": limit}]})
            case "GET", [thing]:
                return self._describe(thing)
        return NO_SUCH

    def _sign_in(self, request: Received, path: str, query: dict[str, str]) -> Reply | None:
        """A code gives a token of an hour, that one of 60 days, and that the next one; none says what it may do."""
        match request.method, path:
            case "GET", "/oauth/authorize":
                return self.authority.page(request)
            case "POST", "/oauth/access_token":
                found = self.authority.tokens(request)
                about = {} if isinstance(found, str) else {"user_id": int(USER), "access_token": found["access_token"]}
                return answered(about or found, TOKEN_ERRORS)
            case "GET", "/access_token" if query.get("client_secret") != SECRET:
                return TOKEN_ERRORS["invalid_client"]
            case "GET", "/access_token" | "/refresh_access_token":
                return self._prolonged(query)
        return None

    def _prolonged(self, query: dict[str, str]) -> Reply:
        if query.get("access_token") not in self.authority.valid or not self.renews:
            return EXPIRED
        found = self.authority.given("")
        return _json({"access_token": found["access_token"], "token_type": "bearer", "expires_in": 5183944})

    def _contain(self, form: dict[str, str]) -> Reply:
        if len(form["text"]) > 500:
            return TOO_LONG
        if len(set(re.findall(r"https?://\S+", form["text"]))) > 5:
            return LINKS
        name = str(17889615691921648 + len(self.containers))
        self.containers[name], self.states[name] = form, self.begins
        return _json({"id": name})

    def _publish(self, name: str) -> Reply:
        if self.states.get(name) != "FINISHED":
            return NO_SUCH
        self.states[name] = "PUBLISHED"
        number = str(18000000000000000 + len(self.posts))
        place = f"https://www.threads.net/@someone/post/{number}"
        self.posts.append({"id": number, "permalink": place, "text": self.containers[name]["text"]})
        return _json({"id": number})

    def _describe(self, thing: str) -> Reply:
        if thing in self.states:
            failed = {"error_message": "FAILED_DOWNLOADING_VIDEO"} if self.states[thing] == "ERROR" else {}
            return _json({"status": self.states[thing], "id": thing, **failed})
        return next((_json(post) for post in self.posts if post["id"] == thing), NO_SUCH)


def _json(value: Any) -> Reply:
    return Reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})
