"""Telegram: a message of a bot in a channel or group.

https://core.telegram.org/bots/api#sendmessage and #sendphoto
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, field_validator

from syndicate.adapters import base, bodies, http
from syndicate.adapters.addresses import SECRET_HOLE, checked_url
from syndicate.model import (
    Deferred,
    Message,
    Outcome,
    Paused,
    Payload,
    PictureRules,
    Receipt,
    Refused,
    Request,
    TextRules,
    Unknown,
)

if TYPE_CHECKING:
    import requests

LONGEST_TEXT, LONGEST_CAPTION = 4096, 1024  # UTF-16 units, after the markup is read
_CHECK = "Check `token` and `chat`, and that the bot is an administrator there."


class TelegramOptions(base.Options):
    """A bot, and the chat it posts to."""

    token: SecretStr = Field(description="of the bot, from @BotFather: number:letters")
    chat: str = Field(pattern=r"^(@\w{4,}|-?\d+)$", description="@name of a channel, or the number of a chat")
    pictures: bool = Field(
        default=True,
        description="show the article's picture, with the text as caption: 1,024 characters, not 4,096",
    )
    silent: bool = Field(default=False, description="without a sound on the readers' phones")
    base_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://api.telegram.org", description="another address of the API, for a server of your own"
    )

    @field_validator("token")
    @classmethod
    def _part_of_a_path(cls, value: SecretStr) -> SecretStr:
        if re.fullmatch(r"[A-Za-z0-9:_-]+", value.get_secret_value()) is None:
            raise ValueError("not the token of a bot: 123456:ABC…")
        return value


class Telegram(base.Adapter):
    """Posts to one chat. The API knows no key, and a bot cannot read what it has posted: silence is for a person."""

    name = "telegram"
    Options = TelegramOptions
    rules = TextRules(max_length=LONGEST_CAPTION, unit="utf16", max_hashtags=3, notifies=True)
    # 10 MB; a side of more than twenty times the other is refused, and ten show little enough; phones get no more than
    # 2,560 pixels of the longer side.
    pictures = PictureRules(media_types=("image/jpeg", "image/png"), max_bytes=10_000_000, max_side=2560, max_ratio=10)
    supports = frozenset({"post", "image"})
    options: TelegramOptions

    def __init__(self, options: TelegramOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        if not options.pictures:
            self.rules = replace(type(self).rules, max_length=LONGEST_TEXT)
            self.supports = frozenset({"post"})
        self._table = http.Table(
            accepted=self._accepted,
            special={
                400: _bad_request,
                404: lambda answer: Paused(http.said(answer, WORDS), _CHECK),
                429: self._throttled,
            },
            explain=_words,
            credentials=_CHECK,
        )

    def compose(self, message: Message) -> Request:
        """`sendMessage` with a large preview of the link, or `sendPhoto` with the text as caption."""
        post = bodies.post_of(message, self)
        common: dict[str, Any] = {"chat_id": self.options.chat, "parse_mode": "HTML"}
        if self.options.silent:
            common["disable_notification"] = True
        text = html(post.text)
        if post.image:
            fields = {name: value if isinstance(value, str) else "true" for name, value in common.items()}
            form, kind = bodies.multipart({**fields, "caption": text}, "photo", post.image)
            return Request("POST", self._url("sendPhoto"), form, {"Content-Type": kind})
        preview = {"url": post.url, "prefer_large_media": True} if post.url else {"is_disabled": True}
        body = {**common, "text": text, "link_preview_options": preview}
        return Request("POST", self._url("sendMessage"), bodies.canonical(body), bodies.JSON)

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session."""
        return http.session()

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Posts. The token is part of the address, and filled in here."""
        holes = {SECRET_HOLE: self.options.token.get_secret_value()}
        answer = http.exchange(session, bodies.request_of(payload), {}, holes=holes)
        return http.sort(answer, self._table, self._now)

    def _url(self, method: str) -> str:
        return f"{self.options.base_url.rstrip('/')}/bot{SECRET_HOLE}/{method}"

    def _throttled(self, answer: http.Answer) -> Outcome:
        wait = _parameters(answer).get("retry_after")
        after = timedelta(seconds=wait) if isinstance(wait, int) else http.retry_after(answer, self._now)
        return Deferred(http.said(answer, WORDS), after)

    def _accepted(self, answer: http.Answer) -> Outcome:
        result = answer.json().get("result")
        if answer.json().get("ok") is not True or not isinstance(result, dict) or "message_id" not in result:
            return Unknown(f"{answer.status}, but no message")
        number, chat = result["message_id"], result.get("chat", {})
        return Receipt(f"{chat.get('id', self.options.chat)}/{number}", _permalink(chat, number), str(answer.status))


def html(text: str) -> str:
    """Text with its first line in bold, as channels have it; nothing else in it is markup."""
    escaped = escape(text, quote=False)
    first, newline, rest = escaped.partition("\n")
    return f"<b>{first}</b>{newline}{rest}" if first and rest else escaped


def _permalink(chat: dict[str, Any], number: int) -> str:
    """Public by the name of the chat, else for members by its number, which has -100 before it in the API."""
    if chat.get("username"):
        return f"https://t.me/{chat['username']}/{number}"
    private = str(chat.get("id", ""))
    return f"https://t.me/c/{private.removeprefix('-100')}/{number}" if private.startswith("-100") else ""


def _parameters(answer: http.Answer) -> dict[str, Any]:
    found = answer.json().get("parameters")
    return found if isinstance(found, dict) else {}


def _words(answer: http.Answer) -> str:
    return str(answer.json().get("description", ""))


WORDS = http.Table(explain=_words)


def _bad_request(answer: http.Answer) -> Outcome:
    """Where the chat is at fault every message is; a group that became a supergroup has another number."""
    said, moved = http.said(answer, WORDS), _parameters(answer).get("migrate_to_chat_id")
    if moved:
        return Paused(said, f"The group is a supergroup now: set `chat` to {moved}.")
    if "chat not found" in said or "not enough rights" in said:
        return Paused(said, _CHECK)
    return Refused(said)
