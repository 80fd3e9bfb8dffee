"""Discord: a webhook of one channel."""

from __future__ import annotations

import json
import re
from typing import Any

from syndicate.testing.http import FakeNetwork, Received, Reply, form

SECRET = "discord-webhook-token-of-the-tests"
HOOK = f"/api/webhooks/223704706495545344/{SECRET}"

UNKNOWN_WEBHOOK = Reply(404, b'{"message": "Unknown Webhook", "code": 10015}')
INVALID_TOKEN = Reply(401, b'{"message": "Invalid Webhook Token", "code": 50027}')
THROTTLED = Reply(429, b'{"message":"You are being rate limited.","retry_after":0.3,"global":false}')
FORM = Reply(
    400,
    b'{"code":50035,"errors":{"embeds":{"0":{"fields":{"6":{"value":{"_errors":[{"code":"BASE_TYPE_MAX_LENGTH",'
    b'"message":"Must be 1024 or fewer in length."}]}}}}}},"message":"Invalid Form Body"}',
)
UNAVAILABLE = Reply(503, b"upstream connect error or disconnect/reset before headers")


class FakeDiscord(FakeNetwork):
    """One webhook."""

    option, path = "webhook", HOOK

    def __init__(self) -> None:
        super().__init__()
        #: messages that people see, as they were sent
        self.messages: list[dict[str, Any]] = []
        #: file name -> bytes
        self.files: dict[str, bytes] = {}

    def handle(self, request: Received) -> Reply:
        """Executes the webhook."""
        path, _, query = request.path.partition("?")
        if not path.startswith("/api/webhooks/223704706495545344/"):
            return UNKNOWN_WEBHOOK
        if path != HOOK:
            return INVALID_TOKEN
        message = self._read(request)
        if too_long := _too_long(message):
            return too_long
        self.messages.append(message)
        number = str(1100000000000000000 + len(self.messages))
        answer = {"id": number, "channel_id": "199737254929760256", "webhook_id": "223704706495545344", "type": 0}
        return Reply(200, json.dumps(answer).encode()) if "wait=true" in query else Reply(204)

    def _read(self, request: Received) -> dict[str, Any]:
        kind = request.headers["content-type"]
        if kind == "application/json":
            return dict(json.loads(request.body))
        for name, filename, data in form(request):
            if filename:
                self.files[filename] = data
            elif name == "payload_json":
                message = dict(json.loads(data))
        return message


def _too_long(message: dict[str, Any]) -> Reply | None:
    if len(message.get("content", "")) > 2000:
        inner = {
            "content": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]}
        }
        return Reply(400, json.dumps({"message": "Invalid Form Body", "code": 50035, "errors": inner}).encode())
    return None


def visible(content: str) -> str:
    """What people read of a text without formatting: escapes and the brackets of links are gone.

    Raises ValueError where something would be formatted.
    """
    shown, place = "", 0
    while place < len(content):
        link = re.compile(r"<(https?://[^>]+)>").match(content, place)
        heading = re.compile(r"(?:(?<=\n)|^)(?:#{1,3} |-# |> )").match(content, place)
        if link:
            shown, place = shown + link[1], link.end()
        elif content[place] == "\\" and place + 1 < len(content):
            shown, place = shown + content[place + 1], place + 2
        elif content[place] in "*_~`|<>[]\\" or heading:
            raise ValueError(f"formatted from {content[place : place + 20]!r} on")
        else:
            shown, place = shown + content[place], place + 1
    return shown
