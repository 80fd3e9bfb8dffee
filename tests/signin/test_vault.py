"""What a network gave is kept sealed, whole, and for its owner alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndicate.errors import ConfigError
from syndicate.signin.vault import Token, Vault, reference

NOW = datetime(2025, 3, 10, 6, 30, tzinfo=UTC)
TOKEN = Token(
    account="linkedin",
    network="linkedin",
    access="an access token",
    refresh="a refresh token",
    made=NOW,
    until=datetime(2025, 5, 9, 6, 30, tzinfo=UTC),
    scopes=("openid", "profile"),
    called="Tëst Member",
    options={"author": "urn:li:person:782bbtaQ"},
)


def vault(folder: Path, *secrets: bytes) -> Vault:
    return Vault(folder / "tokens", lambda: secrets or (b"a secret",))


def test_what_is_kept_is_what_was_given(tmp_path: Path) -> None:
    vault(tmp_path).write(TOKEN)
    assert vault(tmp_path).read("linkedin") == TOKEN


NAMES = st.text("abcXYZ019-_", min_size=1, max_size=64)


@settings(deadline=None, max_examples=25)  # each one is an fsync
@given(access=st.text(), name=NAMES, at=st.datetimes(timezones=st.just(UTC)))
def test_any_name_and_any_token_come_back(
    tmp_path_factory: pytest.TempPathFactory, access: str, name: str, at: datetime
) -> None:
    here = vault(tmp_path_factory.mktemp("vault"))
    token = Token(account=name, network="x", access=access, made=at)
    here.write(token)
    assert here.read(name) == token


def test_nobody_has_signed_in_before_somebody_has(tmp_path: Path) -> None:
    assert vault(tmp_path).read("linkedin") is None
    assert not (tmp_path / "tokens").exists()


def test_the_file_tells_nothing(tmp_path: Path) -> None:
    vault(tmp_path).write(TOKEN)
    held = (tmp_path / "tokens" / "linkedin.token").read_bytes()
    assert not any(word in held for word in (b"token", b"linkedin", b"openid", b"Member"))


def test_an_earlier_secret_opens_and_the_present_one_seals(tmp_path: Path) -> None:
    vault(tmp_path, b"old").write(TOKEN)
    assert vault(tmp_path, b"new", b"old").read("linkedin") == TOKEN
    vault(tmp_path, b"new", b"old").write(TOKEN)
    assert vault(tmp_path, b"new").read("linkedin") == TOKEN


@pytest.mark.parametrize("damage", [b"", b"gAAAA", b"\xff" * 300])
def test_what_cannot_be_opened_says_what_to_do(tmp_path: Path, damage: bytes) -> None:
    vault(tmp_path).write(TOKEN)
    (tmp_path / "tokens" / "linkedin.token").write_bytes(damage)
    with pytest.raises(ConfigError, match="sealed with another secret, or is damaged") as refused:
        vault(tmp_path).read("linkedin")
    assert "syndicate connect linkedin" in refused.value.hint


def test_another_secret_opens_nothing(tmp_path: Path) -> None:
    vault(tmp_path, b"one").write(TOKEN)
    with pytest.raises(ConfigError, match="another secret"):
        vault(tmp_path, b"two").read("linkedin")


def test_the_token_of_one_account_is_not_taken_for_that_of_another(tmp_path: Path) -> None:
    vault(tmp_path).write(TOKEN)
    (tmp_path / "tokens" / "linkedin.token").rename(tmp_path / "tokens" / "other.token")
    with pytest.raises(ConfigError, match="account other"):
        vault(tmp_path).read("other")


def test_a_write_that_fails_leaves_the_token_there_was(tmp_path: Path) -> None:
    here = vault(tmp_path)
    here.write(TOKEN)
    (here.folder / "linkedin.token").unlink()
    (here.folder / "linkedin.token").mkdir()  # nothing can be put in its place
    with pytest.raises(OSError, match="directory"):
        here.write(TOKEN)
    assert [path.name for path in here.folder.iterdir()] == ["linkedin.token"]


def test_a_stamp_changes_with_the_token(tmp_path: Path) -> None:
    here = vault(tmp_path)
    stamps = [here.stamp("linkedin")]
    for _ in range(2):
        here.write(TOKEN)
        stamps.append(here.stamp("linkedin"))
    assert len(set(stamps)) == 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("linkedin", TOKEN.access),
        ("linkedin/token", TOKEN.access),
        ("linkedin/author", "urn:li:person:782bbtaQ"),
    ],
)
def test_what_a_reference_stands_for(tmp_path: Path, text: str, value: str) -> None:
    vault(tmp_path).write(TOKEN)
    assert reference(vault(tmp_path), text) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [("x", "nobody has signed in with account x"), ("linkedin/user", "does not tell its `user`")],
)
def test_a_reference_to_nothing_says_what_to_do(tmp_path: Path, text: str, words: str) -> None:
    vault(tmp_path).write(TOKEN)
    with pytest.raises(ConfigError, match=words) as refused:
        reference(vault(tmp_path), text)
    assert "syndicate connect" in refused.value.hint


def test_no_secret_of_a_token_is_shown() -> None:
    assert "access token" not in repr(TOKEN)
    assert "refresh token" not in repr(TOKEN)
