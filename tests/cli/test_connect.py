"""`syndicate connect` as a person runs it: a process of its own, and a browser that it opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import Project
from tests.signin.network import FAKES, at, open_app

#: What the system's browser would do, as `webbrowser` starts it.
BROWSER = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=20).read()"
CAREFUL = {name: value for name, value in os.environ.items() if not name.lower().endswith("proxy")}


@pytest.fixture
def browser(tmp_path: Path) -> dict[str, str]:
    """The environment in which that is the browser."""
    program = tmp_path / "browser"
    program.write_text(f"#!{sys.executable}\n{BROWSER}\n", "utf-8")
    program.chmod(0o755)
    return {**CAREFUL, "BROWSER": str(program), "NO_COLOR": "1"}


def run(
    project: Project, environment: dict[str, str], *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "syndicate", "connect", *arguments]
    return subprocess.run(
        command,
        cwd=project.folder,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", FAKES)
def test_a_sign_in_from_the_command_line(project: Project, browser: dict[str, str], name: str) -> None:
    with at(project, name):
        said = run(project, browser, name)
        assert said.returncode == 0, said.stderr
        assert said.stdout.startswith(f"{name} ({name}): signed in as ")
        assert said.stderr.startswith("Open this address, and agree there:\n\n  http://127.0.0.1:")
        assert open_app(project).vault.read(name) is not None


def test_json_is_one_document_on_stdout(project: Project, browser: dict[str, str]) -> None:
    with at(project, "linkedin"):
        said = run(project, browser, "linkedin", "--json")
        document = json.loads(said.stdout)
        assert (document["account"], document["called"], document["missing"]) == ("linkedin", "Test Member", [])


def test_an_address_can_be_pasted_into_the_terminal(project: Project) -> None:
    import requests

    with at(project, "x"):
        command = [sys.executable, "-m", "syndicate", "connect", "x", "--paste"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=project.folder, env=CAREFUL, **pipes) as process:  # type: ignore[call-overload]
            page = next(line.strip() for line in process.stderr if line.startswith("  http"))
            place = requests.get(page, allow_redirects=False, timeout=20).headers["Location"]
            out, err = process.communicate(f"{place}\n", timeout=60)
        assert process.returncode == 0, err
        assert "signed in as x" in out
        assert place not in out + err


def test_who_never_comes_back_is_not_waited_for(project: Project) -> None:
    with at(project, "x"):
        said = run(project, CAREFUL, "x", "--no-browser", "--wait", "1")
        assert said.returncode == 1
        assert "no answer came back within 1 seconds" in said.stderr


def test_somebody_else_has_to_be_meant(project: Project, browser: dict[str, str]) -> None:
    with at(project, "linkedin") as network:
        assert run(project, browser, "linkedin").returncode == 0
        network.userinfo["sub"] = "somebody-else"
        said = run(project, browser, "linkedin")
        assert said.returncode == 1
        assert "the last time it was Test Member; the token was not kept" in said.stderr
        assert run(project, browser, "linkedin", "--other").returncode == 0
        assert open_app(project).vault.read("linkedin").options == {"author": "urn:li:person:somebody-else"}
