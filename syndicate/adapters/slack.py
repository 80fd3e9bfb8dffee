"""Slack: a message in a channel, by an incoming webhook or by chat.postMessage.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and …/reference/methods/chat.postMessage
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from html import escape
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from syndicate.adapters import base, bodies, http
from syndicate.adapters.addresses import WEBHOOK_HOLE, checked_url, checked_webhook, webhook_holes
from syndicate.model import (
    Deferred,
    Message,
    Outcome,
    Paused,
    Payload,
    Receipt,
    Refused,
    Request,
    TextRules,
    Unknown,
)
from syndicate.model.links import URL

if TYPE_CHECKING:
    import requests

_BUSY = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_BROKEN = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout", "rollup_error"})
# About this message alone; every other error hits all messages of the account alike.
_REFUSED = frozenset({"msg_too_long", "no_text", "msg_blocks_too_long", "invalid_blocks", "invalid_payload"})


class SlackOptions(base.Options):
    """A channel of a workspace."""

    webhook: SecretStr | None = Field(default=None, description="address of an incoming webhook; it is a secret")
    token: SecretStr | None = Field(default=None, description="instead of a webhook: bot token with chat:write")
    channel: str = Field(default="", description="with a token: id of the channel, such as C0123456789")
    unfurl: bool = Field(default=True, description="show a preview of the link")
    base_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="https://slack.com/api", description="another address of the Web API, for a proxy"
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if bool(self.webhook) == bool(self.token) or bool(self.token) != bool(self.channel):
            raise ValueError("give either `webhook`, or `token` and `channel`")
        if self.webhook:
            checked_webhook(self.webhook.get_secret_value())
        return self


class Slack(base.Adapter):
    """Posts to one channel. Slack knows no key and cannot be asked, so silence is for a person."""

    name = "slack"
    Options = SlackOptions
    # Slack advises 4,000 and cuts at 40,000; an escaped `&` costs four more, which leaves room enough.
    rules = TextRules(max_length=4000, max_hashtags=0)
    supports = frozenset({"post"})
    options: SlackOptions

    def __init__(self, options: SlackOptions, now: http.Clock = http.utc_now) -> None:
        super().__init__(options)
        self._now = now
        verdicts = dict.fromkeys((400, 403, 404, 410, 500), _sorted)
        self._table = http.Table(accepted=_sorted, special=verdicts, explain=_words, credentials=_CHECK)

    def compose(self, message: Message) -> Request:
        """One message; the webhook's own secret is filled in by `send`."""
        post = bodies.post_of(message, self)
        unfurl = self.options.unfurl
        body = {"text": mrkdwn(post.text), "unfurl_links": unfurl, "unfurl_media": unfurl}
        if self.options.webhook:
            url = WEBHOOK_HOLE
        else:
            url = f"{self.options.base_url.rstrip('/')}/chat.postMessage"
            body["channel"] = self.options.channel
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return Request("POST", url, bodies.canonical(body), kind)

    def open(self) -> AbstractContextManager[requests.Session]:
        """An HTTP session."""
        return http.session()

    def send(self, session: requests.Session, payload: Payload, key: str) -> Outcome:
        """Posts. Errors come with 200 too: only `ok` is a yes."""
        headers, holes = self._credentials()
        answer = http.exchange(session, bodies.request_of(payload), headers, holes=holes)
        return http.sort(answer, self._table, self._now)

    def _credentials(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        if self.options.token:
            return {"Authorization": f"Bearer {self.options.token.get_secret_value()}"}, {}
        return {}, webhook_holes(self.options.webhook.get_secret_value() if self.options.webhook else "")


_CHECK = "Check `webhook`, or `token` and `channel`, and that the app is in the channel."


def mrkdwn(text: str) -> str:
    """Text as Slack reads it: `&`, `<` and `>` escaped, links in angle brackets.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    pieces, done = [], 0
    for link in URL.finditer(text):
        target = link[0].replace("|", "%7C")  # a bar would end the address and begin a label
        pieces += [escape(text[done : link.start()], quote=False), f"<{escape(target, quote=False)}>"]
        done = link.end()
    return "".join((*pieces, escape(text[done:], quote=False)))


def _words(answer: http.Answer) -> str:
    """The name of the error: in JSON from the Web API, as plain text from a webhook."""
    return str(answer.json().get("error") or answer.body[:200].decode("utf-8", "replace").strip())


def _sorted(answer: http.Answer) -> Outcome:
    """By the name of the error: the status says less."""
    body, error = answer.json(), _words(answer)
    said = http.said(answer, http.Table(explain=_words))
    if answer.status == 200 and (body.get("ok") is True or answer.body.strip() == b"ok"):
        stamp = str(body.get("ts", ""))
        return Receipt(f"{body.get('channel', '')}/{stamp}" if stamp else "", status=f"{answer.status} ok")
    if error in _BUSY:
        return Deferred(said, http.retry_after(answer))
    if error in _REFUSED or answer.status == 400:
        return Refused(said)
    if answer.status >= 500 or error in _BROKEN or (answer.status == 200 and "error" not in body):
        return Unknown(said)
    return Paused(said, _CHECK)
