"""One scheduler at a time on one database."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from syndicate.errors import SyndicateError
from syndicate.lock import FileLock

NOW = datetime(2025, 3, 10, 3, 30, tzinfo=UTC)
HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from syndicate.lock import FileLock
assert FileLock.beside(Path(sys.argv[1])).take(datetime(2025, 3, 10, 3, 30, tzinfo=UTC))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_by_one_and_free_again_after_it(tmp_path: Path) -> None:
    one, other = (FileLock.beside(tmp_path / "var" / "a.db") for _ in range(2))
    assert one.take(NOW)
    assert not other.take(NOW)
    assert other.holder().endswith(", since 2025-03-10 03:30 UTC")
    one.release()
    assert other.take(NOW)
    other.release()
    assert other.holder() == "another process"


def test_two_names_of_one_database_have_one_lock(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    assert FileLock.beside(tmp_path / "link.db").path == FileLock.beside(tmp_path / "real.db").path


def test_another_database_has_another_lock(tmp_path: Path) -> None:
    one, other = FileLock.beside(tmp_path / "a.db"), FileLock.beside(tmp_path / "b.db")
    assert one.take(NOW)
    assert other.take(NOW)
    one.release()
    other.release()


def test_the_kernel_frees_the_lock_of_a_process_that_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "a.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        lock = FileLock.beside(tmp_path / "a.db")
        assert not lock.take(NOW)
        assert lock.holder().startswith(f"process {process.pid} on ")
        process.kill()
        process.wait()
        assert lock.take(NOW)
        lock.release()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    with pytest.raises(SyndicateError, match=r"a\.db\.lock cannot be opened"):
        FileLock.beside(tmp_path / "var" / "a.db").take(NOW)
