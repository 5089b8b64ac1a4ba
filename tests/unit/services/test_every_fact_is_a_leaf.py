"""Whatever can move a figure, or says what may not be dropped, is a leaf of the log once it is written."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from controller.core.sla.claims.claims import ClaimAction
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.agents import AgentRecord
from controller.ports.claims import ClaimEvent
from controller.ports.counters import Counter
from controller.ports.custody import LOCAL, Act, AgentStanding, Standing
from controller.ports.events import EventKind, OutageEvent
from controller.ports.exclusions import EntryKind, ExclusionEntry
from controller.ports.fleet import CheckRevision, FleetRevision, TermsRevision
from controller.ports.holds import HoldEvent, HoldKind
from controller.ports.issued import IssuedReport
from controller.ports.leaves import LeafKind
from controller.ports.pruned import Pruned, Pruning
from controller.ports.remarks import Remark, RemarkKind
from controller.ports.seals import StoredSeal, StreamId
from controller.ports.storage import Transaction
from tests.fakes.storage import FakeStorage
from vedette.shared.note import opened_note

NOW_US = 1_780_000_000_000_000
SHOP = StreamId("fra-1", "e1", "shop")
AGENT = AgentRecord("fra-1", "fra", "host", 5, b"k" * 32, b"s" * 32, "01", None, 9)
SEAL = StoredSeal(SHOP, 1, b"a note\n\nof an agent\n", 1, 3, 3, 3, 5, 3, 2, 0, 2**50, 2**51)
HOLD = HoldEvent(1, HoldKind.PLACED, 5, "anna", "admin", "", "x", ("home",), 1, 2, "why")
FLEET = FleetRevision(1, b"contracts: [one]", "fleet.yaml", 5, "anna")


class Fact(NamedTuple):
    """What happens, the kind and the subject of its leaf, and what the leaf says."""

    write: Callable[[Transaction], object]
    kind: LeafKind
    subject: str
    says: str


def act(action: str) -> Fact:
    """An act in the ledger."""
    done = Act(5, "anna", LOCAL, action, "bo", "detail", LOCAL)
    return Fact(lambda tx: tx.record(done), LeafKind.ACCESS, action, '"subject":"bo"')


def exclusion(kind: EntryKind, **more: Any) -> Fact:
    entry = ExclusionEntry("m-1", kind, 5, "anna", "operator", "", "d1", **more)
    said = f'"kind":"{kind.value}"'
    return Fact(lambda tx: tx.put_exclusion_entry(entry), LeafKind.EXCLUSION, "m-1", said)


def remark(kind: RemarkKind) -> Fact:
    made = Remark(3, kind, 5, "anna", "admin", "", "text")
    return Fact(lambda tx: tx.put_remark(made), LeafKind.REMARK, "OUT-3", f'"kind":"{kind.value}"')


def outage(kind: EventKind) -> Fact:
    event = OutageEvent(3, 2, kind, 5, "home", b'{"downtime":7}')
    said = f'"kind":"{kind.value}"'
    return Fact(lambda tx: tx.put_event(event), LeafKind.OUTAGE, "OUT-3", said)


def claim(action: ClaimAction) -> Fact:
    event = ClaimEvent(1, 1, action.value, 5, "anna", "admin", "", facts=b'{"amount":"9"}')
    said = f'"action":"{action.value}"'
    return Fact(lambda tx: tx.put_claim_event(event), LeafKind.CLAIM, "CLM-1", said)


def standing(to: Standing) -> Fact:
    made = AgentStanding("fra-1", to, 5, "anna", "why")
    said = f'"standing":"{to.value}"'
    return Fact(lambda tx: tx.put_standing(made), LeafKind.KEY, "fra-1", said)


FACTS: dict[str, Fact] = {
    "a seal": Fact(lambda tx: tx.put_seal(SEAL), LeafKind.SEAL, "fra-1 e1 shop 1", "a note"),
    "an agent enrols": Fact(
        lambda tx: tx.put_agent(replace(AGENT, id="nyc-1")), LeafKind.KEY, "nyc-1", b"k".hex() * 32
    ),
    "an agent has another key": Fact(
        lambda tx: tx.put_agent(replace(AGENT, evidence_key=b"n" * 32)),
        LeafKind.KEY, "fra-1", b"n".hex() * 32,
    ),
    "an agent moves to another region": Fact(
        lambda tx: tx.put_agent(replace(AGENT, region="nyc")), LeafKind.KEY, "fra-1", '"region":"nyc"'
    ),
    **{f"an agent is {one.value}": standing(one) for one in Standing},
    "a fleet file, and the contracts in it": Fact(
        lambda tx: tx.put_fleet(FLEET, []), LeafKind.FLEET, "1", '"applied_by":"anna"'
    ),
    "the terms of a contract": Fact(
        lambda tx: tx.put_terms(TermsRevision("gold", 1, 5, {"contracts": [{"id": "gold"}]})),
        LeafKind.TERMS, "gold", '"terms":{"contracts":[{"id":"gold"}]}',
    ),
    "a revision of a check": Fact(
        lambda tx: tx.put_fleet(FLEET, [CheckRevision("home", "d7", b"{}", 5)]),
        LeafKind.CHECK, "home", '"digest":"d7"',
    ),
    "an exclusion is declared": exclusion(EntryKind.DECLARED, body=b"{}"),
    "an exclusion is approved": exclusion(EntryKind.APPROVED, text="seen"),
    "an exclusion is withdrawn": exclusion(EntryKind.WITHDRAWN, text="off"),
    **{f"a remark: {one.value}": remark(one) for one in RemarkKind},
    **{f"an outage is {one.value}": outage(one) for one in EventKind},
    **{f"a claim: {one.value}": claim(one) for one in ClaimAction},
    "a report is sealed": Fact(
        lambda tx: tx.put_issued(IssuedReport("gold", "2026-06", 1, 5, 5, "5a", b"{}")),
        LeafKind.REPORT, "gold 2026-06", '"sha256":"5a"',
    ),
    "lines are pruned": Fact(
        lambda tx: tx.put_pruning(Pruning(1, 5, 4, 1, "397d", [Pruned(SHOP, 1, 2, 1, 9, 9, 70)])),
        LeafKind.PRUNE, "PRUNE-1", "stream fra-1 e1 shop seals 1 2 lines 1 9 9 bytes 70",
    ),
    "a hold is placed": Fact(
        lambda tx: tx.put_hold_event(HOLD), LeafKind.HOLD, "HLD-1", '"kind":"placed"'
    ),
    "a hold is lifted": Fact(
        lambda tx: tx.put_hold_event(replace(HOLD, kind=HoldKind.LIFTED)),
        LeafKind.HOLD, "HLD-1", '"kind":"lifted"',
    ),
    "counter-evidence against an outage": Fact(
        lambda tx: tx.put_counter(Counter("OUT-3", 5, "bo", "counterparty", "", "up", "f", 1, "ab", b"x")),
        LeafKind.COUNTER, "OUT-3", '"content":"eA=="',
    ),
    "counter-evidence against a period": Fact(
        lambda tx: tx.put_counter(Counter("gold 2026-06", 5, "bo", "counterparty", "", "up")),
        LeafKind.COUNTER, "gold 2026-06", '"text":"up"',
    ),
    **{f"an act: {name}": act(name) for name in ("token.create", "token.revoke", "agent.revoke")},
}  # fmt: skip


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: NOW_US)


def test_every_kind_of_leaf_has_a_fact() -> None:
    assert {fact.kind for fact in FACTS.values()} == set(LeafKind)


def test_every_fact_is_a_leaf_that_says_it(notary: LogNotary) -> None:
    storage = FakeStorage(notary)
    for name, fact in FACTS.items():
        (note,) = entered(storage, fact)
        is_own = fact.kind is not LeafKind.SEAL
        text = opened_note(note, [notary.verifier]) if is_own else note.decode()
        assert fact.says in text, name
    storage.close()


def entered(storage: FakeStorage, fact: Fact) -> list[bytes]:
    """The notes of the leaves that it made, which are taken back: each fact stands by itself."""
    found: list[bytes] = []
    with suppress(_Undone), storage.transaction() as tx:
        tx.put_agent(AGENT)
        size = tx.log_size()
        fact.write(tx)
        found += [
            note
            for leaf, note in tx.leaf_notes(size, tx.log_size())
            if (leaf.kind, leaf.subject) == (fact.kind, fact.subject)
        ]
        raise _Undone
    return found


class _Undone(Exception):
    """Nothing of the transaction stays."""
