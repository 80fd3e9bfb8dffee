"""Where tokens are kept: one sealed file an account, which only its owner can read.

The key is derived (HKDF, RFC 5869) from the project's `secret`, which may itself stand in the system's keyring. With a
list of secrets the first seals, and all open.
"""

from __future__ import annotations

import fcntl
import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syndicate.errors import ConfigError
from syndicate.whole import replacing

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

#: Of the fields of a `Token`, those that are moments.
MOMENTS = ("made", "until", "refresh_until", "tried")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a network gave an account, and what is known of it."""

    account: str
    #: the adapter that it was made for
    network: str
    access: str = field(repr=False)
    #: empty: the network gave none
    refresh: str = field(default="", repr=False)
    #: aware, as all moments here
    made: datetime
    #: its end; None: the network says of none
    until: datetime | None = None
    refresh_until: datetime | None = None
    #: what it may do, as the network said
    scopes: tuple[str, ...] = ()
    #: who has signed in, for people
    called: str = ""
    #: option of the account -> what it is by this sign-in
    options: Mapping[str, str] = field(default_factory=dict)
    #: what the last attempt to renew it was answered, and when; empty: it was well
    failed: str = ""
    tried: datetime | None = None
    #: whether `failed` was a no, and not silence
    refused: bool = False

    @property
    def last_day(self) -> datetime | None:
        """When somebody has to sign in again; None: nobody knows of such a day.

        A refresh token postpones it until its own end, or until the network takes it no more.
        """
        return self.refresh_until if self.refresh and not self.refused else self.until

    def ended(self, now: datetime) -> bool:
        """Whether the network takes it no more."""
        return self.until is not None and now >= self.until


class Vault:
    """The tokens of one project."""

    def __init__(self, folder: Path, secrets: Callable[[], tuple[bytes, ...]]) -> None:
        self.folder = folder
        self._secrets = secrets

    def read(self, account: str) -> Token | None:
        """None if nobody has signed in. Raises `ConfigError` where the file cannot be opened with our keys."""
        path = self._path(account)
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"the token file {path} cannot be read: {error.strerror}") from error
        from cryptography.fernet import InvalidToken

        try:
            found = token_of(json.loads(self._keys().decrypt(sealed)))
        except (InvalidToken, ValueError, TypeError):
            found = None
        if found is None or found.account != account:
            raise ConfigError(
                f"the token of account {account} was sealed with another secret, or is damaged",
                hint=f"Put the earlier `secret` behind the present one, or sign in again: syndicate connect {account}",
            )
        return found

    def write(self, token: Token) -> None:
        """Takes the place of the token there was, in one step that outlives a power cut."""
        plain = {
            name: value.isoformat() if name in MOMENTS and value else value for name, value in asdict(token).items()
        }
        sealed = self._keys().encrypt(json.dumps(plain).encode())
        self._make_folder()
        with replacing(self._path(token.account), durable=True) as file:
            file.write(sealed)

    def stamp(self, account: str) -> tuple[int, int]:
        """Changes with each token; the same for as long as there is none."""
        try:
            found = self._path(account).stat()
        except OSError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_ino)

    @contextmanager
    def alone(self, account: str) -> Iterator[None]:
        """One process at a time; waits for the other one, which is on the wire for a minute at most.

        A refresh token works once: who comes second has to find what the first one was given.
        """
        self._make_folder()
        descriptor = os.open(self._path(account).with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # the kernel frees it at the holder's death
            yield
        finally:
            os.close(descriptor)

    def _path(self, account: str) -> Path:
        return self.folder / f"{account}.token"  # a name is a word, and of at most 64 characters

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _keys(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(derived(secret)) for secret in self._secrets()])


def derived(secret: bytes) -> bytes:
    """The key of tokens: nothing else that is made of the project's secret tells it."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return urlsafe_b64encode(HKDF(SHA256(), 32, None, b"syndicate tokens of accounts").derive(secret))


def token_of(plain: Mapping[str, Any]) -> Token:
    """The token that was written. Raises ValueError or TypeError for what is none."""
    moments = {name: datetime.fromisoformat(plain[name]) for name in MOMENTS if plain.get(name)}
    scopes = tuple(plain.get("scopes", ()))
    return Token(**{**plain, **moments, "scopes": scopes, "options": dict(plain["options"])})


def reference(vault: Vault, text: str) -> str:
    """What `${token:ACCOUNT}` (the access token) or `${token:ACCOUNT/OPTION}` stands for. Raises `ConfigError`."""
    account, _, option = text.partition("/")
    found = vault.read(account)
    hint = f"Sign in: syndicate connect {account}"
    if found is None:
        raise ConfigError(f"nobody has signed in with account {account}", hint=hint)
    if option in {"", "token"}:
        return found.access
    if option not in found.options:
        raise ConfigError(f"the sign-in of account {account} does not tell its `{option}`", hint=f"Set it, or {hint}")
    return found.options[option]
