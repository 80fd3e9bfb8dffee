"""An empty ledger, migrated once."""

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import pytest

from syndicate.ledger import open_ledger

URL = "sqlite:///syndicate.db"


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Puts an empty ledger into a folder; its path."""
    root = tmp_path_factory.mktemp("empty")
    open_ledger(URL, root).close()

    def put(folder: Path) -> Path:
        return Path(copyfile(root / "syndicate.db", folder / "syndicate.db"))

    return put
