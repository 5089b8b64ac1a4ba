"""A day of a contract whose every line is sealed and logged, and bundles of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.core.bundle.annex import Annex, parsed_annex
from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import is_of_lines
from controller.core.bundle.recompute import recomputed
from controller.core.bundle.statements import Statement
from controller.core.bundle.verify import opened_claim
from controller.identity.notary import LogNotary
from controller.ports.evidence import Segment
from controller.ports.seals import StoredSeal, StreamId
from controller.ports.storage import Storage
from controller.services.bundling.annex import Pinned
from controller.services.bundling.bundle import Bundles
from controller.services.bundling.handing import Part
from controller.services.bundling.held import HeldHead
from controller.services.contracts.terms import Terms
from controller.services.evidence.logbook import Logbook
from tests.unit.core.bundle.made import Files
from tests.unit.services.conftest import SECOND
from tests.unit.services.report_stage import ADA, DAY, ENDS, REGIONS, Stage
from vedette.shared.note import signed_note
from vedette.shared.seal import ClockState, Payload, Seal, Slots, Span, StreamName
from vedette.shared.slot_line import is_of_slot

LABEL = "2025-06-16"
HOUR = 3600 * SECOND
_LINES = 60
KEYS = {
    f"{region}-1": Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))
    for number, region in enumerate(REGIONS, 1)
}


def whole(parts: Iterable[Part]) -> Files:
    """The files that parts come to."""
    files: dict[str, bytes] = {}
    for part in parts:
        put_part(part, files)
    return Files(files)


def put_part(part: Part, files: dict[str, bytes]) -> None:
    """Put a part to the files that came before it."""
    content = part.content
    if part.is_joined:
        content = b"".join(one for name, one in files.items() if is_of_lines(name))
    files[part.name] = files.get(part.name, b"") + content


@dataclass
class Chain:
    """A stream's seals so far."""

    number: int = 0
    prev: str | None = None
    covered: int = 0
    since_us: int = 0


@dataclass
class SealedDay:
    """The stage, the log, and agents that seal what they said."""

    stage: Stage
    notary: LogNotary
    chains: dict[StreamId, Chain] = field(default_factory=dict)
    pinned: list[Pinned] = field(default_factory=list)
    seal_lines: int = _LINES
    begins_us: int = ENDS - 6 * HOUR

    def __post_init__(self) -> None:
        world = self.stage.world
        self.logbook = Logbook(world.storage, self.notary, self.stage.tick)
        with world.storage.transaction() as tx:
            for one in tx.agents():
                public = KEYS[one.id].public_key().public_bytes_raw()
                tx.put_agent(replace(one, evidence_key=public))

    async def play(self) -> None:
        """An hour before the day, the day with an outage of ten minutes at three, and an hour after it."""
        await self.probe(ENDS - 6 * HOUR, ENDS + 3 * HOUR)
        await self.probe(ENDS + 3 * HOUR, ENDS + 3 * HOUR + 600 * SECOND, "down")
        await self.probe(ENDS + 3 * HOUR + 600 * SECOND, ENDS + DAY + 6 * HOUR)
        self.over()

    async def probe(
        self, from_us: int, to_us: int, outcome: str = "up", regions: Sequence[str] = REGIONS
    ) -> None:
        """What regions see, one after another within the minute."""
        for region in regions:
            at_us = REGIONS.index(region) * 20 * SECOND
            await self.stage.probe(region, from_us + at_us, to_us + at_us, outcome)

    def over(self) -> None:
        """All that was seen is sealed, and an hour goes by."""
        for region in REGIONS:
            self.seal(StreamId(f"{region}-1", "e1", "shop"), self.stage.seqs[region])
        self.stage.world.now_us = ENDS + DAY + 7 * HOUR

    def seal(self, stream: StreamId, last: int, *, skip: int = 0) -> None:
        """Seal the lines up to that one, `seal_lines` a seal; `skip` numbers are left out before the first."""
        chain = self.chains.setdefault(stream, Chain())
        chain.number += skip
        for first in range(chain.covered + 1, last + 1, self.seal_lines):
            self._seal(stream, chain, first, min(first + self.seal_lines - 1, last), skip)
            skip = 0

    def _seal(self, stream: StreamId, chain: Chain, first: int, last: int, skipped: int) -> None:
        with self.stage.world.storage.transaction() as tx:
            if last:
                tx.pack_segments(stream, first, last)
            body = b"".join(tx.lines(stream, first, last)) if last else b""
            end_us = (chain.since_us or self.begins_us) + (last + 1) * 60 * SECOND
            done = sum(map(is_of_slot, body.split(b"\n")[:-1]))
            name = StreamName("example.net", stream.agent, stream.stream, stream.epoch)
            chain.number += 1
            payload = Payload(
                first, last, last - first + 1 if last else 0, sha256(body).hexdigest(), len(body)
            )
            seal = Seal(
                name, chain.number, chain.prev, payload, Slots(done, 0), "0" * 64,
                Span(self._begun_us(chain, first), end_us, 1, 2), ClockState(),
            )  # fmt: skip
            note = signed_note(seal.text(), name.key_name, KEYS[stream.agent])
            tx.put_seal(
                StoredSeal(stream, chain.number, note, first, last, last, payload.count, done, done, 0, skipped, end_us,
                           self.stage.tick())
            )  # fmt: skip
            chain.prev, chain.covered = sha256(note).hexdigest(), last

    def _begun_us(self, chain: Chain, first: int) -> int:
        """A seal is about the time since the one before it."""
        return (chain.since_us or self.begins_us) + first * 60 * SECOND

    def append(self, stream: StreamId, *lines: bytes) -> None:
        """Lines of a stream that nobody evaluates."""
        body = b"".join(lines)
        with self.stage.world.storage.transaction() as tx:
            tx.append([Segment(*stream, 1, len(lines), body, 1, 0)], [], [], [], [])

    def bundles(self) -> Bundles:
        """The service."""
        world, tick = self.stage.world, self.stage.tick
        storage: Storage = world.storage
        return Bundles(
            storage, world.evaluator, Terms(), self.logbook, self.notary, tick, lambda: self.pinned
        )

    def parts(
        self, label: str = LABEL, contract: str = "acme", since: Sequence[HeldHead] = ()
    ) -> Iterator[Part]:
        """A bundle, part by part."""
        return self.bundles().of_period(contract, label, ADA, since)

    def bundle(self, label: str = LABEL, since: Sequence[HeldHead] = ()) -> Files:
        """A bundle of a day, its files put together."""
        return whole(self.parts(label, since=since))

    def of_outage(self, handle: str) -> Files:
        """A bundle of an outage."""
        return whole(self.bundles().of_outage(handle, ADA))

    def annex(self) -> Annex:
        """The annex that the service gives."""
        return parsed_annex(self.bundles().annex())


def claim_of(day: SealedDay, bundle: Files) -> ClaimNote:
    """What a bundle claims."""
    return opened_claim(bundle, day.notary.verifier)


def again(day: SealedDay, bundle: Files) -> list[Statement]:
    """What recomputing a bundle says."""
    return list(recomputed(bundle, claim_of(day, bundle)))
