"""What may stand in `config/syndicate.yaml`: each key with its type, its default and what it means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from syndicate.config.kinds import (
    CronLine,
    Database,
    Days,
    Duration,
    Email,
    FilePath,
    Host,
    Hours,
    Language,
    Line,
    LinksBase,
    Lookback,
    Name,
    Network,
    Rhythm,
    Secrets,
    Url,
    Zone,
)
from syndicate.config.settings import LOOPBACK

MOST = 1000  # articles of one edition; a mail of a thousand is clipped long before


class Part(BaseModel):
    """A mapping of the file. An unknown key is an error; text may be written as a number (`name: 2001`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, validate_default=True)


class Sender(Part):
    """Who the mail comes from."""

    name: Line = Field(description="name shown as the sender")
    email: Email = Field(description="address in From; its domain needs SPF, DKIM and DMARC")
    postal_address: str = Field(
        default="", max_length=500, description="street address for the footer; many laws ask for it in each mail"
    )


class Publication(Part):
    """Who speaks."""

    name: Line = Field(description="name of the publication")
    url: Url = Field(description="its home page; links to articles start from it")
    language: Language = Field(default="en", description="BCP 47, such as en or pt-BR")
    timezone: Zone = Field(default="UTC", description="IANA zone of schedules and bare dates, such as Asia/Kolkata")
    sender: Sender = Field(description="who the mail comes from")
    reply_to: Email | None = Field(default=None, description="where replies go, if not to the sender")
    linkedin: Url | None = Field(default=None, description="the page behind `Follow us on LinkedIn`")
    links: LinksBase | None = Field(
        default=None, description="base of the unsubscribe links (`<links>/u/<token>`), if not the home page"
    )
    bounces: Email | None = Field(
        default=None,
        description="mailbox that takes bounces, such as bounces@example.com; each mail returns to an address of its "
        "own there, bounces+<number>.<code>@example.com",
    )


class Content(Part):
    """Where the articles are."""

    folders: list[FilePath] = Field(
        default=["articles"], min_length=1, description="folders of Markdown files, relative to the project"
    )
    fetch_pictures: bool = Field(
        default=False,
        description="fetch hero images from the web, for networks that want the picture itself; https only",
    )


class Pace(Part):
    """At most so many messages begun within any span of this length, over all processes that use the database."""

    per_second: int | None = Field(default=None, ge=1, description="messages in a second")
    per_minute: int | None = Field(default=None, ge=1, description="messages in a minute")
    per_hour: int | None = Field(default=None, ge=1, description="messages in an hour")
    per_day: int | None = Field(default=None, ge=1, description="messages in 24 hours")


class Limits(Pace):
    """How fast an account may send."""

    per_domain: Pace = Field(default=Pace(), description="the same for the recipients of each domain")


class Account(BaseModel):
    """An adapter with its options, which the adapter itself checks."""

    model_config = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)

    adapter: Name = Field(description="name of the adapter, such as file, smtp, linkedin or webhook")
    limits: Limits | None = Field(
        default=None,
        description="how fast it may send; short waits are waited for, after longer ones the next run goes on",
    )


class Audience(Part):
    """Where the readers of an e-mail channel come from."""

    csv: FilePath | None = Field(default=None, description="CSV file of readers, relative to the project")
    list: Name | None = Field(default=None, description="list of the subscriber store, instead of a file")
    segment: str | None = Field(
        default=None,
        description="the part of the list that gets the mail, such as "
        '`tag:python and not tag:vip and country = "IN" and joined > 2025-01-01`',
    )
    consent: Line | None = Field(
        default=None,
        description="how the people in the file said yes, such as `sign-up form on example.com, double opt-in`; "
        "without it no mail leaves this machine for them",
    )


class Webhook(BaseModel):
    """What a provider tells over HTTP, at `<links>/hooks/<name>/<secret>`. Its options are checked when it is used."""

    model_config = ConfigDict(extra="allow", frozen=True, coerce_numbers_to_str=True)

    provider: Name = Field(description="who calls, such as sendgrid or mailgun")
    secret: str = Field(min_length=1, description="last part of the URL, which only the provider knows: a reference")


class Feedback(Part):
    """Where bounces and complaints come from."""

    mailboxes: dict[Name, dict[str, Any]] = Field(
        default={}, description="name -> a Maildir (`maildir: PATH`) or an IMAP server (`imap`, `username`, `password`)"
    )
    webhooks: dict[Name, Webhook] = Field(default={}, description="name -> provider and its options")


class Operator(Part):
    """Who is told when something waits for a person, has failed, or is unknown."""

    account: str = Field(description="who tells: a key of `accounts`, such as a webhook")
    to: Email | None = Field(default=None, description="address of the mail; without it the sender's own")


class Serve(Part):
    """The public pages, which `syndicate serve` shows at `publication.links`. With this block, mails link to them."""

    lists: dict[Name, Line] = Field(
        default={}, description="lists that the sign-up form offers -> what each is, in one line"
    )
    proxies: list[Network] = Field(
        default=list(LOOPBACK), description="addresses or networks of proxies whose X-Forwarded-For is believed"
    )
    hosts: list[Host] = Field(
        default=[], description="further host names under which the pages may be asked for, beside that of the links"
    )
    metrics: list[Network] = Field(
        default=list(LOOPBACK), description="addresses or networks that may read /metrics, and no others"
    )


class Late(Part):
    """What to do with an occasion that passed while nobody was looking."""

    grace: Duration | None = Field(
        default=None, description="this late is still on time (6h; 1d for `on: publish`: dates often have no time)"
    )
    then: Literal["send", "skip", "ask"] = Field(
        default="skip",
        description="after that: send it all the same, skip it, or ask a person. However many occasions were missed, "
        "one edition takes the articles of all of them: now, or at the next occasion",
    )


class Schedule(Part):
    """When a channel speaks: one of `cron`, `every` and `on`."""

    cron: CronLine | None = Field(
        default=None, description="five fields as in crontab(5): minute, hour, day, month, weekday; or @daily"
    )
    every: Rhythm | None = Field(
        default=None,
        description="the same in words: monday 09:00 | mon, thu 09:00 | weekday 09:00 | day 18:30 | 2 hours",
    )
    on: Literal["publish"] | None = Field(
        default=None, description="publish: each post goes out when the publish date and time of its article come"
    )
    timezone: Zone | None = Field(default=None, description="IANA zone of the schedule, if not that of the publication")
    late: Late = Field(default=Late(), description="what to do with an occasion that passed unnoticed")
    blackout: list[Days] = Field(
        default=[],
        max_length=MOST,
        description="days on which nothing starts, such as 2025-12-24..2026-01-02. What falls on them does not happen: "
        "its articles wait for the next occasion; a post of `on: publish` is left to a person",
    )
    quiet: Hours | None = Field(
        default=None,
        description="hours in which nothing starts, such as 22:00-07:00. An occasion in them moves to their end; "
        "several of one night become one",
    )


class Select(Part):
    """Which articles an edition takes."""

    max: int | None = Field(
        default=None,
        ge=1,
        le=MOST,
        description="articles of a digest (10), or posts on one occasion (1); not used with `on: publish`",
    )
    min: int = Field(default=1, ge=1, le=MOST, description="a digest with fewer articles is not made")
    order: Literal["newest", "oldest"] = Field(default="newest", description="which articles come first")
    lookback: Lookback = Field(
        default=timedelta(days=30),
        description="how far back an article may lie, such as 30d, at least to the last edition; all: any age",
    )
    tags: list[Line] = Field(default=[], description="an article needs one of these tags; empty: any article")


class Channel(Part):
    """A destination: what to select, which template, when, which account."""

    kind: Literal["digest", "post"] = Field(description="digest: one mail about many articles | post: one per article")
    account: str = Field(description="who delivers: a key of `accounts`")
    audience: str | None = Field(default=None, description="who receives a digest: a key of `audiences`")
    template: Name | None = Field(default=None, description="stem of the template files, if not the channel's name")
    schedule: Schedule | None = Field(default=None, description="when; without it the channel speaks only by hand")
    select: Select = Field(default=Select(), description="which articles an edition takes")
    approval: Literal["none", "required"] | None = Field(
        default=None,
        description="whether a person has to approve each edition before it goes out (none; required for linkedin)",
    )
    unknown: Literal["hold", "resend"] = Field(
        default="hold", description="a delivery without an answer: hold it for a person, or send it again"
    )
    thread: int | None = Field(
        default=None,
        ge=3,
        le=25,
        description="make a thread of each article, of at most so many posts: the post, what its text says, and at the "
        "end the call to action with the link. For networks that recognise a repeat of every part: mastodon, bluesky",
    )
    numbered: bool = Field(default=False, description="each post of a thread ends with its number, such as 2/5")
    max_recipients: int | None = Field(
        default=None, ge=1, description="an edition for more recipients is not begun: a person has to look first"
    )
    max_growth: int | None = Field(
        default=None, ge=0, description="percent by which it may have more recipients than the channel's last edition"
    )


class Config(Part):
    """The configuration of a Syndicate project."""

    publication: Publication = Field(description="who speaks")
    mode: Literal["rehearsal", "live"] = Field(
        default="rehearsal", description="rehearsal: only accounts that write to this disk | live: the networks too"
    )
    database: Database = Field(
        default="sqlite:///var/syndicate.db", description="where it is remembered what was sent; SQLAlchemy URL"
    )
    secret: Secrets = Field(
        default=["${file:var/secret}"],
        description="key material of unsubscribe links and Message-IDs; the default file is made on first use. A list: "
        "the first is used, and links that were made with the others still work, for as long as they are kept here",
    )
    content: Content = Field(default=Content(), description="where the articles are")
    templates: FilePath = Field(default="templates", description="folder of the templates, relative to the project")
    accounts: dict[Name, Account] = Field(min_length=1, description="name -> adapter and its options")
    audiences: dict[Name, Audience] = Field(default={}, description="name -> where the readers come from")
    feedback: Feedback = Field(default=Feedback(), description="where bounces and complaints come from")
    operator: Operator | None = Field(default=None, description="who is told when something waits or has failed")
    serve: Serve | None = Field(default=None, description="the public pages: sign-up, preferences, unsubscribing")
    channels: dict[Name, Channel] = Field(min_length=1, description="name -> destination")


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file, as editors with a YAML language server use it."""
    schema = Config.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Syndicate configuration"}
