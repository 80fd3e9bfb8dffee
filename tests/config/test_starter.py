"""`syndicate init`."""

from pathlib import Path

import pytest

from syndicate.config.load import load
from syndicate.config.starter import init, starter_folder
from syndicate.errors import UsageError


def test_a_new_project_has_all_it_needs_and_loads(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "demo"
    written = init(target)
    assert load(target / "config" / "syndicate.yaml").problems == ()
    names = {path.relative_to(target).as_posix() for path in written}
    assert {"config/syndicate.yaml", "config/readers.csv", ".gitignore"} <= names
    assert len([name for name in names if name.startswith("seeds/")]) == 2
    assert all(path.is_file() for path in written)


def test_files_are_copied_byte_for_byte(tmp_path: Path) -> None:
    source = starter_folder()
    copies = [path for path in init(tmp_path / "demo") if path.name != ".gitignore"]
    for path in copies:
        assert path.read_bytes() == (source / path.relative_to(tmp_path / "demo")).read_bytes()


def test_what_runs_leave_behind_is_not_committed(tmp_path: Path) -> None:
    init(tmp_path)
    assert {"var/", "outbox/", "proofs/"} <= set((tmp_path / ".gitignore").read_text().splitlines())


def test_no_file_is_ever_replaced_and_then_none_is_written(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    mine = tmp_path / "config" / "syndicate.yaml"
    mine.write_text("mine")
    with pytest.raises(UsageError) as caught:
        init(tmp_path)
    assert [problem.path for problem in caught.value.problems] == [mine.as_posix()]
    assert mine.read_text() == "mine"
    assert not (tmp_path / "seeds").exists()


def test_a_link_to_nowhere_is_in_the_way_too(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "syndicate.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError):
        init(tmp_path)
    assert not (tmp_path / "nowhere").exists()


def test_a_repositorys_own_gitignore_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    assert tmp_path / ".gitignore" not in init(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        init(tmp_path / "file" / "demo")
