"""Secrets stay out of the file: it holds references, which are resolved when an account is opened, and never printed.

`${env:NAME}` is a variable of the environment, `${file:path}` a file (relative to the project folder; one newline at
its end does not count), `${keyring:service/user}` an entry of the system's keyring, `${token:ACCOUNT}` what `syndicate
connect ACCOUNT` was given.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from syndicate.errors import ConfigError

_REFERENCE = re.compile(r"\$\{(env|file|keyring|token):([^{}]+)\}")
#: Ends of option names whose values nobody else may read.
_SECRET_NAME = re.compile(
    r"(?:password|passwd|passphrase|secret|token|api_?key|private_?key|credentials?)$", re.IGNORECASE
)
#: The password of a URL such as `postgresql://user:password@host/db`.
_URL_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):((?:\$\{[^{}]*\}|[^@\s/])+)@")
STARS = "***"
LARGEST_FILE = 65_536  # bytes; the longest key in use, RSA 16384 in PEM, has 13,000
OTHERS = 0o077


def is_reference(text: object) -> bool:
    """Whether the whole value is one reference."""
    return isinstance(text, str) and _REFERENCE.fullmatch(text) is not None


def is_secret(name: str) -> bool:
    """Whether an option of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def references(text: str) -> list[str]:
    """The references within a text, as written."""
    return [found[0] for found in _REFERENCE.finditer(text)]


def no_tokens(name: str) -> str:
    """Where no account is at hand that could have signed in."""
    hint = "Write it among the options of an account; elsewhere ${env:…}, ${file:…} or ${keyring:…}."
    raise ConfigError(f"${{token:{name}}} is known to accounts alone", hint=hint)


def resolve(value: str, root: Path, tokens: Callable[[str], str] = no_tokens) -> str:
    """`value` with the secrets that its references name; `tokens` knows what stands in `${token:…}`.

    Raises `ConfigError` that says what to set, never a secret.
    """

    def secret(found: re.Match[str]) -> str:
        name = found[2].strip()
        return tokens(name) if found[1] == "token" else _SOURCES[found[1]](name, root)

    return _REFERENCE.sub(secret, value)


def token_accounts(value: Any) -> frozenset[str]:
    """The accounts whose tokens a value refers to, at any depth."""
    texts = (text for _, text in walk(value) if isinstance(text, str))
    found = (match for text in texts for match in _REFERENCE.finditer(text) if match[1] == "token")
    return frozenset(match[2].strip().partition("/")[0] for match in found)


def resolve_all(value: Any, resolver: Callable[[str], str]) -> Any:
    """The same value with every text that holds a reference replaced by `resolver(text)`, at any depth."""
    if isinstance(value, str):
        return resolver(value) if _REFERENCE.search(value) else value
    if isinstance(value, Mapping):
        return {key: resolve_all(item, resolver) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve_all(item, resolver) for item in value]
    return value


def file_reference(value: str, root: Path) -> Path | None:
    """The file that a value names, if it is one `${file:…}`."""
    found = _REFERENCE.fullmatch(value)
    return root / found[2].strip() if found and found[1] == "file" else None


def readable_by_others(path: Path) -> bool:
    """Whether other users of this machine can read or write the file; False where there is none."""
    try:
        return bool(path.stat().st_mode & OTHERS)
    except (OSError, ValueError):
        return False


def has_literal_password(text: str) -> bool:
    """Whether a URL holds a password that is no reference."""
    return any(not is_reference(found[2]) for found in _URL_PASSWORD.finditer(text))


def redact(value: Any, name: str = "") -> Any:
    """A copy for people: references stay as they are, literal secrets become stars."""
    if isinstance(value, Mapping):
        return {key: redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(item, name) for item in value]
    if is_secret(name):
        return value if value is None or value == "" or is_reference(value) else STARS
    if isinstance(value, str):
        return _URL_PASSWORD.sub(lambda found: found[0] if is_reference(found[2]) else f"{found[1]}:{STARS}@", value)
    return value


def walk(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value that holds no others, with its path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from walk(item, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from walk(item, (*path, str(number)))
    else:
        yield path, value


def _from_environment(name: str, root: Path) -> str:
    if value := os.environ.get(name):
        return value
    state = "empty" if name in os.environ else "not set"
    raise ConfigError(f"the variable {name} is {state}", hint=f"Set it: export {name}=…")


def _from_file(name: str, root: Path) -> str:
    path = root / name
    try:
        if path.is_file() and path.stat().st_size > LARGEST_FILE:
            raise ConfigError(
                f"the file {name} is too large for a secret", hint="Name the file that holds the secret alone."
            )
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(
            f"the secret file {name} cannot be read: {why}", hint=f"Write the secret into {path}."
        ) from None
    if secret := text.removesuffix("\n").removesuffix("\r"):
        return secret
    raise ConfigError(f"the secret file {name} is empty", hint=f"Write the secret into {path}.")


def _from_keyring(name: str, root: Path) -> str:
    try:
        keyring = import_module("keyring")  # optional: it brings D-Bus and more
    except ImportError:
        raise ConfigError(
            "a ${keyring:…} reference needs the package keyring", hint="pip install 'syndicate[keyring]'"
        ) from None
    service, _, user = name.rpartition("/")
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # each backend raises its own
        reason = type(error).__name__
        raise ConfigError(
            f"the keyring did not answer for {name} ({reason})", hint="Unlock it, then try again."
        ) from None
    if value:
        return str(value)
    raise ConfigError(f"the keyring has nothing for {name}", hint=f"Store it: keyring set {service} {user}")


_SOURCES: Mapping[str, Callable[[str, Path], str]] = {
    "env": _from_environment,
    "file": _from_file,
    "keyring": _from_keyring,
}
