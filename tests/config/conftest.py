"""Configurations in folders of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from syndicate.config.load import Loaded, load

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes `config/syndicate.yaml` into a project of its own; its path."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "config" / "syndicate.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def starter(root: Path) -> str:
    """The text of the starter configuration."""
    return (root / "config" / "syndicate.yaml").read_text("utf-8")


@pytest.fixture
def changed(write: Write, starter: str) -> Callable[..., Loaded]:
    """The starter with pieces replaced, loaded without the cache."""

    def changed(*changes: tuple[str, str]) -> Loaded:
        text = starter
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return load(write(text), cache=False)

    return changed


def lines(loaded: Loaded) -> list[str]:
    """The problems as the command line prints them, without hints."""
    return [f"{problem.where}: {problem.message}" for problem in loaded.problems]
