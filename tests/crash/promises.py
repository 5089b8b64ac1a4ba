"""What was promised in any life so far, by the agent's own files, and whether the controller's database keeps it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from agent.link.log_witness import LOG_DIRECTORY, refusals_in, seen_in
from agent.ports import SEALS_SUFFIX
from controller.local import check_database
from controller.ports.custody import AlarmKind
from controller.ports.seals import StreamId
from controller.storage.database import open_storage
from tests.crash.stage import CrashStage

AGENT: Final = "fra-1"
_ALARMS: Final = (
    AlarmKind.LOG_REFUSED,
    AlarmKind.SEAL_FORKED,
    AlarmKind.SEAL_REFUSED,
    AlarmKind.SEAL_MISSING,
    AlarmKind.LINES_CONFLICT,
)
Position = tuple[str, str]


@dataclass(frozen=True)
class Acked:
    """Numbers that the agent knows as acknowledged, by epoch and stream, and how much of the log it has seen."""

    lines: dict[Position, int]
    seals: dict[Position, int]
    log_size: int

    def goes_on_from(self, before: "Acked") -> bool:
        """Since then a seal was acknowledged, and a head of the log was seen."""
        has_sealed = any(
            number > before.seals.get(key, 0)
            for key, number in self.seals.items()
            if "@" not in key[1]
        )
        return has_sealed and self.log_size > before.log_size


@dataclass
class Promises:
    """Every head that was ever seen, and the leaves as they were last."""

    stage: CrashStage
    heads: dict[int, bytes] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)

    def acked(self) -> Acked:
        """What the agent has on its disk."""
        lines: dict[Position, int] = {}
        seals: dict[Position, int] = {}
        path = self.stage.site / "spool" / "positions.json"
        known = json.loads(path.read_bytes())["acked"] if path.exists() else {}
        for epoch, streams in known.items():
            for stream, number in streams.items():
                if stream.endswith(SEALS_SUFFIX):
                    seals[epoch, stream.removesuffix(SEALS_SUFFIX)] = number
                else:
                    lines[epoch, stream] = number
        view = seen_in(self.stage.site / LOG_DIRECTORY)
        return Acked(lines, seals, 0 if view is None else view.size)

    def broken(self) -> Iterator[str]:
        """What was promised and is not kept, a sentence each. Nobody writes meanwhile."""
        found = check_database(self.stage.state, None)
        yield from (f"db check: {one}" for one in found.damages)
        if not found.is_sound:
            return
        storage = open_storage(f"sqlite:///{self.stage.state / 'vedette.db'}")
        try:
            acked = self.acked()
            with storage.transaction() as tx:
                durable = {(p.epoch, p.stream): p.seq for p in tx.positions(AGENT)}
                for key, number in acked.lines.items():
                    if durable.get(key, 0) < number:
                        yield f"line {number} of {key} was acknowledged, {durable.get(key, 0)} is kept"
                for (epoch, stream), number in acked.seals.items():
                    name = StreamId(AGENT, epoch, stream)
                    if tx.seal(name, number) is None or tx.seal_leaf(name, number) is None:
                        yield f"seal {number} of {epoch} {stream} was acknowledged and is not kept"
                yield from (
                    f"alarm {one.kind}: {one.detail}" for one in tx.alarms() if one.kind in _ALARMS
                )
                size = tx.log_size()
                leaves = list(tx.leaf_hashes(0, size))
                stored = {one.size: one.root for one in tx.checkpoints(0, size)}
            yield from self._log_broken(leaves, stored)
        finally:
            storage.close()

    def _log_broken(self, leaves: list[bytes], stored: dict[int, bytes]) -> Iterator[str]:
        """The log only grows, and no size was ever shown or kept with two roots."""
        if leaves[: len(self.leaves)] != self.leaves:
            yield f"the log of {len(leaves)} leaves does not begin with its {len(self.leaves)} before"
        self.leaves = leaves
        view = seen_in(self.stage.site / LOG_DIRECTORY)
        if view is not None:
            stored_root = stored.get(view.size)
            if stored_root != view.root:
                yield f"the head of {view.size} leaves that the agent saw is not kept by the controller"
            stored = {**stored, view.size: view.root}
        for size, root in stored.items():
            if self.heads.setdefault(size, root) != root:
                yield f"two roots for {size} leaves"
        if refusals_in(self.stage.site / LOG_DIRECTORY):
            yield "the agent refused a head of the log"
