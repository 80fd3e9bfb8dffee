"""Several processes have one database open, and one of them looks at its file again and again, as a scheduler does."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from syndicate.ledger import history, open_ledger, rehearsal_copy
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import entry

URL = "sqlite:///syndicate.db"
#: Another command, from its start to its end; argv: the folder, the edition that it enters.
COMMAND = """
import sys
from pathlib import Path
from syndicate.ledger import open_ledger
from syndicate.testing.clock import MONDAY
from syndicate.testing.entries import entry
ledger = open_ledger("sqlite:///syndicate.db", Path(sys.argv[1]))
ledger.enter(entry(sys.argv[2]), MONDAY)
ledger.close()
"""


def test_a_look_at_the_file_does_not_let_another_process_remove_the_log(tmp_path: Path) -> None:
    """F-31: what is committed after another command has come and gone is there for the next one."""
    with closing(open_ledger(URL, tmp_path)) as ledger:
        ledger.enter(entry("weekly/1"), MONDAY)
        history(URL, tmp_path)
        rehearsal_copy(URL, tmp_path).close()
        open_ledger(URL, tmp_path).close()
        subprocess.run([sys.executable, "-c", COMMAND, str(tmp_path), "weekly/2"], check=True)
        ledger.enter(entry("weekly/3"), MONDAY)
        subprocess.run([sys.executable, "-c", COMMAND, str(tmp_path), "weekly/4"], check=True)
    with closing(open_ledger(URL, tmp_path)) as ledger:
        assert sorted(row.key for row in ledger.editions()) == [f"weekly/{number}" for number in range(1, 5)]
