"""Calls that are not signed: the provider shows a password or a token, beside the secret in the address."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from syndicate.feedback.base import Forged


def check(headers: Mapping[str, str], basic: Sequence[SecretStr] = (), bearer: Sequence[SecretStr] = ()) -> None:
    """Raises `Forged` unless one of the passwords (`user:password`) or tokens is shown; if there are any at all.

    Without any the secret in the address is what tells the provider from strangers.
    """
    known = [b"Basic " + b64encode(one.get_secret_value().encode()) for one in basic]
    known += [f"Bearer {one.get_secret_value()}".encode() for one in bearer]
    given, found = headers.get("authorization", "").encode(), not known
    for one in known:  # all of them, in the same time whichever it is
        found |= hmac.compare_digest(given, one)
    if not found:
        raise Forged
