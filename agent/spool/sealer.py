"""Sealing: once a minute, a signed statement about every stream, whether it has lines or not.

Lines are sealed when they are durable here, whether or not the controller is there to take them: a
minute without a controller is then as well attested as any other.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.core.accounts import SlotAccount, Standing
from agent.errors import Fatal
from agent.ports import SEALS_SUFFIX, Clock, ClockOffset, SealTip, Side
from agent.spool.chains import Chains, Tip, store_chains, stored_chains
from agent.spool.disk import is_full
from agent.spool.payload import Gathering, Sealable
from agent.spool.queue import DiskSpool
from vedette.shared.limits import SEAL_EVERY_SECONDS
from vedette.shared.note import signed_note
from vedette.shared.seal import (
    ClockState,
    Payload,
    Seal,
    Slots,
    Span,
    StreamName,
    checks_digest,
)

Key = tuple[str, str]

_READ_BYTES: Final = 256 * 1024
_EVERYTHING: Final = 2**63 - 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who seals: the organisation and agent that stand in the note, and the evidence key."""

    origin: str
    agent: str
    key: Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Witness:
    """What a seal attests besides the lines.

    `account` counts slots, `in_force` gives check revisions by stream, `is_synced` what the kernel says of
    its clock.
    """

    account: SlotAccount
    in_force: Callable[[], Mapping[str, Sequence[str]]]
    clock: Clock
    offset: ClockOffset
    is_synced: Callable[[], bool | None] = lambda: None


@dataclass(frozen=True, slots=True)
class _Now:
    """The moment of a round: clocks, the last line written in each stream, and which of them get a seal."""

    wall_us: int
    mono_ns: int
    epoch: str
    written: Mapping[str, int]
    sealing: frozenset[str]


class Sealer:
    """Seals what the spool holds. `run` does so every `every_seconds`; it is the only one that signs."""

    def __init__(
        self,
        spool: DiskSpool,
        directory: Path,
        signer: Signer,
        witness: Witness,
        *,
        every_seconds: float = SEAL_EVERY_SECONDS,
    ) -> None:
        self._spool = spool
        self._directory = directory
        self._signer = signer
        self._witness = witness
        self._every_seconds = every_seconds
        self._asked = asyncio.Event()
        self._is_stopping = False
        self._tips: dict[Key, Tip] = {}
        self._sealed: dict[Key, int] = {}
        self._read: dict[Key, int] = {}
        self._gathering: dict[Key, Gathering] = {}
        self._ahead: dict[Key, list[tuple[int, bytes]]] = {}
        self._unstated: dict[str, int] = {}
        self._started_us, self._started_ns = witness.clock.wall_us(), self._mono_ns()
        self._has_sealed: set[str] = set()
        self._recover()
        spool.keep_unsealed(self._sealed)

    @property
    def sealed(self) -> Mapping[Key, int]:
        """The last line of each (epoch, stream) that is sealed."""
        return self._sealed

    def ask(self) -> None:
        """Seal now rather than when it is time."""
        self._asked.set()

    def stop(self) -> None:
        """End `run` after one more round. It must not be cancelled in a round: that note may be on the disk."""
        self._is_stopping = True
        self._asked.set()

    async def run(self) -> None:
        """Seal every so often until `stop`."""
        is_last = False
        while not is_last:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_seconds):
                    await self._asked.wait()
            self._asked.clear()
            is_last = self._is_stopping
            await self.seal()

    async def seal(self) -> None:
        """One round: a seal for every stream. Without room for it, the next round covers more.

        While the spool is full, what it holds is sealed, so that it can go, and no more. Fatal if the disk
        fails.
        """
        if self._spool.is_full and not self._spool.has_unsealed():
            return
        now, standing = self._moment()
        await self._spool.sync()
        await self._gather(now)
        unstated = dict(self._unstated)
        tips, notes = self._signed(now)
        if not notes:
            return
        try:
            chains = Chains({**self._held(tips), **tips}, standing)
            await asyncio.to_thread(self._store, chains)
        except OSError as error:
            self._give_up(error)
            self._unstated = unstated
            return
        self._unstated.clear()
        for key, tip in tips.items():
            self._tips[key] = tip
            self._sealed[key] = tip.last
            self._has_sealed.add(key[1])
        for key, number, note in notes:
            self._spool.append_note(key, number, note)
        await self._spool.sync()

    def difference(self, tips: Mapping[Key, SealTip]) -> str | None:
        """Why the chains of the present epoch cannot go on from what the controller holds; None if they can."""
        epoch = self._spool.epoch
        mine = {key: tip for key, tip in self._tips.items() if key[0] == epoch}
        for key in {*mine, *(key for key in tips if key[0] == epoch)}:
            stream, tip, there = key[1], mine.get(key), tips.get(key, SealTip(0, ""))
            number = tip.number if tip is not None else 0
            delivered = self._spool.acked((epoch, stream + SEALS_SUFFIX))
            if there.number > number or there.number < delivered:
                return (
                    f"the controller holds {there.number} seals of {stream}, {number} were made here "
                    f"and {delivered} delivered"
                )
            if tip is not None and there.number == number and there.sha256 != tip.sha256:
                return f"the controller holds another seal {number} of {stream} than was made here"
        return None

    # --- one round

    def _moment(self) -> tuple[_Now, Standing]:
        """What is true now. No await here: lines, runs and slots must be of the same instant."""
        witness, spool = self._witness, self._spool
        now_us = witness.clock.wall_us()
        statement = witness.account.statement(now_us)
        for stream, count in statement.settled.items():
            self._unstated[stream] = self._unstated.get(stream, 0) + count
        streams = {*witness.account.streams(), *statement.settled, *spool.streams()}
        written = {stream: spool.next_seq(stream) - 1 for stream in streams}
        # A service that this agent probes no more has its last lines sealed, and then says nothing.
        sealing = frozenset(
            stream
            for stream in streams
            if stream in witness.account.streams()
            or self._unstated.get(stream)
            or written[stream] > self._sealed.get((spool.epoch, stream), 0)
        )
        return _Now(now_us, self._mono_ns(), spool.epoch, written, sealing), statement.standing

    async def _gather(self, now: _Now) -> None:
        """Read what was written until then and is not sealed, a little at a time."""
        for key, lines in list(self._ahead.items()):
            self._ahead[key] = []
            for seq, line in lines:
                self._take(key, seq, line, now)
        while batches := self._spool.read(self._read, _READ_BYTES, Side.UNSEALED):
            for batch in batches:
                key = (batch.epoch, batch.stream)
                self._read[key] = batch.first_seq + len(batch.lines) - 1
                if batch.stream.endswith(SEALS_SUFFIX):
                    continue
                for seq, line in enumerate(batch.lines, batch.first_seq):
                    self._take(key, seq, line, now)
            await asyncio.sleep(0)

    def _take(self, key: Key, seq: int, line: bytes, now: _Now) -> None:
        if key[0] == now.epoch and seq > now.written.get(key[1], 0):
            self._ahead.setdefault(key, []).append((seq, line))
        else:
            self._gathering.setdefault(key, Gathering()).take(seq, line)

    def _signed(self, now: _Now) -> tuple[dict[Key, Tip], list[tuple[Key, int, bytes]]]:
        """The tips after this round, and every note of it in order."""
        present = {(now.epoch, stream) for stream in now.sealing}
        tips: dict[Key, Tip] = {}
        notes: list[tuple[Key, int, bytes]] = []
        # Former epochs first: what of the slots is left goes to the present one.
        for key in sorted({*self._gathering, *present}, key=lambda k: (k[0] == now.epoch, k)):
            drawn = self._gathering.pop(key, Gathering()).drawn()
            made: list[bytes] = []
            for at, sealable in enumerate(drawn):
                is_last = key in present and at == len(drawn) - 1
                slots = self._slots(key[1], sealable.done, is_last=is_last)
                tips[key] = self._sealed_by(key, sealable, slots, now, made)
                notes.append((key, tips[key].number, made[-1]))
        return tips, notes

    def _slots(self, stream: str, done: int, *, is_last: bool) -> Slots:
        """Of the slots that came to an end, those of these lines; the last seal tells of the others."""
        left = self._unstated.get(stream, 0) - done
        self._unstated[stream] = 0 if is_last else left
        return Slots(done, max(0, left) if is_last else 0)

    def _sealed_by(
        self, key: Key, sealable: Sealable, slots: Slots, now: _Now, made: list[bytes]
    ) -> Tip:
        """The next tip of a chain; its note is added to `made`, the notes of this chain in this round."""
        epoch, stream = key
        former = self._tips.get(key)
        number = (former.number if former else 0) + len(made) + 1
        prev = Tip(0, 0, 0, 0, [made[-1].decode()]).sha256 if made else None
        if former is not None and prev is None:
            prev = former.sha256
        is_continued = former is not None and stream in self._has_sealed
        start_us = former.wall_us if former else self._started_us
        start_ns = former.mono_ns if former and is_continued else self._started_ns
        span = Span(start_us, now.wall_us, start_ns, now.mono_ns)
        reading = self._witness.offset.reading()
        seal = Seal(
            StreamName(self._signer.origin, self._signer.agent, stream, epoch),
            number,
            prev,
            sealable.payload,
            slots,
            checks_digest(self._witness.in_force().get(stream, ())),
            span,
            ClockState(
                self._witness.is_synced(),
                reading.offset,
                reading.error if reading.offset is not None else None,
                span.step_us if is_continued or former is None else None,
            ),
        )
        made.append(signed_note(seal.text(), seal.name.key_name, self._signer.key))
        last = _last(sealable.payload, former)
        return Tip(number, last, now.wall_us, now.mono_ns, [note.decode() for note in made])

    def _held(self, tips: Mapping[Key, Tip]) -> dict[Key, Tip]:
        """The tips of chains of which something may still be asked."""
        epochs = {self._spool.epoch, *(epoch for epoch, _ in (*self._spool.held(), *tips))}
        return {key: tip for key, tip in self._tips.items() if key[0] in epochs}

    def _store(self, chains: Chains) -> None:
        """Store them, with the reserve's room if there is no other. OSError if there is none at all."""
        try:
            store_chains(self._directory, chains)
        except OSError as error:
            if not is_full(error):
                raise
            self._spool.give_way()
            store_chains(self._directory, chains)

    def _give_up(self, error: OSError) -> None:
        """There is no room to say what was sealed: nothing was. The lines are read again the next time."""
        if not is_full(error):
            raise Fatal(
                f"The seals in {self._directory} could not be stored: {error.strerror or error}. Check the "
                "disk; the agent goes on from what is there when it is started."
            ) from error
        _log.warning("seals.no_room")
        self._gathering.clear()
        self._ahead.clear()
        self._read = dict(self._sealed)

    # --- at start

    def _recover(self) -> None:
        """Go on from what is stored; under a new epoch if what was sealed before is not known."""
        spool, chains = self._spool, stored_chains(self._directory)
        if chains is not None:
            self._tips.update(chains.tips)
            self._witness.account.restore(chains.standing)
        self._sealed.update({key: tip.last for key, tip in self._tips.items()})
        self._read.update(self._sealed)
        for epoch, stream in spool.held():
            if not stream.endswith(SEALS_SUFFIX):
                continue
            key = (epoch, stream.removesuffix(SEALS_SUFFIX))
            known = self._tips[key].number if key in self._tips else 0
            if known < spool.last_held((epoch, stream)):
                self._forsake(epoch, key[1])
        for key, tip in self._tips.items():
            held = spool.last_held((key[0], key[1] + SEALS_SUFFIX))
            for number, note in tip.numbered():
                if number > held:
                    spool.append_note(key, number, note)

    def _forsake(self, epoch: str, stream: str) -> None:
        """What was sealed in this epoch is not known: a second seal of a number must not come to be."""
        if epoch == self._spool.epoch:
            self._spool.open_epoch(f"what was sealed of {stream} is not known")
        for key in self._spool.held():
            if key[0] == epoch:
                self._sealed[key] = self._read[key] = _EVERYTHING

    def _mono_ns(self) -> int:
        return self._witness.clock.monotonic_us() * 1000


def _last(payload: Payload, former: Tip | None) -> int:
    """The last line that is sealed after a seal of `payload`."""
    return payload.last or (former.last if former is not None else 0)
