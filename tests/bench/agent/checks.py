"""The checks of a benchmark, and the assignment that holds them."""

import hashlib
from collections.abc import Sequence

import msgspec

from agent.ports import AssignedCheck, Assignment
from tests.bench.agent.targets import HOST, NAME, Targets
from vedette.shared.definitions import Check, canonical_bytes

Parts = dict[str, object]


def probe_of(kind: str, at: Targets) -> Parts:
    """The probe that each kind of check runs; https is http of another URL."""
    return {
        "http": {"http": {"url": f"http://{HOST}:{at.http}/"}},
        "https": {
            "http": {"url": f"https://{HOST}:{at.https}/", "tls": {"ca": at.ca_file.read_text()}}
        },
        "dns": {"dns": {"name": NAME, "servers": [HOST], "port": at.dns}},
        "icmp": {"icmp": {"host": HOST, "count": 1}},
    }[kind]  # type: ignore[return-value] # each is a dict of one probe


def checks_of(kind: str, count: int, at: Targets, every: str = "1s") -> list[Check]:
    """`count` checks of `kind`, each once in `every`."""
    probe = probe_of(kind, at)
    return [check_of(f"{kind}-{n}", probe, every) for n in range(count)]


def check_of(name: str, probe: Parts, every: str = "1s") -> Check:
    """One check."""
    return msgspec.convert(
        {"id": name, "service": "bench", "every": every, "timeout": "1s", **probe}, Check
    )


def assignment_of(checks: Sequence[Check]) -> Assignment:
    """As the controller would send it."""
    parts = [canonical_bytes(check) for check in checks]
    assigned = tuple(AssignedCheck(part, hashlib.sha256(part).hexdigest()) for part in parts)
    revision = hashlib.sha256(b"".join(parts)).hexdigest()
    return Assignment(revision, assigned)
