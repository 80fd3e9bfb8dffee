"""Every ledger keeps the contract: on disk, in memory, and as the copy in which a dry run happens."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from syndicate.ledger import open_ledger, rehearsal_copy
from syndicate.ledger.base import Ledger
from syndicate.testing.ledger import LedgerContract
from syndicate.testing.standing import StandingContract


class TestOnDisk(LedgerContract, StandingContract):
    @pytest.fixture
    def ledger(self, tmp_path: Path, empty: Callable[[Path], Path]) -> Iterator[Ledger]:
        with closing(open_ledger(f"sqlite:///{empty(tmp_path).name}", tmp_path)) as ledger:
            yield ledger


class TestInMemory(LedgerContract, StandingContract):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        with closing(open_ledger("sqlite://", tmp_path)) as ledger:
            yield ledger


class TestRehearsalCopy(LedgerContract, StandingContract):
    @pytest.fixture
    def ledger(self, tmp_path: Path, empty: Callable[[Path], Path]) -> Iterator[Ledger]:
        with closing(rehearsal_copy(f"sqlite:///{empty(tmp_path).name}", tmp_path)) as ledger:
            yield ledger
