"""`python -m tests.property.sla_oracle --seed 17`: a drawn contract as YAML, its timeline, and where the two differ."""

import argparse
import json

import yaml

from tests.property.sla_oracle.agreement import differences
from tests.property.sla_oracle.lottery import case


def main() -> None:
    """Show one seed, or try many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="show this one")
    parser.add_argument("--first", type=int, default=0, help="the first seed to try")
    parser.add_argument("--count", type=int, default=1000, help="how many to try")
    said = parser.parse_args()
    if said.seed is not None:
        one = case(said.seed)
        print(yaml.safe_dump(one.fleet, sort_keys=False))
        print(json.dumps(one.document))
        print(f"contract {one.contract}, period {one.label}, as of {one.as_of}")
        print("\n".join(differences(one)) or "both say the same")
        return
    for seed in range(said.first, said.first + said.count):
        if found := differences(case(seed)):
            print(f"--seed {seed}: {len(found)} differences, first {found[0]}")


if __name__ == "__main__":
    main()
