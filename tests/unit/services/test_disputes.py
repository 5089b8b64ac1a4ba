"""Holds and counter-evidence: placed and lifted, said and kept, and what a disputed claim does by itself."""

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest

from controller.core.sla.claims.claims import ClaimAction
from controller.errors import BadInput, NotFound, Rejected
from controller.ports.counters import Counter
from controller.ports.custody import Actor
from controller.services.contracts.claims import Asked as Claimed
from controller.services.contracts.claims import Claims
from controller.services.contracts.terms import Terms
from controller.services.evidence.counters import Counters
from controller.services.evidence.disputed import Asked
from controller.services.evidence.holds import Holds
from controller.services.outages.outages import Outages
from tests.unit.services.conftest import FLEET, Running, World
from tests.unit.services.story import REGIONS, Story
from tests.unit.services.test_claims import CONTRACTS, JULY
from vedette.shared.limits import COUNTER_BYTES_MAX

ADA = Actor("ada", "operator", "ipv4:192.0.2.1:5")
BO = Actor("bo", "counterparty", "ipv4:192.0.2.2:5")
ELSEWHERE = CONTRACTS.replace("[shop-home]", "[shop-dns]", 2).replace(
    "[shop-dns]", "[shop-home]", 1
)


@dataclass
class Scene:
    """June 2025 is over, and had an outage of shop-home; `other` is about another check."""

    world: World

    def __post_init__(self) -> None:
        parts = (self.world.storage, Terms(), lambda: self.world.now_us)
        self.holds, self.counters = Holds(*parts), Counters(*parts)
        self.outages = Outages(self.world.storage, self.world.evaluator, lambda: self.world.now_us)

    def acts(self) -> list[tuple[str, str]]:
        with self.world.storage.transaction() as tx:
            return [(one.action, one.subject) for one in reversed(tx.acts(None, 100))]

    def say(self, text: str = "it was up", by: Actor = BO, **more: Any) -> Counter:
        asked = Asked(
            **{key: more.pop(key) for key in list(more) if key in ("outage", "contract", "period")}
        )
        return self.counters.add(asked, Counter("", 0, "", "", "", text, **more), by)


@pytest.fixture
async def scene(world: World, running: Running) -> Scene:
    text = FLEET + ELSEWHERE.encode()
    assert not world.fleets.apply(text, "fleet.yaml", "ada").problems
    story = Story(world, running)
    await story.rounds(1, 8)
    await story.rounds(8, 18, down=REGIONS)
    await story.rounds(18, 40)
    world.now_us = JULY
    return Scene(world)


def test_what_is_held_is_named_and_lifted_with_a_reason(scene: Scene) -> None:
    period = scene.holds.place(Asked(contract="acme", period="2025-06"), "an audit", ADA).placed
    assert (period.handle, period.subject, period.checks) == (
        "HLD-1",
        "acme 2025-06",
        ("shop-home",),
    )
    outage = scene.holds.place(Asked(outage="out-1"), "asked for", ADA).placed
    (shown,) = [one for one in scene.outages.list() if one.handle == "OUT-1"]
    assert (outage.subject, outage.from_us, outage.to_us) == (
        "OUT-1", shown.body.started_us, shown.body.ended_us,
    )  # fmt: skip
    span = Asked(check="shop-dns", from_us=5, to_us=9)
    assert scene.holds.place(span, "both", ADA).placed.to_us == 9
    assert [one.placed.handle for one in scene.holds.list()] == ["HLD-3", "HLD-2", "HLD-1"]
    lifted = scene.holds.lift("2", "over", ADA).lifted
    assert lifted is not None
    assert [one.placed.handle for one in scene.holds.list()] == ["HLD-3", "HLD-1"]
    assert len(scene.holds.list(is_all=True)) == 3
    assert scene.acts()[-2:] == [("hold.place", "HLD-3"), ("hold.lift", "HLD-2")]
    with pytest.raises(Rejected, match="HLD-2 was lifted already, by ada"):
        scene.holds.lift("HLD-2", "again", ADA)


UNHELD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({}, BadInput, "Expected one of these"),
    ({"contract": "acme"}, BadInput, "Expected one of these"),
    ({"outage": "OUT-1", "check": "shop-home"}, BadInput, "Expected one of these"),
    ({"outage": "OUT-9"}, NotFound, "There is no outage OUT-9"),
    ({"outage": "x"}, BadInput, "Expected the handle of an outage"),
    ({"outage": "OUT-1", "contract": "other"}, Rejected, "not in the scope of other"),
    ({"contract": "none", "period": "2025-06"}, NotFound, "found 'none'"),
    ({"contract": "acme", "period": "soon"}, BadInput, "xpected"),
    ({"check": "none", "from_us": 1, "to_us": 2}, NotFound, "found 'none'"),
    ({"check": "shop-dns", "from_us": 2, "to_us": 2}, BadInput, "Expected --from and, after it, --to"),
]  # fmt: skip


def test_what_cannot_be_held_is_refused_in_words(scene: Scene) -> None:
    for asked, error, sentence in UNHELD:
        with pytest.raises(error, match=sentence):
            scene.holds.place(Asked(**asked), "why", ADA)
    assert scene.holds.list(is_all=True) == []


def test_holds_need_reasons_and_handles(scene: Scene) -> None:
    with pytest.raises(BadInput, match="Expected a reason"):
        scene.holds.place(Asked(outage="1"), " ", ADA)
    with pytest.raises(BadInput, match="Expected the handle of a hold"):
        scene.holds.lift("HLD-x", "why", ADA)
    with pytest.raises(NotFound, match="There is no hold HLD-7"):
        scene.holds.lift("HLD-7", "why", ADA)


def test_a_disputed_claim_holds_what_it_rests_on_until_it_is_settled(scene: Scene) -> None:
    world = scene.world
    claims = Claims(
        world.storage, world.evaluator, Terms(), "vedette.example", lambda: world.now_us
    )
    claims.create(Claimed("acme", "2025-06"), ADA)
    claims.move("CLM-1", ClaimAction.SUBMIT, ADA)
    assert scene.holds.list() == []
    claims.move("CLM-1", ClaimAction.DISPUTE, ADA, reason="our probes say otherwise")
    (held,) = scene.holds.list()
    assert (held.placed.claim, held.placed.subject) == (1, "acme 2025-06")
    assert held.placed.reason == "CLM-1 is disputed"
    with pytest.raises(Rejected, match="HLD-1 is of CLM-1, which is disputed"):
        scene.holds.lift("HLD-1", "no", ADA)
    claims.move("CLM-1", ClaimAction.ACCEPT, ADA, amount="50.00")
    assert len(scene.holds.list()) == 1
    claims.move("CLM-1", ClaimAction.SETTLE, ADA)
    assert scene.holds.list() == []
    (lifted,) = scene.holds.list(is_all=True)
    assert lifted.lifted is not None
    assert lifted.lifted.reason == "CLM-1 is settled"


def test_counter_evidence_is_kept_and_shown_and_changes_nothing(scene: Scene) -> None:
    before = scene.outages.show("OUT-1")
    file = b'{"up": true}'
    said: dict[str, Any] = {
        "file_name": "theirs.json",
        "size": len(file),
        "sha256": hashlib.sha256(file).hexdigest(),
    }
    mine = scene.say(outage="OUT-1", contract="acme", content=file, **said)
    assert (mine.subject, mine.who, mine.role) == ("OUT-1 acme", "bo", "counterparty")
    other = scene.say("the router said so", ADA, outage="OUT-1")
    whole = scene.say(contract="acme", period="2025-06")
    shown = scene.outages.show("OUT-1")
    assert [one.text for one in shown.counters] == [mine.text, other.text]
    assert (shown.body, shown.severities) == (before.body, before.severities)
    assert scene.outages.show("OUT-1", before.told_us).counters == []
    assert [one.text for one in scene.counters.of(Asked(outage="OUT-1", contract="acme"))] == [
        mine.text,
        other.text,
    ]
    assert len(scene.counters.of(Asked(outage="1"))) == 2
    (kept,) = scene.counters.of(Asked(contract="acme", period="2025-06"))
    assert (kept.subject, kept.text) == ("acme 2025-06", whole.text)
    assert scene.acts()[-3:] == [
        ("evidence.counter", one) for one in ("OUT-1 acme", "OUT-1", "acme 2025-06")
    ]


SMALL: dict[str, Any] = {
    "file_name": "a",
    "size": 1,
    "sha256": hashlib.sha256(b"x").hexdigest(),
    "content": b"x",
}


UNSAID: list[tuple[dict[str, Any], str]] = [
    ({"text": " "}, "Expected a text that says what is wrong"),
    ({"size": 5}, "Expected the name of the file"),
    ({**SMALL, "file_name": "../x"}, "Expected the name of a file without its folders"),
    ({**SMALL, "sha256": "no"}, "Expected the size of the file"),
    ({**SMALL, "content": b"y"}, "Expected a file of the size and the SHA-256"),
    ({**SMALL, "size": -1}, "Expected the size of the file"),
    ({**SMALL, "size": COUNTER_BYTES_MAX + 1}, "of a larger one only the SHA-256 is kept"),
]


def test_counter_evidence_that_cannot_be_is_refused(scene: Scene) -> None:
    for said, sentence in UNSAID:
        with pytest.raises(BadInput, match=sentence):
            scene.say(outage="OUT-1", **{"text": "no", **said})
    assert scene.counters.of(Asked(outage="OUT-1")) == []


def test_of_a_large_file_the_hash_is_kept(scene: Scene) -> None:
    kept = scene.say(outage="OUT-1", **{**SMALL, "size": COUNTER_BYTES_MAX + 1, "content": b""})
    assert (kept.size, kept.content) == (COUNTER_BYTES_MAX + 1, b"")
    full = b"x" * COUNTER_BYTES_MAX
    digest = hashlib.sha256(full).hexdigest()
    scene.say(outage="OUT-1", file_name="b", size=len(full), sha256=digest, content=full)
    assert [len(one.content) for one in scene.counters.of(Asked(outage="1"))] == [0, len(full)]
    with pytest.raises(BadInput, match="found a check"):
        scene.counters.of(Asked(check="shop-home"))
