"""Tokens are renewed before they end, by one process at a time, and never twice with the same refresh token."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from syndicate.adapters import http
from syndicate.adapters.signin import SignIn
from syndicate.signin.flow import Denied, renewed
from syndicate.signin.vault import Token, Vault

#: After a no the network is asked again only so much later; after silence sooner.
REFUSED, SILENT = timedelta(hours=6), timedelta(minutes=5)


def renew(vault: Vault, account: str, signin: SignIn, now: datetime) -> Token | None:
    """The account's token, renewed where it was time; None where there is none.

    What cannot be renewed stays as it is, with the reason; the network decides for how long it is still taken.
    """
    token = vault.read(account)
    if token is None or not is_time(token, signin, now):
        return token
    with vault.alone(account):
        token = vault.read(account)  # perhaps another process has just done it
        if token is None or not is_time(token, signin, now):
            return token
        vault.write(fresh := attempted(token, signin, now))
        return fresh


def is_time(token: Token, signin: SignIn, now: datetime) -> bool:
    """Whether it ends soon, can be renewed, and nobody has tried a moment ago."""
    if token.until is None or now < token.until - signin.lead or not renewable(token, signin, now):
        return False
    return token.tried is None or now - token.tried >= (REFUSED if token.refused else SILENT)


def renewable(token: Token, signin: SignIn, now: datetime) -> bool:
    """Whether the network renews it: by itself while it lives, or by its refresh token."""
    if signin.renew[0]:
        return not token.ended(now)
    return bool(token.refresh) and (token.refresh_until is None or now < token.refresh_until)


def attempted(token: Token, signin: SignIn, now: datetime) -> Token:
    """The next token, or this one with why there is none."""
    try:
        with http.session() as session:
            return renewed(session, signin, token, now)
    except Denied as denied:
        return replace(token, failed=denied.message, tried=now, refused=denied.said)
