"""Accounts of the configuration as adapters: with their secrets, or with stand-ins where nothing is to be sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from syndicate.config.load import Loaded
from syndicate.config.settings import Settings
from syndicate.errors import ConfigError
from syndicate.model import Problem

if TYPE_CHECKING:
    from pydantic import BaseModel

    from syndicate.adapters.base import Adapter

#: In the place of a secret that is not set on this machine: a word, a key in base64, an address.
STAND_INS = ("not-set", "bm90LXNldCwgbm90LXNldCwgbm90LXNldCwgbm90LXNldA==", "https://not-set.invalid/not-set")


def live(loaded: Loaded, settings: Settings, name: str) -> Adapter:
    """An account's adapter as it sends. Raises `ConfigError` with the problems; a secret that is not set is one."""
    return make_adapter(loaded, settings, name, resolve_strictly(settings.root))


def pretended(loaded: Loaded, settings: Settings, name: str) -> Adapter:
    """The same adapter for what sends nothing, so that no secret has to be set. Raises `ConfigError`."""
    faults: list[ConfigError] = []
    for stand_in in STAND_INS:
        try:
            return make_adapter(loaded, settings, name, if_set(settings.root, stand_in))
        except ConfigError as error:
            faults.append(error)
    raise min(faults, key=lambda fault: len(fault.problems))  # the others complain of a stand-in


def make_adapter(loaded: Loaded, settings: Settings, name: str, resolve: Callable[[str], str]) -> Adapter:
    """An account's adapter with its checked options. Raises `ConfigError` with the problems."""
    from syndicate.adapters import load as load_adapter
    from syndicate.config.load import validate
    from syndicate.config.secrets import resolve_all

    account = settings.accounts[name]
    try:
        kind = load_adapter(account.adapter)
    except ConfigError as error:
        problem = at(loaded, ("accounts", name, "adapter"), error)
        raise ConfigError(f"account {name} cannot be used", problems=[problem]) from error
    try:
        resolved = resolve_all(account.options, resolve)
    except ConfigError as error:
        raise ConfigError(f"account {name} cannot be used", problems=[at(loaded, ("accounts", name), error)]) from error
    options, problems = validate(kind.Options, resolved, f"accounts.{name}", loaded)
    if options is None:
        raise ConfigError(f"account {name} cannot be used", problems=problems)
    return kind(rooted(options, settings.root))


def at(loaded: Loaded, key: tuple[str, ...], error: ConfigError) -> Problem:
    """An error as a problem of the place in the configuration that it comes from."""
    line, column = loaded.position(key)
    return Problem(loaded.shown, f"{'.'.join(key[:2])}: {error.message}", line=line, column=column, hint=error.hint)


def rooted(options: BaseModel, root: Path) -> BaseModel:
    """The same options with every relative path resolved against the project's folder."""
    paths = {name: root / value for name, value in options if isinstance(value, Path)}
    return options.model_copy(update=paths)


def resolve_strictly(root: Path) -> Callable[[str], str]:
    """Resolves a `${…}` reference, or raises `ConfigError` saying what to set."""
    from syndicate.config.secrets import resolve

    return lambda reference: resolve(reference, root)


def if_set(root: Path, stand_in: str) -> Callable[[str], str]:
    """Resolves a `${…}` reference where that is possible on this machine."""
    strictly = resolve_strictly(root)

    def resolved(reference: str) -> str:
        try:
            return strictly(reference)
        except ConfigError:
            return stand_in

    return resolved
