"""A person signs in at a network for an account, and the token is kept; or what is known of it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from syndicate.accounts import sign_in, with_granted
from syndicate.adapters import http
from syndicate.adapters.signin import LOOPBACK, SignIn
from syndicate.config.secrets import token_accounts
from syndicate.errors import ConfigError, SyndicateError, UsageError
from syndicate.signin import flow
from syndicate.signin.listener import Listener
from syndicate.signin.renewal import renewable
from syndicate.signin.vault import Token

if TYPE_CHECKING:
    import requests

    from syndicate.app import App

#: Seconds that a person has for a sign-in; the code itself lives for minutes.
PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Connection:
    """What is known of an account's sign-in; no secret is in it."""

    account: str
    #: the adapter
    network: str
    #: who has signed in, for people; empty: nobody
    called: str = ""
    scopes: tuple[str, ...] = ()
    #: scopes that posting needs and that the network did not give
    missing: tuple[str, ...] = ()
    #: option -> what the sign-in tells of it
    options: Mapping[str, str] | None = None
    #: aware; None: the network says of no end
    until: datetime | None = None
    #: whether it is renewed by itself
    renewed: bool = False
    #: aware; when somebody has to sign in again; None: nobody knows of such a day
    again: datetime | None = None
    #: what speaks against it; empty: nothing
    fault: str = ""

    @property
    def good(self) -> bool:
        """Whether the account can post with it."""
        return bool(self.called) and not (self.fault or self.missing)


class Door(Protocol):
    """Where the answer of a sign-in comes in."""

    #: the address that the network is told
    redirect: str

    def expect(self, is_ours: Callable[[Mapping[str, str]], bool]) -> None:
        """What tells our answer from another."""

    def wait(self, seconds: float) -> Mapping[str, str]:
        """The query of our answer."""


class Pasted:
    """The person copies the address that the browser ended at: it may be on another machine."""

    def __init__(self, redirect: str, ask: Callable[[], str]) -> None:
        self.redirect = redirect
        self._ask = ask
        self._is_ours: Callable[[Mapping[str, str]], bool] = lambda query: False

    def expect(self, is_ours: Callable[[Mapping[str, str]], bool]) -> None:
        """What tells our answer from another."""
        self._is_ours = is_ours

    def wait(self, seconds: float) -> Mapping[str, str]:
        """The query of the address that was pasted. Raises `SyndicateError` where it belongs to another sign-in."""
        query = flow.query_of(self._ask().strip())
        if not self._is_ours(query):
            raise SyndicateError(
                "that address does not belong to this sign-in: its `state` is another one",
                hint="Open the address that is shown now, and copy the one that the browser ends at, whole.",
            )
        return query


def connect(
    app: App,
    name: str,
    show: Callable[[str], None],
    ask: Callable[[], str] | None = None,
    patience: float = PATIENCE,
    *,
    other: bool = False,
) -> Connection:
    """Signs in and keeps the token. `show` is given the address to open; with `ask`, the answer is pasted; `other`:
    somebody else than the last time may have signed in.

    Raises `UsageError` for an account that has no sign-in, `SyndicateError` where the network or the person says no.
    A token that lacks a scope is not kept.
    """
    how = way_in(app, name)
    with door(how, ask) as opened, http.session() as session:
        how = flow.registered(session, how, opened.redirect)
        attempt = flow.Attempt(how, opened.redirect)
        opened.expect(attempt.is_ours)
        show(attempt.page)
        code = attempt.code(opened.wait(patience))
        known = Token(account=name, network=app.settings.accounts[name].adapter, access="", made=app.clock())
        token = flow.redeemed(session, attempt, code, known)
    check(app, how, token)
    if not other:
        check_same(app, token)
    with app.vault.alone(name):  # a renewal that is under way must not put its own in this one's place
        app.vault.write(token)
    return told(how, token, app.clock())


def way_in(app: App, name: str) -> SignIn:
    """How an account signs in. Raises `UsageError` where it does not, or where something is missing for it."""
    if name not in app.settings.accounts:
        raise UsageError(f"there is no account {name!r}", hint=f"Accounts: {', '.join(app.settings.accounts)}.")
    how = sign_in(app.loaded, app.settings, name, app.vault)
    if how is None:
        adapter = app.settings.accounts[name].adapter
        raise UsageError(f"nobody signs in at {adapter}", hint="Its credentials stand in the configuration.")
    if name not in token_accounts(with_granted(name, app.settings.accounts[name].options, ("token",))):
        raise UsageError(
            f"account {name} has its `token` in the configuration, so a sign-in would be of no use",
            hint=f"Remove `token` there, and run it again: syndicate connect {name}",
        )
    if not (how.client_id or how.register):
        raise UsageError(
            f"account {name} has no `client_id`",
            hint=f"Make an application at the network, with the redirect address {how.redirect}, and set both.",
        )
    return how


def door(how: SignIn, ask: Callable[[], str] | None) -> AbstractContextManager[Door]:
    """A listener, where the network sends people back to this machine; else the person brings the answer."""
    if ask is not None:
        return nullcontext(Pasted(how.redirect, ask))
    if urlsplit(how.redirect).hostname not in LOOPBACK:
        raise UsageError(
            f"the network sends people back to {how.redirect}, which is not this machine",
            hint="Run it with --paste: you copy the address that the browser ends at.",
        )
    return Listener(how.redirect)


def check(app: App, how: SignIn, token: Token) -> None:
    """Whether the account can post with the token. Raises `SyndicateError`."""
    if lacking := flow.missing(how, token):
        raise SyndicateError(
            f"the network did not give what posting needs: {', '.join(lacking)}; the token was not kept",
            hint="Add the product that has this scope to your application at the network, then sign in again.",
        )
    for option, value in token.options.items():
        configured = app.settings.accounts[token.account].options.get(option, value)
        if str(configured) != value:
            raise SyndicateError(
                f"{token.called} has signed in, whose `{option}` is {value}, but the account says {configured}",
                hint=f"Sign in as the other one, or remove `{option}` from the account: the sign-in tells it.",
            )


def check_same(app: App, token: Token) -> None:
    """Whether it is the one of the last time: what waits would go out in another name. Raises `SyndicateError`."""
    try:
        before = app.vault.read(token.account)
    except ConfigError:  # it cannot be opened any more: nobody knows
        return
    if before and before.network == token.network and before.options != token.options:
        raise SyndicateError(
            f"{token.called} has signed in, and the last time it was {before.called}; the token was not kept",
            hint="Sign in as the same one. If somebody else is to post from now on, say so: --other",
        )


def state(app: App, name: str, session: requests.Session) -> Connection:
    """What is known of an account's sign-in; the network is asked whether it still takes it, where it can be asked.

    Raises `UsageError` for an account that has no sign-in, `ConfigError` where its token cannot be opened, and
    `SyndicateError` where the network does not answer.
    """
    how, token, now = way_in(app, name), app.vault.read(name), app.clock()
    if token is None:
        return Connection(name, app.settings.accounts[name].adapter, fault="nobody has signed in")
    return told(how, token, now, fault_of(session, how, token, now))


def fault_of(session: requests.Session, how: SignIn, token: Token, now: datetime) -> str:
    """Why the network does not take the token; empty where it does, or where it cannot be asked. Raises `Denied`."""
    if token.ended(now) and not renewable(token, how, now):
        return "it has ended"
    if not how.whoami or token.ended(now):  # what has ended is renewed before it is used
        return token.failed
    try:
        flow.whoami(session, how, token.access)
    except flow.Denied as denied:
        if not denied.said:
            raise
        return denied.message
    return token.failed


def told(how: SignIn, token: Token, now: datetime, fault: str = "") -> Connection:
    """A token without its secrets."""
    return Connection(
        account=token.account,
        network=token.network,
        called=token.called or token.account,
        scopes=token.scopes,
        missing=flow.missing(how, token),
        options=token.options,
        until=token.until,
        renewed=token.until is not None and renewable(token, how, now) and not token.refused,
        again=None if how.renew[0] and not token.refused else token.last_day,
        fault=fault,
    )
