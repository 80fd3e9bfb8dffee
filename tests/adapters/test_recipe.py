"""The recipe for a new network, followed to the letter: a package of two files, installed, has everything else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import syndicate.adapters
from syndicate import adapters
from syndicate.app import assemble
from syndicate.model import Delivery, State
from syndicate.newsroom.tick import Newsroom
from syndicate.testing.adapters import AdapterContract, Subject
from syndicate.testing.clock import Clock
from syndicate.testing.http import Fault, Reply
from syndicate.testing.log import Heard
from tests.conftest import missing
from tests.project import MONDAY, Project

RECIPE = (Path(syndicate.adapters.__file__).parent / "README.md").read_text("utf-8")
THE_FILE, THE_FAKE, THE_TEST = re.findall(r"```python\n(.*?)```", RECIPE, re.DOTALL)
(THE_LINES,) = re.findall(r"```toml\n(.*?)```", RECIPE, re.DOTALL)
TOY = Path(__file__).parent / "toy"
NOON = datetime.fromisoformat(MONDAY).replace(tzinfo=ZoneInfo("Asia/Kolkata"))


@pytest.fixture(scope="module", autouse=True)
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The package as an installer leaves it behind: its files, and its metadata beside them."""
    site = tmp_path_factory.mktemp("site")
    for file in TOY.glob("*.py"):
        shutil.copy(file, site)
    project = tomllib.loads((TOY / "pyproject.toml").read_text("utf-8"))["project"]
    info = site / f"syndicate_noticeboard-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = (
        "\n".join([f"[{group}]", *(f"{name} = {place}" for name, place in points.items())])
        for group, points in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text("\n\n".join(groups))
    sys.path.insert(0, str(site))
    shelf.update(
        {"NoticeBoard": adapters.load("noticeboard"), "NoticeBoardOptions": adapters.load("noticeboard").Options}
    )
    shelf["Board"] = import_module("syndicate_noticeboard_fake").Board
    yield
    sys.path.remove(str(site))
    for name in ("syndicate_noticeboard", "syndicate_noticeboard_fake"):
        sys.modules.pop(name, None)


shelf: dict[str, Any] = {"AdapterContract": AdapterContract, "Subject": Subject, "Fault": Fault, "Reply": Reply}
shelf |= {"pytest": pytest, "__name__": "recipe"}
exec(THE_TEST, shelf)

TestNoticeBoard = shelf["TestNoticeBoard"]


def test_the_recipe_names_what_is_there() -> None:
    folder = Path(syndicate.adapters.__file__).parent
    for name in re.findall(r"`(?:syndicate/)?([a-z_/]+\.py)`", RECIPE):
        assert any((place / name).exists() for place in (folder, folder.parent)), name


def test_the_package_is_what_the_recipe_shows_and_nothing_else() -> None:
    assert {file.name for file in TOY.iterdir() if file.is_file()} == {
        "pyproject.toml",
        "syndicate_noticeboard.py",
        "syndicate_noticeboard_fake.py",
    }
    assert (TOY / "syndicate_noticeboard.py").read_text("utf-8") == THE_FILE
    assert (TOY / "syndicate_noticeboard_fake.py").read_text("utf-8") == THE_FAKE
    assert THE_LINES in (TOY / "pyproject.toml").read_text("utf-8")


def test_it_is_found_by_its_name() -> None:
    assert "noticeboard" in adapters.names()
    assert adapters.load("noticeboard").__module__ == "syndicate_noticeboard"


# -- what it gets without a line of its own ---------------------------------------------------------------------------


@pytest.fixture
def board(project: Project) -> Iterator[Any]:
    """The starter, live, with a channel on a notice board."""
    channel = (
        "  notes: {kind: post, account: board, template: post, "
        'schedule: {cron: "30 10 * * MON-FRI"}, select: {max: 2, order: oldest, lookback: all}}\n'
    )
    with shelf["Board"]() as running:
        (project.folder / "var").mkdir()
        secret = project.folder / "var" / "board.token"
        secret.write_text("canary-token")
        secret.chmod(0o600)
        account = f'  board: {{adapter: noticeboard, url: "{running.url}", token: "${{file:var/board.token}}"}}\n'
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"accounts:\n{account}"),
            ("channels:\n", f"channels:\n{channel}"),
        )
        yield running


def notes(project: Project) -> list[Delivery]:
    app = assemble(project.folder / "config" / "syndicate.yaml")
    try:
        return [one for row in app.ledger().editions("notes") for one in app.ledger().deliveries(row.key)]
    finally:
        app.close()


def test_a_slip_in_its_options_is_a_problem_of_that_line(project: Project, board: Any) -> None:
    project.configure(("adapter: noticeboard, url", "adapter: noticeboard, adress: x, url"))
    said = project.syndicate("check")
    assert said.status in {1, 2}
    assert "unknown key 'adress'" in said.out + said.err


def test_a_dry_run_shows_what_is_sent_once_and_noted(project: Project, board: Any) -> None:
    dry = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    assert dry.status == 0, dry
    assert board.journal == []
    lines = [json.loads(line) for line in (project.folder / "proofs" / "manifest.jsonl").read_text().splitlines()]
    shown = {line["edition"]: line["sha256"] for line in lines if line["edition"].startswith("notes/")}
    assert len(shown) == 2
    for _ in range(2):
        live = project.syndicate("run", "--once", "--at", MONDAY)
        assert live.status == 0, live
    assert len(board.notes) == len(board.journal) == 2
    assert {one.edition: one.sha256 for one in notes(project)} == shown
    assert {one.permalink for one in notes(project)} == {f"{board.url}/notes/{number}" for number in (1, 2)}


def test_a_preview_shows_its_post(project: Project, board: Any) -> None:
    said = project.syndicate("preview", "notes", "--at", MONDAY, "--out", "look")
    assert said.status == 0, said
    page = (project.folder / "look" / "index.html").read_text("utf-8")
    assert "board (noticeboard)" in page
    assert "MLOps" in page
    assert board.journal == []


def test_a_rehearsal_uses_its_fake(project: Project, board: Any) -> None:
    said = project.syndicate("rehearse", "--from", "2025-03-10", "--days", "1", "--json")
    assert said.json["faked"]["board"] is True
    assert said.json["channels"]["notes"]["sent"] == 2
    assert board.journal == []  # not the network of the account


def test_a_lost_answer_is_asked_again_under_the_same_key(project: Project, board: Any) -> None:
    board.fault(Fault(then="close", apply=True))
    clock = Clock(NOON)
    room = Newsroom(project.folder / "config" / "syndicate.yaml", Heard().log, clock)
    for _ in range(4):
        room.tick()
        clock.advance(timedelta(minutes=10))
    room.close()
    assert len(board.journal) == 3
    assert len(board.notes) == 2
    assert {one.state for one in notes(project)} == {State.SENT}


def test_a_limit_is_waited_for_as_long_as_the_network_says(project: Project, board: Any) -> None:
    board.fault(Fault(Reply(429, headers={"Retry-After": "600"})))
    clock = Clock(NOON)
    room = Newsroom(project.folder / "config" / "syndicate.yaml", Heard().log, clock)
    for _ in range(10):
        room.tick()
        assert len(board.journal) == 1
        clock.advance(timedelta(minutes=1))
    room.tick()
    room.close()
    assert len(board.notes) == 2
    assert {one.state for one in notes(project)} == {State.SENT}


def test_its_token_is_written_nowhere(project: Project, board: Any) -> None:
    project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    said = project.syndicate("run", "--once", "--at", MONDAY, "-v")
    assert "canary-token" not in said.out + said.err
    files = {path: data for path, data in project.files().items() if path != "var/board.token"}
    assert [path for path, data in files.items() if b"canary-token" in data] == []


def test_pip_installs_the_package_and_the_command_knows_it(tmp_path: Path) -> None:
    if not find_spec("hatchling"):
        missing("hatchling")
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-build-isolation"]
    shutil.copytree(TOY, tmp_path / "toy", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([*pip, "--target", site, tmp_path / "toy"], check=True, capture_output=True)
    code = f"import sys; sys.path.insert(0, {str(site)!r}); from syndicate import adapters"
    code += "; print(adapters.load('noticeboard').__module__)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "syndicate_noticeboard\n"
