"""The commands that the README shows do what it says, in a copy of the project and an environment of their own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".venv", "var", "outbox", "proofs", "dist", "__pycache__", ".*_cache", ".hypothesis"
)


def commands(readme: str, heading: str) -> list[str]:
    """The indented commands under a heading."""
    section = re.split(rf"^## {heading}.*$", readme, maxsplit=1, flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"^    (\S.*)$", section, re.MULTILINE)


def shell(command: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, shell=True, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project as a clone would have it. Needs a package index, which a laptop may not reach."""
    if not os.environ.get("CI"):
        pytest.skip("installs packages; runs where CI is set")
    folder = tmp_path_factory.mktemp("readme") / "syndicate"
    shutil.copytree(Path(__file__).parent.parent, folder, ignore=LEFT_BEHIND)
    return folder


def test_the_first_command_sets_up_and_does_the_main_job(root: Path, copy: Path) -> None:
    (command,) = commands((root / "README.md").read_text("utf-8"), "Run it")
    said = shell(command, copy)
    assert "weekly-digest/2025-03-10T09:00" in said
    written = sorted(path.suffix for path in (copy / "outbox").rglob("*.*") if path.is_file())
    assert written.count(".eml") == 3
    assert written.count(".txt") == 2
    assert (copy / "outbox" / "index.html").is_file()


def test_the_second_command_sets_up_and_passes_the_tests(root: Path, copy: Path) -> None:
    (command,) = commands((root / "README.md").read_text("utf-8"), "Run the tests")
    assert "passed" in shell(command, copy, PYTEST_ADDOPTS="-k test_imports_go_one_way")


def test_the_checks_of_the_project_run_the_command_of_the_readme(root: Path) -> None:
    (command,) = commands((root / "README.md").read_text("utf-8"), "Run the tests")
    assert command.startswith("python3 -m venv .venv && ")
    assert "## Run the tests" in (root / ".ci" / "run").read_text("utf-8")


def test_the_tour_names_only_commands_that_exist(root: Path) -> None:
    from typer.main import get_command

    from syndicate.cli.main import command_line

    known = set(get_command(command_line()).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"^\$ syndicate ([a-z]+)", (root / "README.md").read_text("utf-8"), re.MULTILINE))
    assert named
    assert named <= known
