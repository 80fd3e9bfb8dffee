"""Discord: a message in a channel with a card of our own, by a webhook.

https://docs.discord.com/developers/resources/webhook#execute-webhook
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr, field_validator

from syndicate.adapters import base, bodies, http
from syndicate.adapters.addresses import WEBHOOK_HOLE, checked_webhook, webhook_holes
from syndicate.model import (
    Deferred,
    Message,
    Outcome,
    Paused,
    Payload,
    PictureRules,
    Post,
    Receipt,
    Request,
    TextRules,
    Unknown,
)
from syndicate.model.links import URL

if TYPE_CHECKING:
    import requests

MARKDOWN = "\\*_~`|<>[]"  # what would format the text
LONGEST_TITLE, LONGEST_DESCRIPTION = 256, 4096
_HEADING = re.compile(r"^(#{1,3} |-# )", re.MULTILINE)
_GONE = "Make a new webhook in the settings of the channel, and set its address as `webhook`."


class DiscordOptions(base.Options):
    """A channel of a server."""

    webhook: SecretStr = Field(description="address of the webhook, https://discord.com/api/webhooks/…; it is a secret")
    username: str = Field(default="", max_length=80, description="another name for the sender than the webhook's own")

    @field_validator("webhook")
    @classmethod
    def _address(cls, value: SecretStr) -> SecretStr:
        checked_webhook(value.get_secret_value())
        return value


class Discord(base.Adapter):
    """Posts to one channel. A webhook knows no key and cannot be asked, so silence is for a person."""

    name = "discord"
    Options = DiscordOptions
    # 2,000, less room for the angle brackets around links and the backslash before a heading
    rules = TextRules(max_length=1980, unit="utf16", escaped=MARKDOWN, max_hashtags=0)
    # Webhooks were long held to 8 MB, and a server may still be; its own limit cannot be asked for without a bot.
    pictures = PictureRules(max_bytes=8_000_000, ratio=1.91, max_alt=1024)
    supports = frozenset({"post", "image"})
    options: DiscordOptions

    def __init__(self, options: DiscordOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        self._table = http.Table(
            accepted=_accepted,
            special={404: lambda answer: Paused(http.said(answer, WORDS), _GONE), 429: self._throttled},
            explain=_words,
            credentials=_GONE,
        )

    def compose(self, message: Message) -> Request:
        """Text, card and picture in one request; `wait=true`, or there would be no id. Nobody is pinged."""
        post = bodies.post_of(message, self)
        body: dict[str, Any] = {"content": plain(post.text), "allowed_mentions": {"parse": []}}
        if self.options.username:
            body["username"] = self.options.username
        if card := _card(post):
            body["embeds"] = [card]
        url = f"{WEBHOOK_HOLE}?wait=true"
        if not post.image:
            return Request("POST", url, bodies.canonical(body), bodies.JSON)
        name = bodies.file_name(post.image)
        body["attachments"] = [{"id": 0, "filename": name, "description": post.image.alt}]
        form, kind = bodies.multipart({"payload_json": bodies.canonical(body).decode()}, "files[0]", post.image)
        return Request("POST", url, form, {"Content-Type": kind})

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session."""
        return http.session()

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Posts."""
        holes = webhook_holes(self.options.webhook.get_secret_value())
        answer = http.exchange(session, bodies.request_of(payload), {}, holes=holes)
        return http.sort(answer, self._table, self._now)

    def _throttled(self, answer: http.Answer) -> Outcome:
        """The body knows fractions of a second; a block by the network in front of the API has a header only."""
        wait = answer.json().get("retry_after")
        if isinstance(wait, int | float) and 0 <= wait <= 86400:
            return Deferred(http.said(answer, WORDS), timedelta(seconds=wait))
        return Deferred(http.said(answer, WORDS), http.retry_after(answer, self._now))


def plain(text: str) -> str:
    """Text that shows as it is written. Links stand in angle brackets, so that Discord adds no card beside ours."""
    pieces, done = [], 0
    for link in URL.finditer(text):
        pieces += [_escaped(text[done : link.start()]), f"<{link[0]}>"]
        done = link.end()
    return _HEADING.sub(r"\\\1", "".join((*pieces, _escaped(text[done:]))))


def _escaped(text: str) -> str:
    return re.sub(f"[{re.escape(MARKDOWN)}]", r"\\\g<0>", text)


def _card(post: Post) -> dict[str, Any]:
    """The link card. A picture without a link needs none: it is an attachment."""
    if not post.url:
        return {}
    card: dict[str, Any] = {"title": post.title[:LONGEST_TITLE], "url": post.url}
    if post.description:
        card["description"] = plain(post.description)[:LONGEST_DESCRIPTION]
    if post.image:
        card["image"] = {"url": f"attachment://{bodies.file_name(post.image)}"}
    return card


def _words(answer: http.Answer) -> str:
    """The message, and the first of what is wrong with a form."""
    body = answer.json()
    inner = re.search(rb'"message": ?"([^"]+)"', answer.body) if body.get("errors") else None
    first = inner[1].decode("utf-8", "replace") if inner else ""
    said = str(body.get("message", ""))
    return f"{said}: {first}" if first and first != said else said


WORDS = http.Table(explain=_words)


def _accepted(answer: http.Answer) -> Outcome:
    """The message, with the ids that make its address; a webhook belongs to a server, whose id it does not tell."""
    found = answer.json().get("id")
    if answer.status == 204:
        return Receipt(status="204")
    return Receipt(str(found), status=str(answer.status)) if found else Unknown(f"{answer.status}, but no id")
