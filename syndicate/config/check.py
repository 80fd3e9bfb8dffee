"""The whole check of a configuration: notation, values, and what only shows when two keys are seen together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from syndicate.config.document import Document, read
from syndicate.config.faults import literal_secrets, validated
from syndicate.config.nearest import did_you_mean
from syndicate.config.plain import APPROVED, build
from syndicate.config.schema import Config
from syndicate.config.secrets import has_literal_password, is_reference
from syndicate.config.settings import Settings
from syndicate.model import Problem, Severity
from syndicate.model.segments import SegmentError, parse


def check(text: str, shown: str, root: Path) -> tuple[Settings | None, tuple[Problem, ...]]:
    """The settings, or None where there is an error, and every problem in the order of the file."""
    document = read(text, shown)
    if not document.data:
        empty = Problem(
            shown, "the file is empty", hint="`syndicate init` writes a starter project.", code="config.empty"
        )
        return None, document.problems or (empty,)
    config, faults = validated(Config, document.data, (), document)
    found = [*document.problems, *faults, *together(document), *segments(document, text)]
    problems = tuple(sorted(found, key=lambda problem: (problem.line, problem.column, problem.message)))
    if config is None or any(problem.severity is Severity.ERROR for problem in problems):
        return None, problems
    return build(config.model_dump(mode="json"), root), problems


def together(document: Document) -> Iterator[Problem]:
    """What one key alone cannot tell. Works on the bare data, so that it is found beside all else that is wrong."""
    channels = mapping(document.data.get("channels"))
    for name, channel in channels.items():
        yield from channel_references(name, mapping(channel), document)
        yield from channel_limits(name, mapping(channel), document)
        yield from channel_schedule(name, mapping(channel), document)
        yield from channel_thread(name, mapping(channel), document)
    for name, audience in mapping(document.data.get("audiences")).items():
        yield from audience_source(name, mapping(audience), document)
    yield from operator_reference(document)
    yield from unknown_lists(document)
    yield from legal_notices(document, [mapping(channel) for channel in channels.values()])
    yield from exposed_secrets(document)
    yield from unaligned_signatures(document)


def unaligned_signatures(document: Document) -> Iterator[Problem]:
    """A DKIM domain that is not the sender's own does nothing for DMARC (RFC 7489 §3.1.1), and is refused when sent."""
    publication = mapping(document.data.get("publication"))
    sender = str(mapping(publication.get("sender")).get("email", "")).lower().rpartition("@")[2]
    for name, account in mapping(document.data.get("accounts")).items():
        domain = str(mapping(mapping(account).get("dkim")).get("domain", "")).lower()
        if domain and not f".{sender}".endswith(f".{domain}"):
            message = f"the mail comes from {sender}, which {domain} cannot sign for"
            hint = "Write the domain of publication.sender.email, or one above it."
            yield document.problem(("accounts", name, "dkim", "domain"), message, hint=hint, code="config.dkim")


def channel_references(name: str, channel: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    """Accounts and audiences that a channel names."""
    for key, block in (("account", "accounts"), ("audience", "audiences")):
        known = mapping(document.data.get(block))
        wanted = channel.get(key)
        if isinstance(wanted, (str, int, float)) and str(wanted) not in known:
            near = did_you_mean(str(wanted), known)
            hint = "" if near else f"Known {block}: {', '.join(known) or 'none'}."
            message = f"there is no {key} '{wanted}'{near}"
            yield document.problem(("channels", name, key), message, hint=hint, code="config.reference")
    kind, audience = channel.get("kind"), channel.get("audience")
    if kind == "digest" and audience is None:
        message = "a digest needs the key 'audience'"
        yield document.problem(("channels", name), message, at_key=True, hint="It says who receives the mail.")
    if kind == "post" and audience is not None:
        message = "a post goes to the account's own followers; the audience is not used"
        yield document.problem(("channels", name, "audience"), message, Severity.WARNING, at_key=True)


def audience_source(name: str, audience: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    """An audience is a file or a list of the store."""
    csv, stored = (audience.get(key) is not None for key in ("csv", "list"))
    path = ("audiences", name)
    if csv and stored:
        message = "'csv' says already who they are; keep one of them"
        yield document.problem((*path, "list"), message, at_key=True)
    if not csv and not stored:
        hint = "Write `csv: FILE` for readers from a file, or `list: NAME` for subscribers."
        yield document.problem(path, "one of the keys 'csv' and 'list' is missing", at_key=True, hint=hint)
    if csv and audience.get("segment") is not None:
        hint = "Take the others out of the file, or import it into a list: syndicate audience import."
        message = "only a list of the store has segments, and this is a file"
        yield document.problem((*path, "segment"), message, at_key=True, hint=hint)
    if stored and audience.get("consent") is not None:
        message = "the store has a record of each subscriber's consent; this is not used"
        yield document.problem((*path, "consent"), message, Severity.WARNING, at_key=True)


def segments(document: Document, text: str) -> Iterator[Problem]:
    """Expressions that cannot be understood, each at the very character."""
    lines = text.splitlines()
    for name, audience in mapping(document.data.get("audiences")).items():
        segment, path = mapping(audience).get("segment"), ("audiences", name, "segment")
        if not isinstance(segment, str):
            continue
        try:
            parse(segment)
        except SegmentError as error:
            near = did_you_mean(*error.near) if error.near[0] else ""
            found = document.problem(path, f"{error}{near}", code="config.segment")
            before = lines[found.line - 1][found.column - 1 :]
            if segment in before:  # on one line as it is meant, without an escape
                found = replace(found, column=found.column + before.index(segment) + error.offset)
            yield found


def operator_reference(document: Document) -> Iterator[Problem]:
    """The account that tells the operator."""
    known, wanted = mapping(document.data.get("accounts")), mapping(document.data.get("operator")).get("account")
    if isinstance(wanted, (str, int, float)) and str(wanted) not in known:
        message = f"there is no account '{wanted}'{did_you_mean(str(wanted), known)}"
        yield document.problem(("operator", "account"), message, code="config.reference")
    if mapping(known.get(str(wanted))).get("adapter") in APPROVED:
        hint = "Name one that only you see, such as a webhook or a mail account."
        yield document.problem(("operator", "account"), "it would publish what is meant for the operator", hint=hint)


def unknown_lists(document: Document) -> Iterator[Problem]:
    """A list that the form offers needs a channel of its own: its account sends the confirmation."""
    audiences = mapping(document.data.get("audiences"))
    channels = mapping(document.data.get("channels")).values()
    used = {str(mapping(channel).get("audience")) for channel in channels}
    served = {str(mapping(audience).get("list", "")) for name, audience in audiences.items() if str(name) in used}
    for name in mapping(mapping(document.data.get("serve")).get("lists")):
        if str(name) not in served:
            near = did_you_mean(str(name), served)
            hint = "" if near else f"Write `audiences: {{readers: {{list: {name}}}}}`, and a channel for these readers."
            message = f"no channel sends to a list '{name}'{near}"
            yield document.problem(("serve", "lists", name), message, at_key=True, hint=hint, code="config.reference")


def channel_limits(name: str, channel: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    """A digest that could never be made."""
    select = mapping(channel.get("select"))
    least, most = select.get("min", 1), select.get("max", 10)
    if channel.get("kind") == "digest" and isinstance(least, int) and isinstance(most, int) and least > most > 0:
        message = f"at least {least} articles are wanted and at most {most} taken: no edition could be made"
        yield document.problem(("channels", name, "select", "min" if "min" in select else "max"), message)


def channel_schedule(name: str, channel: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    """A schedule says one thing, and one that fits its channel."""
    schedule, path = mapping(channel.get("schedule")), ("channels", name, "schedule")
    given = [key for key in ("cron", "every", "on") if schedule.get(key) is not None]
    if schedule and not given:
        hint = "Write `every: monday 09:00`, a `cron` line, or `on: publish` for posts."
        yield document.problem(path, "one of the keys 'cron', 'every' and 'on' is missing", at_key=True, hint=hint)
    for key in given[1:]:
        message = f"'{given[0]}' says already when; keep one of them"
        yield document.problem((*path, key), message, at_key=True)
    if schedule.get("on") == "publish" and channel.get("kind") == "digest":
        hint = "Write `every: monday 09:00`, or make it a channel of `kind: post`."
        message = "a digest gathers many articles and has no publish date of its own"
        yield document.problem((*path, "on"), message, at_key=True, hint=hint)


def channel_thread(name: str, channel: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    """Keys of a thread where none is made."""
    if channel.get("kind") == "digest" and channel.get("thread") is not None:
        message = "only posts make threads; this is not used"
        yield document.problem(("channels", name, "thread"), message, Severity.WARNING, at_key=True)
    if channel.get("numbered") and channel.get("thread") is None:
        message = "only the posts of a thread are numbered, and the key 'thread' is missing"
        yield document.problem(("channels", name, "numbered"), message, Severity.WARNING, at_key=True)


def legal_notices(document: Document, channels: list[Mapping[str, Any]]) -> Iterator[Problem]:
    """What mail to a list needs."""
    if not any(channel.get("kind") == "digest" for channel in channels):
        return
    publication = mapping(document.data.get("publication"))
    sender = mapping(publication.get("sender"))
    if sender and not sender.get("postal_address"):
        message = "'postal_address' is missing: many laws ask for a street address in each mail (CAN-SPAM §7704(a)(5))"
        yield document.problem(("publication", "sender"), message, Severity.WARNING, at_key=True)
    url = publication.get("url")
    if not publication.get("links") and isinstance(url, str) and url.startswith("http://"):
        message = "unsubscribe links start with it, and mail programs want https:// there (RFC 8058)"
        hint = "Set publication.links to an https address."
        yield document.problem(("publication", "url"), message, Severity.WARNING, hint=hint)


def exposed_secrets(document: Document) -> Iterator[Problem]:
    """Secrets that stand in the file itself."""
    yield from literal_secrets(mapping(document.data.get("accounts")), ("accounts",), document)
    yield from literal_secrets(mapping(document.data.get("feedback")), ("feedback",), document)
    secret, database = document.data.get("secret"), document.data.get("database")
    for each in secret if isinstance(secret, list) else [secret]:
        if isinstance(each, str) and not is_reference(each):
            yield from literal_secrets({"secret": each}, (), document)
    if isinstance(database, str) and has_literal_password(database):
        hint = 'Write "postgresql://user:${env:DATABASE_PASSWORD}@host/name".'
        message = "a password stands in the file, where others may read it"
        yield document.problem(("database",), message, Severity.WARNING, hint=hint, code="config.literal-secret")


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one: its own mistake is reported elsewhere."""
    return value if isinstance(value, Mapping) else {}
