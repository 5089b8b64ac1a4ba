"""Laws P1 and P2 of the whole controller: what it tells equals the batch oracle, whatever happens to it."""

import pytest

from tests.property.life.oracle import lived


@pytest.mark.parametrize("seed", range(6))
async def test_p2_whatever_happens_the_server_tells_what_the_oracle_tells(seed: int) -> None:
    """Late, lost, repeated and conflicting lines, silence, agents in trouble, new policies, a full disk,
    settling and restarts; now, and as of instants before."""
    assert await lived(seed, steps=120, every=40) == []
