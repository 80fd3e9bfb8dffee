"""How people sign in at a network (OAuth 2.0, RFC 6749), as an adapter declares it; `syndicate/signin` does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base
from syndicate.adapters.addresses import checked_url

#: Who is reached by no other machine; such an address is listened at, any other is copied by hand.
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The authorization code flow of one network, for one account."""

    #: page at which a person agrees
    page: str
    #: where a code, or a refresh token, becomes an access token
    tokens: str
    #: what is asked for
    scopes: tuple[str, ...]
    #: between scopes in the address of the page
    separator: str = " "
    #: our name at the network; empty where it is given at `register`
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    #: where people who run no application of their own get one (RFC 7591 in Mastodon's words); empty: nowhere
    register: str = ""
    #: the address that the network sends people back to, as it was registered; without a port: any free one
    redirect: str = ""
    #: whether the network checks a proof that the code is ours (RFC 7636, S256)
    pkce: bool = False
    #: whether the secret travels as basic authentication (RFC 6749 §2.3.1) instead of in the form
    basic: bool = False
    #: where a token of an hour becomes one of weeks, and the name of the grant; empty: nowhere
    prolong: tuple[str, str] = ("", "")
    #: where a token that has not ended is itself renewed, and the name of the grant; empty: only by a refresh token
    renew: tuple[str, str] = ("", "")
    #: so long before its end a token is renewed
    lead: timedelta = timedelta(days=7)
    #: who has signed in: asked here with the token; empty: what the token came with has to tell
    whoami: str = ""
    #: option of the account -> its value, with what is known of who has signed in, such as `urn:li:person:{sub}`
    options: Mapping[str, str] = field(default_factory=dict)
    #: what people call who has signed in, such as `@{acct}`; empty: nobody says
    called: str = ""


def checked_redirect(url: str) -> str:
    """An address that a network may send people back to. Raises ValueError with the reason."""
    parts = urlsplit(checked_url(url))
    if parts.query or parts.fragment:
        raise ValueError("the address must have neither a query nor a fragment")
    return url


class SignInOptions(base.Options):
    """What the accounts have in common that `syndicate connect` can sign in."""

    client_id: str = Field(default="", description="of your application at the network, for `syndicate connect`")
    client_secret: SecretStr = Field(default=SecretStr(""), description="of your application, for `syndicate connect`")
    redirect: Annotated[str, AfterValidator(checked_redirect)] = Field(
        default="http://127.0.0.1:8741/",
        description="where the network sends you back to after a sign-in: registered there, letter for letter",
    )
