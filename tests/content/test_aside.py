"""Work in a fork: the same result, and nothing worse than doing it here."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from syndicate.content.aside import aside
from tests.content.conftest import text_of


def alone(program: str, *arguments: object) -> str:
    """What a program says that has one thread, as a command has."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_is_wanted_is_done_by_another_process() -> None:
    program = (
        "import os; from syndicate.content.aside import aside; print(os.getpid() != aside(os.getpid, wanted=True)())"
    )
    assert alone(program) == f"{(os.cpu_count() or 1) > 1}\n"


def test_what_is_not_wanted_is_done_here() -> None:
    assert aside(os.getpid, wanted=False)() == os.getpid()


def test_a_process_with_threads_is_not_forked() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        assert aside(os.getpid, wanted=True)() == os.getpid()
    finally:
        release.set()
        thread.join()


def test_what_fails_there_is_done_here() -> None:
    program = """
import os
from syndicate.content.aside import aside
here = os.getpid()
def work():
    if os.getpid() != here:
        os.kill(os.getpid(), 9)
    return "done here"
print(aside(work, wanted=True)())
print(aside(lambda: {"not": object()} if os.getpid() != here else "nothing marshal knows", wanted=True)())
"""
    assert alone(program) == "done here\nnothing marshal knows\n"


def test_the_same_files_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    (folder / "deep" / "日本").mkdir(parents=True)
    for number in range(40):
        (folder / "deep" / f"a{number}.md").write_text(text_of(f"A{number}"))
    (folder / "deep" / "日本" / "b.md").write_text(text_of("B"))
    (folder / "out.md").symlink_to("/etc/hostname")
    (folder / "in.md").symlink_to(folder / "deep" / "a1.md")
    program = """
import sys
from pathlib import Path
from syndicate.content.scan import begin, scan
found = begin(Path(sys.argv[1]), ["articles", "missing"], many=True)()
assert found == scan(Path(sys.argv[1]), ["articles", "missing"])
print(len(found.files), len(found.problems))
"""
    assert alone(program, tmp_path) == "42 2\n"
