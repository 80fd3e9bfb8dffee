"""Real workers, killed at random instants: nothing is lost, nothing is sent twice, and doubt is bounded and named.

The oracle is the server's own journal. `tests/bench/bench_kill.py` does the same thousands of times.
"""

import os
from pathlib import Path

import pytest

from syndicate.testing import chaos

#: In each of eight worlds; more by hand: SYNDICATE_KILLS=250.
KILLS = int(os.environ.get("SYNDICATE_KILLS", "26"))
SEED = int(os.environ.get("SYNDICATE_SEED", "1"))


@pytest.mark.parametrize("world", range(4))
@pytest.mark.parametrize("network", ["journal", "smtp"])
def test_killed_at_any_instant_nothing_is_lost_or_sent_twice(tmp_path: Path, network: str, world: int) -> None:
    """F-01 F-02 F-03 F-05 F-06 F-07 F-08 F-09 F-62, and I1 to I8: wherever it dies, the next worker goes on."""
    figures = chaos.run(tmp_path, network, SEED * 100 + world, KILLS)
    print(figures)
    assert figures.violations == []
    assert figures.kills == KILLS
    assert figures.accepted > 0
    assert set(figures.states) <= {"sent", "unknown", "skipped"}
    assert figures.states.get("unknown", 0) <= figures.kills * chaos.CONNECTIONS
