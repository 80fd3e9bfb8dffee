"""Amazon SES: events through a topic of SNS, of a configuration set or of an identity.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from syndicate.feedback import base, events, sns
from syndicate.feedback.codes import bounce_kind, has_code, status_in
from syndicate.model.feedback import Report, ReportKind

#: A delivery policy of a topic repeats for an hour; what a dead-letter queue is emptied into comes later.
TOO_OLD = timedelta(days=14)
#: What says nothing of a delivery.
_SILENT = frozenset({"Send", "Open", "Click"})
#: Subtypes of `Transient` that are about our mail.
_OURS = frozenset({"ContentRejected", "AttachmentRejected", "MessageTooLarge"})


class SesOptions(base.Options):
    """What a webhook of SES may say in the configuration."""

    topics: tuple[str, ...] = Field(min_length=1, description="ARNs of the topics that SES publishes to")

    @field_validator("topics")
    @classmethod
    def _are_topics(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(sns.is_topic, value)):
            raise ValueError("a topic is given as arn:aws:sns:REGION:ACCOUNT:NAME")
        return value


class Camel(events.Event):
    """SES writes `bounceType` for what we call `bounce_type`."""

    model_config = ConfigDict(alias_generator=to_camel)


class Reader(Camel):
    """The recipient that an event is about."""

    email_address: str
    status: str = ""
    diagnostic_code: str = ""


class Mail(Camel):
    """The mail of an event."""

    message_id: str
    tags: dict[str, Any] = Field(default={})
    timestamp: str = ""


class What(Camel):
    """What happened; each kind of event has some of these."""

    timestamp: str = ""
    bounce_type: str = ""
    bounce_sub_type: str = ""
    complaint_feedback_type: str | None = None
    smtp_response: str = ""
    reason: str = ""
    new_topic_preferences: dict[str, Any] = Field(default={})


class Told(Camel):
    """An event, for one of its recipients (`_singled`). Configuration sets and identities name its type differently."""

    event_type: str = ""
    notification_type: str = ""
    mail: Mail
    what: What
    reader: Reader

    @property
    def kind(self) -> str:
        """Its type."""
        return self.event_type or self.notification_type


class Ses(base.Source):
    """The signature is that of SNS."""

    name = "ses"
    Options = SesOptions
    options: SesOptions

    def __init__(self, options: SesOptions, fetch: sns.Fetch = sns.fetched) -> None:
        """`fetch` gets a certificate from its place at AWS: the one thing of any source that comes over the network."""
        super().__init__(options)
        self._fetch = fetch

    def verify(self, body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        """By the certificate that the envelope names, if AWS has it."""
        found = sns.envelope(body)
        sns.verify(found, self.options.topics, self._fetch, now)
        try:
            told = events.instant(found["Timestamp"])
        except ValueError as error:
            raise base.Forged from error
        if told is None or abs(now - told) > TOO_OLD:
            raise base.Forged

    def reports(self, body: bytes) -> Sequence[Report]:
        """A report for each recipient of the event; what SNS itself has to say waits for a person."""
        found = sns.envelope(body)
        name = found.get("MessageId", "")
        if found.get("Type") != "Notification":
            return [_administrative(found, body)]
        message = found.get("Message", "").encode()
        if message.startswith(b"Successfully validated SNS topic"):
            return []
        raw = events.parse(message)
        if not isinstance(raw, dict):
            raise base.Malformed("the message is no event of SES")
        if (raw.get("eventType") or raw.get("notificationType")) in _SILENT:
            return []
        return [
            events.named(events.read(Told, each, _report), f"{name} {number}" if number else name)
            for number, each in enumerate(_singled(raw))
        ]


def _administrative(found: Mapping[str, str], body: bytes) -> Report:
    text = f"{found.get('Type', '')}: to let the events of this topic in, open {found.get('SubscribeURL', '')}"
    return Report(id=found.get("MessageId", "")[:200], kind=ReportKind.OTHER, text=text[:500], raw=body)


#: Part of an event that says what happened -> where its recipients stand in it; elsewhere it is that of the mail.
_PARTS = {
    "bounce": "bouncedRecipients",
    "complaint": "complainedRecipients",
    "delivery": "recipients",
    "deliveryDelay": "delayedRecipients",
    "reject": "",
    "subscription": "",
    "failure": "",
}


def _singled(raw: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The event once for each recipient that it speaks of; those are not all to whom the mail went."""
    part = next((name for name in _PARTS if isinstance(raw.get(name), dict)), "")
    what = raw.pop(part, {})
    mail = raw.get("mail")
    readers = what.pop(_PARTS.get(part, ""), None) or (isinstance(mail, dict) and mail.get("destination")) or [None]
    for reader in readers if isinstance(readers, list) else [None]:
        one = {"emailAddress": reader} if isinstance(reader, str) else reader
        yield {**raw, "what": what, "reader": one}


def _report(told: Told) -> Report:
    reader, what = told.reader, told.what
    mark = told.mail.tags.get("syndicate_mark")
    text = reader.diagnostic_code or what.smtp_response or what.reason
    return Report(
        id="",
        kind=_kind(told),
        recipient=reader.email_address,
        mark=mark[0] if isinstance(mark, list) and mark and isinstance(mark[0], str) else "",
        receipt=told.mail.message_id,
        at=events.instant(what.timestamp or told.mail.timestamp),
        status=status_in(reader.status) or status_in(text),
        text=text,
    )


def _kind(told: Told) -> ReportKind:
    match told.kind:
        case "Bounce":
            return _bounced(told.what, told.reader)
        case "Complaint":
            good = told.what.complaint_feedback_type == "not-spam"
            return ReportKind.NOT_SPAM if good else ReportKind.COMPLAINT
        case "Delivery":
            return ReportKind.DELIVERED
        case "DeliveryDelay":
            return ReportKind.DEFERRED
        case "Subscription" if told.what.new_topic_preferences.get("unsubscribeAll") is True:
            return ReportKind.UNSUBSCRIBED
    return ReportKind.OTHER


def _bounced(what: What, reader: Reader) -> ReportKind:
    """By the receiver's own code where there is one. `Undetermined` costs nobody anything."""
    told = f"{reader.status} {reader.diagnostic_code}"
    match what.bounce_type:
        case "Permanent":
            return bounce_kind(reader.status, reader.diagnostic_code) if has_code(told) else ReportKind.HARD
        case "Transient":
            return ReportKind.POLICY if what.bounce_sub_type in _OURS else ReportKind.SOFT
    return ReportKind.OTHER
