"""`Settings` <-> the plain mapping in the shape of the file, with every default filled in.

The cache and `config show` keep the mapping; both ways stand in one module, because a key that only one of them knows
is lost. Imports no library: a warm start comes through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from syndicate.config import durations, times
from syndicate.config.settings import Account, Audience, Feedback, Mode, Operator, Serve, Settings, Webhook
from syndicate.model import Channel, Kind, Late, Mailbox, Publication, Schedule, Select
from syndicate.model.limits import Limits, Rate

Plain = Mapping[str, Any]
#: Adapters of networks whose terms want a person behind each post (LinkedIn API Terms of Use, section 3.1).
APPROVED = frozenset({"linkedin"})

#: Keys of a webhook that are not options of its provider.
OWN = frozenset({"provider", "secret"})
#: Key of a rate -> the span that it speaks of.
SPANS = {
    "per_second": timedelta(seconds=1),
    "per_minute": timedelta(minutes=1),
    "per_hour": timedelta(hours=1),
    "per_day": timedelta(days=1),
}


def build(plain: Plain, root: Path) -> Settings:
    """The settings of a checked mapping. Defaults that hang on other keys are decided here."""
    publication = make_publication(plain["publication"], pages=plain["serve"] is not None)
    secret, *earlier = [plain["secret"]] if isinstance(plain["secret"], str) else plain["secret"]
    accounts = {name: make_account(account) for name, account in plain["accounts"].items()}
    return Settings(
        root=root,
        publication=publication,
        mode=Mode(plain["mode"]),
        database=plain["database"],
        secret=secret,
        earlier_secrets=tuple(earlier),
        folders=tuple(Path(folder) for folder in plain["content"]["folders"]),
        fetch_pictures=plain["content"]["fetch_pictures"],
        templates=Path(plain["templates"]),
        accounts=accounts,
        audiences={name: make_audience(name, audience) for name, audience in plain["audiences"].items()},
        channels={
            name: make_channel(name, channel, accounts, publication.timezone)
            for name, channel in plain["channels"].items()
        },
        operator=make_operator(plain["operator"], publication),
        feedback=make_feedback(plain["feedback"]),
        serve=make_serve(plain["serve"]),
    )


def make_publication(plain: Plain, *, pages: bool) -> Publication:
    """Who speaks; the unsubscribe links are pages of the publication's own site, if nothing else is said."""
    sender = plain["sender"]
    return Publication(
        name=plain["name"],
        url=plain["url"],
        language=plain["language"],
        timezone=plain["timezone"],
        sender=Mailbox(sender["email"], sender["name"]),
        reply_to=plain["reply_to"] or "",
        postal_address=sender["postal_address"],
        linkedin=plain["linkedin"] or "",
        links=plain["links"] or plain["url"].rstrip("/"),
        bounces=plain["bounces"] or "",
        pages=pages,
    )


def make_operator(plain: Plain | None, publication: Publication) -> Operator | None:
    """A mail goes to whoever sends the mails of the publication, if nothing else is said."""
    return Operator(plain["account"], plain["to"] or publication.sender.address) if plain else None


def make_serve(plain: Plain | None) -> Serve | None:
    """The public pages, where the file speaks of them."""
    if plain is None:
        return None
    return Serve(plain["lists"], *(tuple(plain[key]) for key in ("proxies", "hosts", "metrics")))


def make_feedback(plain: Plain) -> Feedback:
    """What is neither provider nor secret of a webhook is its options."""
    webhooks = {
        name: Webhook(one["provider"], one["secret"], {key: one[key] for key in one if key not in OWN})
        for name, one in plain["webhooks"].items()
    }
    return Feedback(plain["mailboxes"], webhooks)


def plain_feedback(feedback: Feedback) -> dict[str, Any]:
    """The block `feedback:`."""
    return {
        "mailboxes": {name: dict(options) for name, options in feedback.mailboxes.items()},
        "webhooks": {
            name: {"provider": one.provider, "secret": one.secret, **one.options}
            for name, one in feedback.webhooks.items()
        },
    }


def make_audience(name: str, plain: Plain) -> Audience:
    """People from a file leave the audience as they leave a list: it is one, of the same name."""
    csv = Path(plain["csv"]) if plain["csv"] else None
    return Audience(csv, plain["list"] or name, plain["segment"] or "", plain["consent"] or "")


def make_account(plain: Plain) -> Account:
    """What is neither the adapter's name nor the limits is its options."""
    options = {key: value for key, value in plain.items() if key not in {"adapter", "limits"}}
    return Account(plain["adapter"], options, make_limits(plain.get("limits") or {}))


def make_limits(plain: Plain) -> Limits:
    """The rates that are given."""
    return Limits(make_rates(plain), make_rates(plain.get("per_domain") or {}))


def make_rates(plain: Plain) -> tuple[Rate, ...]:
    """`per_second`, `per_minute`, … as rates."""
    return tuple(Rate(plain[key], span) for key, span in SPANS.items() if plain.get(key))


def make_channel(name: str, plain: Plain, accounts: Mapping[str, Account], zone: str) -> Channel:
    """A channel; a digest has the template `digest`, a post the one of its network."""
    kind = Kind(plain["kind"])
    adapter = accounts[plain["account"]].adapter
    usual = "digest" if kind is Kind.DIGEST else adapter
    return Channel(
        name=name,
        kind=kind,
        account=plain["account"],
        audience=plain["audience"] or "",
        template=plain["template"] or usual,
        schedule=make_schedule(plain["schedule"], zone),
        select=make_select(plain["select"], 10 if kind is Kind.DIGEST else 1),
        approval=plain["approval"] or ("required" if adapter in APPROVED else "none"),
        unknown=plain["unknown"],
        thread=plain["thread"] or 0,
        numbered=plain["numbered"],
        max_recipients=plain["max_recipients"],
        max_growth=plain["max_growth"],
    )


def make_schedule(plain: Plain | None, zone: str) -> Schedule:
    """Without a schedule a channel speaks by hand only."""
    if plain is None:
        return Schedule(zone=zone)
    on_publish = plain["on"] == "publish"
    # A publish date without a time is the beginning of that day, and the article is often written later.
    usual = timedelta(days=1) if on_publish else Late().grace
    grace = plain["late"]["grace"]
    return Schedule(
        cron=plain["cron"] or (times.crontab(plain["every"]) if plain["every"] else ""),
        on_publish=on_publish,
        zone=plain["timezone"] or zone,
        late=Late(grace=durations.parse(grace) if grace else usual, then=plain["late"]["then"]),
        blackout=tuple(map(times.blackout, plain["blackout"])),
        quiet=times.quiet(plain["quiet"]) if plain["quiet"] else None,
    )


def make_select(plain: Plain, usual: int) -> Select:
    """`usual`: how many articles an edition takes where nothing is said."""
    return Select(
        max=plain["max"] or usual,
        min=plain["min"],
        order=plain["order"],
        lookback=None if plain["lookback"] == "all" else durations.parse(plain["lookback"]),
        tags=tuple(plain["tags"]),
    )


def plain(settings: Settings) -> dict[str, Any]:
    """The mapping from which `build` makes equal settings."""
    return {
        "publication": plain_publication(settings.publication),
        "mode": settings.mode.value,
        "database": settings.database,
        "secret": [settings.secret, *settings.earlier_secrets] if settings.earlier_secrets else settings.secret,
        "content": {
            "folders": [str(folder) for folder in settings.folders],
            "fetch_pictures": settings.fetch_pictures,
        },
        "templates": str(settings.templates),
        "accounts": {name: plain_account(account) for name, account in settings.accounts.items()},
        "audiences": {name: plain_audience(audience) for name, audience in settings.audiences.items()},
        "operator": {"account": settings.operator.account, "to": settings.operator.to} if settings.operator else None,
        "serve": plain_serve(settings.serve),
        "feedback": plain_feedback(settings.feedback),
        "channels": {name: plain_channel(channel) for name, channel in settings.channels.items()},
    }


def plain_audience(audience: Audience) -> dict[str, Any]:
    """A file, or a list of the store."""
    stored = {"csv": None, "list": audience.list, "segment": audience.segment or None}
    file = {"csv": str(audience.csv), "list": None, "segment": None}
    return (file if audience.csv else stored) | {"consent": audience.consent or None}


def plain_serve(serve: Serve | None) -> dict[str, Any] | None:
    """The block `serve:`."""
    if serve is None:
        return None
    lists = {"proxies": serve.proxies, "hosts": serve.hosts, "metrics": serve.metrics}
    return {"lists": dict(serve.lists), **{key: list(value) for key, value in lists.items()}}


def plain_account(account: Account) -> dict[str, Any]:
    """One entry of `accounts:`."""
    limits: dict[str, Any] = plain_rates(account.limits.account)
    if account.limits.domain:
        limits["per_domain"] = plain_rates(account.limits.domain)
    return {"adapter": account.adapter, **({"limits": limits} if limits else {}), **account.options}


def plain_rates(rates: Iterable[Rate]) -> dict[str, int]:
    """`per_second`, `per_minute`, …: those that are given."""
    names = {span: key for key, span in SPANS.items()}
    return {names[rate.span]: rate.count for rate in rates}


def plain_publication(publication: Publication) -> dict[str, Any]:
    """The block `publication:`."""
    return {
        "name": publication.name,
        "url": publication.url,
        "language": publication.language,
        "timezone": publication.timezone,
        "sender": {
            "name": publication.sender.name,
            "email": publication.sender.address,
            "postal_address": publication.postal_address,
        },
        "reply_to": publication.reply_to or None,
        "linkedin": publication.linkedin or None,
        "links": publication.links,
        "bounces": publication.bounces or None,
    }


def plain_channel(channel: Channel) -> dict[str, Any]:
    """One entry of `channels:`."""
    select = channel.select
    return {
        "kind": channel.kind.value,
        "account": channel.account,
        "audience": channel.audience or None,
        "template": channel.template,
        "schedule": plain_schedule(channel.schedule),
        "select": {
            "max": select.max,
            "min": select.min,
            "order": select.order,
            "lookback": "all" if select.lookback is None else durations.write(select.lookback),
            "tags": list(select.tags),
        },
        "approval": channel.approval,
        "unknown": channel.unknown,
        "thread": channel.thread or None,
        "numbered": channel.numbered,
        "max_recipients": channel.max_recipients,
        "max_growth": channel.max_growth,
    }


def plain_schedule(schedule: Schedule) -> dict[str, Any] | None:
    """The block `schedule:`; whatever the author wrote, its times are a crontab line."""
    if not (schedule.cron or schedule.on_publish):
        return None
    return {
        "cron": schedule.cron or None,
        "every": None,
        "on": "publish" if schedule.on_publish else None,
        "timezone": schedule.zone,
        "late": {"grace": durations.write(schedule.late.grace), "then": schedule.late.then},
        "blackout": [times.write_blackout(days) for days in schedule.blackout],
        "quiet": times.write_quiet(schedule.quiet) if schedule.quiet else None,
    }
