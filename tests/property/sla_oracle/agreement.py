"""Asks both for their records, and says where they differ."""

import json
from typing import Any

import yaml

from controller.core.calendars import period_named
from controller.core.fleet import read_fleet
from controller.core.replay import decode_replay
from controller.core.sla.reports.records import observed_in, records, records_bytes
from tests.property.sla_oracle import record as oracle
from tests.property.sla_oracle.scene import Case
from tests.property.sla_oracle.terms import Plain


def program(case: Case) -> list[Plain]:
    """What the program says, from the files that `vedette sla compute` reads."""
    fleet = read_fleet(yaml.safe_dump(case.fleet).encode(), "fleet.yaml")
    document = decode_replay(json.dumps(case.document).encode())
    contract = fleet.contracts[case.contract]
    when = period_named(case.label, contract.period.tz)
    as_of = when.to_us if case.as_of is None else case.as_of
    observed = observed_in(document, fleet, contract.scope)
    found = json.loads(records_bytes(records(contract, when, observed, as_of)))["records"]
    assert isinstance(found, list)
    return found


def differences(case: Case) -> list[str]:
    """A line for every number that is not the same."""
    ours, theirs = program(case), oracle.records(case)
    if len(ours) != len(theirs):
        return [f"{len(ours)} records, the oracle has {len(theirs)}"]
    return [
        line
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True))
        for line in _lines(f"records[{place}]", one, other)
    ]


def _lines(path: str, one: Any, other: Any) -> list[str]:
    """Differences below a path. What only the program says is words, and is not compared."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for name, said in other.items()
            for line in _lines(f"{path}.{name}", one.get(name, "nothing"), said)
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for n, (a, b) in pairs for line in _lines(f"{path}[{n}]", a, b)]
    return [] if one == other else [f"{path}: {one}, the oracle says {other}"]
