"""What decides the bytes of an edition, as hashes: a plan is known by them, and an approval is bound to them."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from syndicate.config.secrets import redact
from syndicate.errors import ConfigError
from syndicate.model import Edition, Plan

if TYPE_CHECKING:
    from syndicate.app import App


def plan_hash(app: App, plan: Plan) -> str:
    """Hex SHA-256 over all that decides the bytes of its editions."""
    parts = [(edition.key, fingerprints(app, edition)) for edition in plan.editions]
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def fingerprints(app: App, edition: Edition) -> dict[str, str]:
    """What decides the bytes of an edition -> hex SHA-256 of it as it is now, without any secret."""
    channel = edition.channel
    account = app.settings.accounts[channel.account]
    parts = {
        "articles": repr([(one.path, one.sha256, sorted(one.overrides.text.items())) for one in edition.articles]),
        "templates": template_fingerprint(app, channel.template),
        "publication": repr(app.settings.publication),
        f"channels.{channel.name}": repr(channel),
        f"accounts.{channel.account}": repr((account.adapter, redact(account.options), *granted(app, channel.account))),
    }
    if channel.audience:
        parts[f"audiences.{channel.audience}"] = app.readers(channel.audience).fingerprint()
    return {name: sha256(part.encode()).hexdigest() for name, part in parts.items()}


def granted(app: App, account: str) -> list[list[tuple[str, str]]]:
    """What a sign-in tells of an account, such as who posts; empty where nobody has signed in."""
    try:
        token = app.vault.read(account)
    except ConfigError:
        return []
    return [sorted(token.options.items())] if token else []


def written(app: App, edition: Edition) -> str:
    """Its fingerprints, as the ledger keeps them."""
    return json.dumps(fingerprints(app, edition))


def template_fingerprint(app: App, name: str) -> str:
    """Hex SHA-256 over every template that an edition of this name may use: its own files, and what they include."""
    digest = sha256(name.encode())
    for folder in app.templates().folders:
        for path in sorted(folder.rglob("*.j2")):
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
