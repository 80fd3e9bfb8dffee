"""An installed wheel is complete: it starts a project anywhere, and that project runs."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel. Needs a package index, which a laptop may not reach."""
    if not os.environ.get("CI"):
        pytest.skip("installs packages; runs where CI is set")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(Path(__file__).parent.parent)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_a_wheel_in_an_empty_environment_starts_a_project_and_does_the_main_job(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    subprocess.run([programs / "pip", "install", "-q", wheel], check=True, capture_output=True)
    subprocess.run([programs / "syndicate", "init", "demo"], cwd=tmp_path, check=True, capture_output=True)
    run = [programs / "syndicate", "run", "--once", "--at", "2025-03-10T12:00"]
    done = subprocess.run(run, cwd=tmp_path / "demo", check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tmp_path / "demo" / "outbox").rglob("*.eml"))) == 3
