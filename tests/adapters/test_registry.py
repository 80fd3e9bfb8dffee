"""Adapters are found by name, and loaded when they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

from syndicate import adapters
from syndicate.adapters.base import Adapter
from syndicate.errors import ConfigError


@pytest.mark.parametrize("name", adapters.BUILTIN)
def test_every_built_in_adapter_loads_under_its_own_name(name: str) -> None:
    found = adapters.load(name)
    assert issubclass(found, Adapter)
    assert found.name == name


def test_a_slip_of_the_pen_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="there is no adapter 'lnkedin'") as caught:
        adapters.load("lnkedin")
    assert caught.value.hint == "Did you mean 'linkedin'?"


def test_an_unknown_name_gets_the_list() -> None:
    with pytest.raises(ConfigError) as caught:
        adapters.load("zzz")
    assert caught.value.hint == f"There are: {', '.join(adapters.names())}."


def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, points: str) -> None:
    """An installed package that registers adapters."""
    info = tmp_path / "plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[syndicate.adapters]\n{points}\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_an_installed_package_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(tmp_path, monkeypatch, "paper = syndicate.adapters.file:File")
    assert adapters.load("paper").__name__ == "File"
    assert "paper" in adapters.names()


def test_an_installed_package_cannot_replace_a_built_in_adapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(tmp_path, monkeypatch, "smtp = syndicate.adapters.file:File")
    assert adapters.load("smtp").__name__ == "Smtp"


@pytest.mark.parametrize("place", ["nowhere.at_all:X", "syndicate.adapters.file:Nothing", "syndicate.adapters:load"])
def test_a_registration_that_leads_nowhere_says_so(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(tmp_path, monkeypatch, f"odd = {place}")
    with pytest.raises(ConfigError, match="odd"):
        adapters.load("odd")


@pytest.mark.parametrize("name", ["syndicate.adapters", "syndicate.adapters.smtp", "syndicate.adapters.linkedin"])
def test_nothing_heavy_is_imported_before_it_is_needed(name: str) -> None:
    heavy = "{'requests', 'urllib3', 'jinja2', 'PIL', 'idna'}"
    code = f"import sys, {name}; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
