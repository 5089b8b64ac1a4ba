"""The program and a naive implementation, written from the rules alone, agree on contracts drawn by lot."""

import pytest
import yaml

from tests.property.sla_oracle.agreement import differences
from tests.property.sla_oracle.lottery import case

CONTRACTS = 200
AT_ONCE = 20


@pytest.mark.parametrize("first", range(0, CONTRACTS, AT_ONCE))
def test_a_second_implementation_agrees_to_the_last_digit(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        drawn = case(seed)
        found = differences(drawn)
        if found:
            text = yaml.safe_dump(drawn.fleet, sort_keys=False)
            again = f"python -m tests.property.sla_oracle --seed {seed}"
            pytest.fail("\n".join([text, *found, f"the timeline and this again: {again}"]))
