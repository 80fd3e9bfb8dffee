"""The database as a file: made whole, guarded, read without a trace, refused when it cannot be trusted."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.database.files import refuse_network
from syndicate.errors import EditionExists, LedgerError
from syndicate.ledger import attempts_folder, history, open_ledger, rehearsal_copy
from syndicate.model import Deferred, History, Receipt, Settlement, State
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import KEY, LATER, LEASE, entry, people, used

URL = "sqlite:///var/syndicate.db"
Door = Callable[[str, Path], object]


def filled(root: Path) -> Path:
    """A ledger with one edition that is half done, one that is done, and one that is unknown."""
    with closing(open_ledger(URL, root)) as ledger:
        ledger.enter(entry(recipients=20, articles=(used("one"), used("two"))), MONDAY)
        for delivery in ledger.claim(KEY, "w", 10, MONDAY, LEASE):
            ledger.settle([Settlement(delivery, Receipt("r"))], MONDAY, "w")
        ledger.settle([Settlement(d, Deferred("x"), due=LATER) for d in ledger.claim(KEY, "w", 2, MONDAY, LEASE)],
                      MONDAY, "w")  # fmt: skip
        ledger.claim(KEY, "dead", 3, MONDAY, LEASE)
        ledger.recover(LATER)
        ledger.claim(KEY, "alive", 1, MONDAY, LEASE)
        ledger.enter(entry("done/1", recipients=0, articles=(used("three", key="done/1"),)), MONDAY)
    return root / "var" / "syndicate.db"


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_file_is_private_and_its_folder_is_made(tmp_path: Path) -> None:
    path = filled(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["syndicate.db"]


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    open_ledger(f"sqlite:///{tmp_path}/x.db", Path("/nowhere")).close()
    assert (tmp_path / "x.db").exists()
    assert attempts_folder(f"sqlite:///{tmp_path}/x.db", Path("/nowhere")) == tmp_path / "attempts" / "x.db"
    assert attempts_folder("sqlite://", tmp_path) is None


def test_a_ledger_survives_closing(tmp_path: Path) -> None:
    filled(tmp_path)
    with closing(open_ledger(URL, tmp_path)) as ledger:
        row = ledger.edition(KEY)
        assert row is not None
        assert row.counts[State.SENT] == 10
        with pytest.raises(EditionExists):
            ledger.enter(entry(), MONDAY)


@pytest.mark.parametrize("url", ["postgresql://x/y", "var/syndicate.db", "mysql://"])
def test_another_database_is_refused_with_advice(tmp_path: Path, url: str) -> None:
    with pytest.raises(LedgerError, match="not supported") as caught:
        open_ledger(url, tmp_path)
    assert "sqlite:///" in caught.value.hint


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4096])


def empty_it(path: Path) -> None:
    path.write_bytes(b"")


def flip_the_header(path: Path) -> None:
    path.write_bytes(b"?" + path.read_bytes()[1:])


def flip_a_page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 * 2 : 4096 * 3] = b"\xff" * 4096
    path.write_bytes(data)


def flip_the_schema(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xff" * 3996
    path.write_bytes(data)


def another_program(path: Path) -> None:
    path.write_text("this was a letter once", "utf-8")


@pytest.mark.parametrize("damage", [truncate, empty_it, flip_the_header, flip_a_page, flip_the_schema, another_program])
def test_a_damaged_ledger_is_refused_by_every_door_and_left_as_it_is(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """F-34: better to stop than to forget what was sent."""
    path = filled(tmp_path)
    damage(path)
    before = everything(path.parent)
    for door in (open_ledger, rehearsal_copy, history):
        with pytest.raises(LedgerError, match="damaged") as caught:
            door(URL, tmp_path)
        assert "backup" in caught.value.hint
    assert everything(path.parent) == before


def test_damage_that_shows_only_later_is_advice_too(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with closing(open_ledger(URL, tmp_path)) as ledger:
        ledger.editions()
        path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 4096 * 30)
        with pytest.raises(LedgerError, match="damaged") as caught:
            list(ledger.deliveries())
    assert "backup" in caught.value.hint


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("door", [open_ledger, rehearsal_copy, history])
def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, door: Door) -> None:
    path = tmp_path / "var" / "syndicate.db"
    path.parent.mkdir()
    execute(path, "CREATE TABLE bookmarks (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="is not a ledger") as caught:
        door(URL, tmp_path)
    assert "database:" in caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("door", [open_ledger, rehearsal_copy, history])
def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path, door: Door) -> None:
    execute(filled(tmp_path), "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="newer version") as caught:
        door(URL, tmp_path)
    assert "upgrade" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_advice(tmp_path: Path) -> None:
    """F-36: said before anything is sent."""
    (tmp_path / "var").write_text("a file where a folder belongs", "utf-8")
    with pytest.raises(LedgerError, match="cannot be made"):
        open_ledger(URL, tmp_path)


def test_a_ledger_that_another_process_writes_is_waited_for_and_then_named(tmp_path: Path) -> None:
    """F-31: nothing is claimed meanwhile."""
    path = filled(tmp_path)
    impatient = open_ledger(URL, tmp_path, timedelta(milliseconds=1))
    with closing(impatient) as ledger, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="being written by another process"):
            ledger.recover(LATER)
        other.execute("ROLLBACK")
        assert len(list(ledger.recover(LATER))) == 1


def test_no_file_is_an_empty_history_and_an_empty_rehearsal(tmp_path: Path) -> None:
    assert history(URL, tmp_path) == History()
    with closing(rehearsal_copy(URL, tmp_path)) as ledger:
        assert ledger.editions() == []
        ledger.enter(entry(), MONDAY)
    assert list(tmp_path.iterdir()) == []


def test_the_fast_history_is_the_ledgers_own(tmp_path: Path) -> None:
    filled(tmp_path)
    with closing(open_ledger(URL, tmp_path)) as ledger:
        expected = ledger.history()
        assert history(URL, tmp_path) == expected
    assert history(URL, tmp_path) == expected
    assert len(expected.used) == 3
    assert expected.editions == {KEY: "sending", "done/1": "done"}


def test_the_fast_history_loads_no_database_library(tmp_path: Path) -> None:
    filled(tmp_path)
    code = (
        "import sys; from pathlib import Path; from syndicate.ledger import history;"
        f"print(len(history({URL!r}, Path({str(tmp_path)!r})).used), 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "False"]


def test_a_rehearsal_leaves_no_trace(tmp_path: Path) -> None:
    path = filled(tmp_path)
    before = everything(path.parent), path.stat().st_mtime_ns
    with closing(rehearsal_copy(URL, tmp_path)) as copy:
        for delivery in copy.claim(KEY, "rehearsal", 100, LATER, LEASE):
            copy.settle([Settlement(delivery, Receipt())], LATER, "rehearsal")
        copy.enter(entry("daily/1", recipients=100), LATER)
        history(URL, tmp_path)
        assert (everything(path.parent), path.stat().st_mtime_ns) == before
    assert (everything(path.parent), path.stat().st_mtime_ns) == before


def test_a_rehearsal_goes_on_where_the_ledger_stands(tmp_path: Path) -> None:
    filled(tmp_path)
    with closing(open_ledger(URL, tmp_path)) as ledger, closing(rehearsal_copy(URL, tmp_path)) as copy:
        assert copy.editions() == ledger.editions()
        assert copy.history() == ledger.history()
        waiting = [State.PLANNED, State.DEFERRED, State.SENDING, State.UNKNOWN]
        assert list(copy.deliveries(KEY, waiting)) == list(ledger.deliveries(KEY, waiting))
        assert copy.frozen(KEY) == ledger.frozen(KEY)
        with pytest.raises(EditionExists):
            copy.enter(entry("weekly/again", articles=(used("one", key="weekly/again"),)), LATER)
        claimed = copy.claim(KEY, "rehearsal", 100, LATER + timedelta(days=1), LEASE)
        assert [one.epoch for one in claimed] == [1, 1, 1, 1, 2, 2]


def test_a_rehearsal_of_a_ledger_that_is_open_sees_what_was_committed(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with closing(open_ledger(URL, tmp_path)) as ledger:
        ledger.enter(entry("daily/1", recipients=people(5)), LATER)
        assert (path.parent / "syndicate.db-wal").stat().st_size
        before = path.read_bytes()
        with closing(rehearsal_copy(URL, tmp_path)) as copy:
            assert copy.editions() == ledger.editions()
        assert history(URL, tmp_path).editions["daily/1"] == "sending"
        assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == ["syndicate.db"]


def test_two_processes_may_make_the_same_ledger(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from syndicate.ledger import open_ledger;"
        f"open_ledger({URL!r}, Path({str(tmp_path)!r})).close()"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [worker.wait() for worker in workers] == [0, 0]
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["syndicate.db"]


@pytest.mark.parametrize(
    ("mounts", "trusted"),
    [
        ("/dev/sda1 / ext4 rw 0 0", True),
        ("server:/home {} nfs4 rw 0 0", False),
        ("/dev/sda1 / ext4 rw 0 0\n//server/share {} cifs rw 0 0", False),
        ("server:/home / nfs rw 0 0\n/dev/sda1 {} ext4 rw 0 0", True),
        ("server:/other {}-other nfs rw 0 0\n/dev/sda1 / ext4 rw 0 0", True),
        ("nonsense", True),
    ],
)
def test_a_ledger_on_another_machine_is_refused(tmp_path: Path, mounts: str, trusted: bool) -> None:
    """F-37: by what the system says of the folder, whatever lies above it."""
    told, folder = tmp_path / "mounts", tmp_path / "far"
    folder.mkdir()
    told.write_text(mounts.format(folder), "utf-8")
    if trusted:
        refuse_network(folder / "syndicate.db", told)
    else:
        with pytest.raises(LedgerError, match="network file system"):
            refuse_network(folder / "syndicate.db", told)
