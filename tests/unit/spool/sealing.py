"""A spool that is sealed, as tests need one, and a reader of what was sealed."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.core.accounts import SlotAccount
from agent.core.assignment import Assigned
from agent.ports import SEALS_SUFFIX
from agent.spool.disk import DiskFile, OpenFile
from agent.spool.queue import DiskSpool
from agent.spool.sealer import Sealer, Signer, Witness
from tests.unit.spool.lines import Key, drained
from vedette.shared.definitions import Check
from vedette.shared.limits import SPOOL_BYTES_MAX
from vedette.shared.note import Verifier, opened_note
from vedette.shared.probes import IcmpProbe
from vedette.shared.result import ClockReading
from vedette.shared.seal import Seal, parsed_seal
from vedette.shared.slots import Cadence

SECOND = 1_000_000
EVERY = 10
EVIDENCE = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
VERIFIER = Verifier("test/agent/fra-1", EVIDENCE.public_key().public_bytes_raw())


@dataclass
class Watch:
    """A Clock that stands still until a test moves it."""

    us: int = 1_000 * SECOND

    def wall_us(self) -> int:
        return self.us

    def monotonic_us(self) -> int:
        return self.us

    async def sleep_until_us(self, wall_us: int) -> None:
        raise AssertionError(wall_us)


class Offset:
    """A ClockOffset that knows."""

    def mark(self) -> int:
        return 0

    def reading(self, since: int | None = None) -> ClockReading:
        return ClockReading(offset=-120, error=900)


@dataclass
class Sealed:
    """A spool, its sealer, and the check `home` of service `shop` every ten seconds."""

    directory: Path
    watch: Watch = field(default_factory=Watch)
    bytes_max: int = SPOOL_BYTES_MAX
    open_file: OpenFile = DiskFile

    def __post_init__(self) -> None:
        self.spool = DiskSpool.open(
            self.directory, bytes_max=self.bytes_max, open_file=self.open_file
        )
        self.account = SlotAccount(2 * SECOND)
        self.start()

    def start(self) -> None:
        self.sealer = Sealer(
            self.spool,
            self.directory,
            Signer("test", "fra-1", EVIDENCE),
            Witness(
                self.account, lambda: {"shop": ["ab" * 32]}, self.watch, Offset(), lambda: True
            ),
        )
        check = Check(id="home", service="shop", every="10s", icmp=IcmpProbe(host="192.0.2.1"))
        self.account.replace(
            {"home": Assigned(check, "ab" * 32)},
            {"home": Cadence(EVERY * SECOND, 5 * SECOND)},
            self.watch.us,
        )

    async def restart(self) -> None:
        """Close as a process does that is told to stop, and open again."""
        await self.spool.close()
        self.spool = DiskSpool.open(self.directory)
        self.account = SlotAccount(2 * SECOND)
        self.start()

    def run_slot(self) -> None:
        """Ten seconds pass; the slot in them is run and gives a line."""
        self.watch.us += EVERY * SECOND
        slot = (self.watch.us - 5 * SECOND) // (EVERY * SECOND)
        self.account.due("home", slot)
        self.account.started("shop")
        self.write(slot)
        self.account.ended("shop")

    def write(self, slot: int | None = None, stream: str = "shop") -> None:
        seq = self.spool.next_seq(stream)
        of_slot = "" if slot is None else f',"slot":{slot}'
        line = f'{{"stream":"{stream}","seq":{seq}{of_slot}}}\n'.encode()
        self.spool.append(stream, seq, line)

    def notes(self, stream: str = "shop") -> list[bytes]:
        """The notes of a stream of the present epoch that wait in the spool."""
        return notes_of(self.spool, (self.spool.epoch, stream))

    def seals(self, stream: str = "shop") -> list[Seal]:
        """The seals of a stream, after what they claim of the spool's lines was found true."""
        key = (self.spool.epoch, stream)
        return checked(self.spool, key)


def notes_of(spool: DiskSpool, key: Key) -> list[bytes]:
    wanted = (key[0], key[1] + SEALS_SUFFIX)
    return [
        note
        for batch in drained(spool)
        if (batch.epoch, batch.stream) == wanted
        for note in batch.lines
    ]


def checked(spool: DiskSpool, key: Key) -> list[Seal]:
    """Every seal of (epoch, stream) in the spool: signed, chained, and true of the lines that are there."""
    lines = {
        seq: line
        for batch in drained(spool)
        if (batch.epoch, batch.stream) == key
        for seq, line in enumerate(batch.lines, batch.first_seq)
    }
    seals: list[Seal] = []
    prev: str | None = None
    for note in notes_of(spool, key):
        seal = parsed_seal(opened_note(note, [VERIFIER]))
        assert (seal.name.epoch, seal.name.stream) == key
        if seals:
            assert (seal.number, seal.prev) == (seals[-1].number + 1, prev)
        covered = [lines[n] for n in range(seal.payload.first, seal.payload.last + 1) if n in lines]
        if seal.payload.count and seal.payload.first in lines:
            assert len(covered) == seal.payload.count
            assert hashlib.sha256(b"".join(covered)).hexdigest() == seal.payload.sha256
        prev = hashlib.sha256(note).hexdigest()
        seals.append(seal)
    return seals
