"""The README's table of networks is what the adapters declare, and what it says of its proofs is there."""

import re
from pathlib import Path

import pytest

from syndicate import adapters
from tests.adapters.networks_table import README, VERIFIED, in_readme, table

HERE = Path(__file__).parent


def test_the_readme_has_the_table_as_it_would_be_made_now() -> None:
    assert in_readme(README.read_text("utf-8")) == table(), "run: python -m tests.adapters.networks_table"


def test_every_network_says_against_what_it_was_verified() -> None:
    assert VERIFIED.keys() == adapters.BUILTIN.keys()


@pytest.mark.parametrize("name", VERIFIED)
def test_what_was_verified_is_tested(name: str) -> None:
    for proof in VERIFIED[name].proof:
        module, _, test = proof.partition(":")
        assert f"def test_{test}(" in (HERE / f"test_{module}.py").read_text("utf-8"), proof


@pytest.mark.parametrize(
    ("library", "name"), [("mastodon", "mastodon"), ("atproto", "bluesky"), ("botocore", "ses"), ("aiosmtpd", "smtp")]
)
def test_a_library_that_is_named_as_a_judge_sits_in_the_tests(library: str, name: str) -> None:
    assert library in VERIFIED[name].what.lower().replace(".py", "")
    assert re.search(rf"^(?:from|import) {library}\b", (HERE / f"test_{name}.py").read_text("utf-8"), re.MULTILINE)


def test_the_table_does_not_claim_live_networks() -> None:
    text = README.read_text("utf-8")
    assert "None of this was tried against a network itself" in text[: text.index(in_readme(text))]
