"""Telegram: the Bot API of one bot that may post to one channel."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any, ClassVar

from syndicate.testing.http import FakeNetwork, Received, Reply, form

TOKEN, CHAT = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "@magick"


def problem(status: int, description: str, **parameters: int) -> Reply:
    """An error, as the API writes it."""
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return Reply(status, json.dumps(body | ({"parameters": parameters} if parameters else {})).encode())


THROTTLED = problem(429, "Too Many Requests: retry after 5", retry_after=5)
MIGRATED = problem(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1001234567890)
TOO_LONG = problem(400, "Bad Request: message is too long")
ENTITIES = problem(400, 'Bad Request: can\'t parse entities: Unsupported start tag "b" at byte offset 0')
NO_CHAT = problem(400, "Bad Request: chat not found")
UNAUTHORIZED = problem(401, "Unauthorized")
KICKED = problem(403, "Forbidden: bot was kicked from the channel chat")
NOT_FOUND = problem(404, "Not Found")
BAD_GATEWAY = Reply(502, b"<html><title>502 Bad Gateway</title></html>")


class FakeTelegram(FakeNetwork):
    """One bot, one channel."""

    credentials: ClassVar = {"token": TOKEN, "chat": CHAT}

    def __init__(self) -> None:
        super().__init__()
        #: what people see: the parameters of each message
        self.messages: list[dict[str, Any]] = []

    def handle(self, request: Received) -> Reply:
        """Two methods."""
        match = re.fullmatch(r"/bot([^/]+)/(\w+)", request.path)
        if not match or match[1] != TOKEN:
            return UNAUTHORIZED if match else NOT_FOUND
        if match[2] not in {"sendMessage", "sendPhoto"}:
            return NOT_FOUND
        params = _params(request)
        if params["chat_id"] != CHAT:
            return NO_CHAT
        text, most = (params["text"], 4096) if match[2] == "sendMessage" else (params["caption"], 1024)
        try:
            shown = visible(text)
        except ValueError:
            return ENTITIES
        if len(shown.encode("utf-16-le")) // 2 > most:
            return TOO_LONG
        self.messages.append(params)
        chat = {"id": -1001111111111, "title": "Magick", "username": "magick", "type": "channel"}
        result = {"message_id": 15 + len(self.messages), "date": 1741597200, "chat": chat, "text": shown}
        return Reply(200, json.dumps({"ok": True, "result": result}).encode())


def visible(text: str) -> str:
    """What people read of HTML as the API takes it. Raises ValueError for a tag it does not know."""
    bare = re.sub(r"</?b>", "", text)
    if re.search(r"[<>]|&(?!(?:lt|gt|amp|quot);)", bare) or text.count("<b>") != text.count("</b>"):
        raise ValueError("can't parse entities")
    return unescape(bare)


def _params(request: Received) -> dict[str, Any]:
    kind = request.headers["content-type"]
    if kind == "application/json":
        return dict(json.loads(request.body))
    return {name: data if filename else data.decode() for name, filename, data in form(request)}
