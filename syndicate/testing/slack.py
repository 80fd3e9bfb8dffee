"""Slack: an incoming webhook, and chat.postMessage, which says 200 to everything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from syndicate.testing.http import FakeNetwork, Received, Reply

TOKEN, SECRET, CHANNEL = "xoxb-token-of-the-tests", "XXXXwebhooksecretXXXX", "C123ABC456"
HOOK = f"/services/T00000000/B00000000/{SECRET}"

# A webhook answers in plain text.
INVALID_PAYLOAD = Reply(400, b"invalid_payload")
NO_SERVICE = Reply(404, b"no_service")
PROHIBITED = Reply(403, b"action_prohibited")
ARCHIVED = Reply(410, b"channel_is_archived")
ROLLUP = Reply(500, b"rollup_error")
THROTTLED = Reply(429, b"rate_limited", {"Retry-After": "30"})


def problem(name: str) -> Reply:
    """An error of the Web API, which comes with 200."""
    return Reply(200, json.dumps({"ok": False, "error": name}).encode())


class FakeSlack(FakeNetwork):
    """One channel, reached both ways."""

    def __init__(self) -> None:
        super().__init__()
        #: messages that people see, as they were sent
        self.messages: list[dict[str, Any]] = []

    def lead(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """By token where the account has one, else by webhook."""
        if options.get("token"):
            return {**options, "base_url": f"{self.url}/api", "token": TOKEN, "channel": CHANNEL}
        return {**options, "webhook": self.url + HOOK}

    def handle(self, request: Received) -> Reply:
        """The webhook, and one method."""
        if request.path == HOOK:
            return self._take(request) or Reply(200, b"ok")
        if request.path.startswith("/services/"):
            return NO_SERVICE
        if request.path != "/api/chat.postMessage":
            return problem("unknown_method")
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return problem("invalid_auth")
        if json.loads(request.body).get("channel") != CHANNEL:
            return problem("channel_not_found")
        refusal = self._take(request)
        stamp = f"1503435956.{len(self.messages):06}"
        answer = {"ok": True, "channel": CHANNEL, "ts": stamp, "message": {"text": "…", "type": "message"}}
        return problem("no_text") if refusal else Reply(200, json.dumps(answer).encode())

    def _take(self, request: Received) -> Reply | None:
        message = json.loads(request.body)
        if not message.get("text"):
            return INVALID_PAYLOAD
        self.messages.append(message)
        return None


def visible(text: str) -> str:
    """What people read: a link in brackets as itself, and three entities. ValueError for what is read otherwise."""
    bare = re.sub(r"<(https?://[^<>|]+)>", r"\1", text)
    if re.search(r"[<>]|&(?!(?:amp|lt|gt);)", bare):
        raise ValueError("a control character is not escaped")
    return unescape(bare)
