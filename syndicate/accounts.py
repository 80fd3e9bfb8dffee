"""Accounts of the configuration as adapters: with their secrets, or with stand-ins where nothing is to be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syndicate.config.load import Loaded
from syndicate.config.secrets import no_tokens, token_accounts
from syndicate.config.settings import Settings
from syndicate.errors import ConfigError
from syndicate.model import Problem

if TYPE_CHECKING:
    from pydantic import BaseModel

    from syndicate.adapters.base import Adapter
    from syndicate.adapters.signin import SignIn
    from syndicate.signin.vault import Vault

Resolve = Callable[[str], str]
#: The stamp of a token that nobody was given.
NOBODY = (0, 0)
#: In the place of what is not set on this machine: a word, a key in base64, an address; and, where nobody has signed in
#: yet, the name of a person and a number.
STAND_INS = (
    "not-set",
    "bm90LXNldCwgbm90LXNldCwgbm90LXNldCwgbm90LXNldA==",
    "https://not-set.invalid/not-set",
    "urn:li:person:not-set",
    "0",
)


class Live:
    """Adapters as they send: each is made once, and anew when a token that it uses has changed."""

    def __init__(self, loaded: Loaded, settings: Settings, vault: Vault) -> None:
        self._loaded = loaded
        self._settings = settings
        self._vault = vault
        #: account -> (stamps of its tokens, its adapter)
        self._made: dict[str, tuple[object, Adapter]] = {}

    def __call__(self, name: str) -> Adapter:
        """Raises `ConfigError` with the problems; a secret that is not set is one."""
        stamps = [self._vault.stamp(account) for account in self._tokens(name)]
        known = self._made.get(name)
        if known is None or known[0] != stamps:
            resolve = resolve_strictly(self._settings.root, tokens_of(self._vault))
            known = self._made[name] = (stamps, make_adapter(self._loaded, self._settings, name, resolve))
        return known[1]

    def renew(self, name: str, now: datetime, *, idle: bool) -> None:
        """Renews the tokens that an account uses, where it is time. Raises `ConfigError`.

        `idle`: there is nothing to send, so only what could not be renewed once it has ended.
        """
        for account in self._tokens(name):
            if self._vault.stamp(account) == NOBODY or account not in self._settings.accounts:
                continue
            from syndicate.signin.renewal import renew

            how = sign_in(self._loaded, self._settings, account, self._vault)
            if how and (how.renew[0] or not idle):
                renew(self._vault, account, how, now)

    def _tokens(self, name: str) -> list[str]:
        return sorted({name, *token_accounts(self._settings.accounts[name].options)})


def pretended(loaded: Loaded, settings: Settings, name: str, vault: Vault) -> Adapter:
    """The same adapter for what sends nothing, so that no secret has to be set. Raises `ConfigError`."""
    return first(
        partial(make_adapter, loaded, settings, name),
        (if_set(settings.root, stand_in, tokens_of(vault)) for stand_in in STAND_INS),
    )


def sign_in(loaded: Loaded, settings: Settings, name: str, vault: Vault) -> SignIn | None:
    """How somebody signs in with an account; None: nobody does. Raises `ConfigError`, but not for want of a token."""
    adapter = first(
        partial(make_adapter, loaded, settings, name),
        (resolve_strictly(settings.root, or_else(tokens_of(vault), stand_in)) for stand_in in STAND_INS),
    )
    return adapter.signin()


def first(make: Callable[[Resolve], Adapter], ways: Iterable[Resolve]) -> Adapter:
    """The first adapter that can be made. Raises the `ConfigError` that says least: the others speak of a stand-in."""
    faults: list[ConfigError] = []
    for way in ways:
        try:
            return make(way)
        except ConfigError as error:
            faults.append(error)
    raise min(faults, key=lambda fault: len(fault.problems))


def tokens_of(vault: Vault) -> Resolve:
    """What `${token:…}` stands for."""
    from syndicate.signin.vault import reference

    return partial(reference, vault)


def make_adapter(loaded: Loaded, settings: Settings, name: str, resolve: Resolve) -> Adapter:
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
        resolved = resolve_all(with_granted(name, account.options, kind.granted), resolve)
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


def with_granted(name: str, options: Mapping[str, Any], granted: tuple[str, ...]) -> Mapping[str, Any]:
    """The options of an account, with what its own sign-in tells where the configuration says nothing."""
    return {**{option: f"${{token:{name}/{option}}}" for option in granted if option not in options}, **options}


def resolve_strictly(root: Path, tokens: Resolve = no_tokens) -> Resolve:
    """Resolves a `${…}` reference, or raises `ConfigError` saying what to set."""
    from syndicate.config.secrets import resolve

    return lambda reference: resolve(reference, root, tokens)


def if_set(root: Path, stand_in: str, tokens: Resolve = no_tokens) -> Resolve:
    """Resolves a `${…}` reference where that is possible on this machine."""
    return or_else(resolve_strictly(root, tokens), stand_in)


def or_else(resolve: Resolve, stand_in: str) -> Resolve:
    """The same, with the stand-in where it raises `ConfigError`."""

    def resolved(reference: str) -> str:
        try:
            return resolve(reference)
        except ConfigError:
            return stand_in

    return resolved
