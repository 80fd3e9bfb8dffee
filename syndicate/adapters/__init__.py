"""Message -> wire: one file a network, found by name.

`base` is the contract, `README.md` the recipe for a network of your own. Adapters are named by strings, so that who
mails never imports LinkedIn.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from syndicate.errors import ConfigError

if TYPE_CHECKING:
    from syndicate.adapters.base import Adapter

#: The group in which installed packages register adapters, in the form of `BUILTIN`.
GROUP = "syndicate.adapters"

#: name -> `module:class`
BUILTIN = {
    "apprise": "syndicate.adapters.apprise:Apprise",
    "bluesky": "syndicate.adapters.bluesky:Bluesky",
    "brevo": "syndicate.adapters.brevo:Brevo",
    "discord": "syndicate.adapters.discord:Discord",
    "file": "syndicate.adapters.file:File",
    "linkedin": "syndicate.adapters.linkedin:LinkedIn",
    "mailgun": "syndicate.adapters.mailgun:Mailgun",
    "mastodon": "syndicate.adapters.mastodon:Mastodon",
    "postmark": "syndicate.adapters.postmark:Postmark",
    "resend": "syndicate.adapters.resend:Resend",
    "sendgrid": "syndicate.adapters.sendgrid:SendGrid",
    "ses": "syndicate.adapters.ses:Ses",
    "slack": "syndicate.adapters.slack:Slack",
    "smtp": "syndicate.adapters.smtp:Smtp",
    "telegram": "syndicate.adapters.telegram:Telegram",
    "threads": "syndicate.adapters.threads:Threads",
    "webhook": "syndicate.adapters.webhook:Webhook",
    "x": "syndicate.adapters.x:X",
}


def names() -> tuple[str, ...]:
    """Every adapter there is, sorted: ours and those that installed packages register."""
    return tuple(sorted(BUILTIN.keys() | _registered()))


def load(name: str) -> type[Adapter]:
    """The class of an adapter. A registered one cannot take the name of a built-in one.

    Raises `ConfigError` for a name that nobody registered, or a registration that leads nowhere.
    """
    place = BUILTIN.get(name) or _registered().get(name)
    if place is None:
        raise ConfigError(f"there is no adapter '{name}'", hint=_suggestion(name))
    return _imported(name, place)


def _registered() -> dict[str, str]:
    from importlib.metadata import entry_points  # costs 20 ms, and few have adapters of their own

    return {point.name: point.value for point in entry_points(group=GROUP)}


def _imported(name: str, place: str) -> type[Adapter]:
    from syndicate.adapters.base import Adapter

    module, _, attribute = place.partition(":")
    try:
        found: Any = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"adapter '{name}' cannot be loaded from {place}: {error}",
            hint="Install the package again, or remove it.",
        ) from error
    if not (isinstance(found, type) and issubclass(found, Adapter)):
        raise ConfigError(
            f"adapter '{name}': {place} is not a class derived from Adapter",
            hint="syndicate/adapters/README.md shows what an adapter is.",
        )
    return found


def _suggestion(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, names(), n=1)
    return f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(names())}."
