"""References: resolved late, told precisely, never shown."""

import subprocess
import sys
from pathlib import Path

import pytest

from syndicate.config.secrets import (
    file_reference,
    has_literal_password,
    is_reference,
    is_secret,
    redact,
    resolve,
    resolve_all,
)
from syndicate.errors import ConfigError


def test_a_variable_of_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYNDICATE_TEST", "hunter2")
    assert resolve("${env:SYNDICATE_TEST}", tmp_path) == "hunter2"
    assert resolve("postgresql://u:${env:SYNDICATE_TEST}@h/db", tmp_path) == "postgresql://u:hunter2@h/db"


def test_a_value_from_outside_is_not_read_as_a_reference_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYNDICATE_TEST", "${file:/etc/passwd}")
    assert resolve("${env:SYNDICATE_TEST}", tmp_path) == "${file:/etc/passwd}"


@pytest.mark.parametrize(("value", "state"), [(None, "not set"), ("", "empty")])
def test_a_variable_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None, state: str
) -> None:
    monkeypatch.delenv("SYNDICATE_TEST", raising=False)
    if value is not None:
        monkeypatch.setenv("SYNDICATE_TEST", value)
    with pytest.raises(ConfigError) as caught:
        resolve("${env:SYNDICATE_TEST}", tmp_path)
    assert caught.value.message == f"the variable SYNDICATE_TEST is {state}"
    assert caught.value.hint == "Set it: export SYNDICATE_TEST=…"


@pytest.mark.parametrize("content", ["hunter2", "hunter2\n", "hunter2\r\n", "\ufeffhunter2\n"])
def test_a_file_is_read_without_its_last_line_end(tmp_path: Path, content: str) -> None:
    (tmp_path / "pw").write_text(content, "utf-8", newline="")
    assert resolve("${file:pw}", tmp_path) == "hunter2"
    assert resolve(f"${{file:{tmp_path}/pw}}", tmp_path / "elsewhere") == "hunter2"


def test_blanks_and_further_lines_of_a_file_belong_to_the_secret(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text(" a\nb \n\n")
    assert resolve("${file:pw}", tmp_path) == " a\nb \n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the secret file pw cannot be read: No such file or directory"),
        (b"", "the secret file pw is empty"),
        (b"\n", "the secret file pw is empty"),
        (b"\xff\xfehunter2", "the secret file pw cannot be read: it is not UTF-8 text"),
        (b"hunter2" * 10_000, "the file pw is too large for a secret"),
    ],
)
def test_a_file_that_holds_no_secret_is_named_and_not_shown(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "pw").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        resolve("${file:pw}", tmp_path)
    assert caught.value.message == message
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_folder_is_no_secret_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        resolve("${file:.}", tmp_path)


KEYRING = """
class Locked(Exception): pass
def get_password(service, user):
    if service == "locked": raise Locked("hunter2")
    return {("mail", "news"): "hunter2"}.get((service, user))
"""
ASK = """
import sys, pathlib
from syndicate.config.secrets import resolve
from syndicate.errors import ConfigError
try:
    print(resolve(sys.argv[1], pathlib.Path()))
except ConfigError as error:
    print(error.message, "|", error.hint)
"""


def ask(reference: str, keyring: Path, content: str) -> str:
    """What a process says that finds this package `keyring`: the real one is optional."""
    (keyring / "keyring.py").write_text(content)
    code = f"import sys; sys.path.insert(0, {str(keyring)!r})\n{ASK}"
    done = subprocess.run([sys.executable, "-c", code, reference], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("${keyring:mail/news}", "hunter2"),
        ("${keyring:mail/other}", "the keyring has nothing for mail/other | Store it: keyring set mail other"),
        ("${keyring:locked/news}", "the keyring did not answer for locked/news (Locked) | Unlock it, then try again."),
    ],
)
def test_the_keyring_of_the_system_is_asked(tmp_path: Path, reference: str, said: str) -> None:
    assert ask(reference, tmp_path, KEYRING) == said


def test_a_missing_keyring_package_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    said = ask("${keyring:mail/news}", tmp_path, "raise ModuleNotFoundError('keyring')")
    assert said == "a ${keyring:…} reference needs the package keyring | pip install 'syndicate[keyring]'"


def test_every_text_at_any_depth_is_resolved_and_nothing_else() -> None:
    value = {"a": "${env:A}", "b": ["x", {"c": "y-${file:c}"}], "d": 1, "e": None, "f": "$env:A"}
    assert resolve_all(value, lambda text: f"<{text}>") == {
        "a": "<${env:A}>",
        "b": ["x", {"c": "<y-${file:c}>"}],
        "d": 1,
        "e": None,
        "f": "$env:A",
    }


def test_the_file_of_a_reference_is_relative_to_the_project(tmp_path: Path) -> None:
    assert file_reference("${file:var/secret}", tmp_path) == tmp_path / "var" / "secret"
    assert file_reference("${env:A}", tmp_path) is None
    assert file_reference("var/secret", tmp_path) is None


@pytest.mark.parametrize("text", ["${env:A}", "${file:a/b c}", "${keyring:a/b}"])
def test_a_reference_is_known(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize("text", ["${env:}", "$env:A", "${vault:a}", "x${env:A}", "${env:A}\n", "", None, 4])
def test_what_is_no_reference_is_not_taken_for_one(text: object) -> None:
    assert not is_reference(text)


def test_secrets_are_known_by_the_end_of_their_names() -> None:
    assert all(map(is_secret, ["password", "smtp_password", "API_KEY", "apikey", "access_token", "clientSecret"]))
    assert not any(map(is_secret, ["password_file", "token_url", "key", "keyword", "secretary", "user"]))


def test_people_see_references_and_stars() -> None:
    shown = redact(
        {
            "mail": {"password": "hunter2", "port": 25, "token": "${env:T}", "secret": "", "keys": {"api_key": 4711}},
            "tokens": [{"token": ["hunter2"]}],
            "url": "https://user:hunter2@host/x",
            "database": "postgresql://u:${env:P}@h/db",
        }
    )
    assert shown == {
        "mail": {"password": "***", "port": 25, "token": "${env:T}", "secret": "", "keys": {"api_key": "***"}},
        "tokens": [{"token": ["***"]}],
        "url": "https://user:***@host/x",
        "database": "postgresql://u:${env:P}@h/db",
    }


@pytest.mark.parametrize(
    ("url", "literal"),
    [
        ("postgresql://u:p@h/d", True),
        ("postgresql://:p@h/d", True),
        ("postgresql://u:${env:P}@h/d", False),
        ("postgresql://u:x${env:P}@h/d", True),
        ("postgresql://u@h:5432/d", False),
        ("sqlite:///a:b@c", False),
    ],
)
def test_a_password_within_a_url_is_found(url: str, literal: bool) -> None:
    assert has_literal_password(url) is literal
