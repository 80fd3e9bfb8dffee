"""A ledger with one edition, a clock that stands still, and couriers."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from syndicate.deliver.attempts import Attempts
from syndicate.deliver.courier import Courier
from syndicate.deliver.policy import Policy
from syndicate.ledger import open_ledger
from syndicate.ledger.base import Ledger
from syndicate.testing.clock import Clock

MakeCourier = Callable[..., Courier]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(open_ledger("sqlite://", tmp_path)) as ledger:
        yield ledger


@pytest.fixture
def attempts(tmp_path: Path) -> Attempts:
    return Attempts(tmp_path / "attempts", "this boot")


@pytest.fixture
def courier(ledger: Ledger, clock: Clock, attempts: Attempts) -> MakeCourier:
    def make(batch: int = 100, lease: timedelta = timedelta(minutes=15), **policy: object) -> Courier:
        return Courier(ledger, clock, Policy(**policy), attempts=attempts, worker="w", batch=batch, lease=lease)  # type: ignore[arg-type]

    return make
