"""Witnesses and what they signed."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Select, delete, func, insert, select, update

from controller.ports.leaves import LeafKind
from controller.ports.witnesses import StoredCosignature, WitnessKey
from controller.storage.bulk import parts_of
from controller.storage.log import LogRows
from controller.storage.log_tables import TimestampRow
from controller.storage.tables import table
from controller.storage.witness_tables import CosignatureRow, WitnessKeyRow

_KEY: Final = table(WitnessKeyRow)
_SIGNED: Final = table(CosignatureRow)
_STAMP: Final = table(TimestampRow)


class WitnessRows(LogRows):
    """controller.ports.witnesses.WitnessStore over SQL."""

    def put_witness_key(self, key: WitnessKey) -> None:
        """Keep a new key, and enter it in the log."""
        known = select(func.count()).select_from(_KEY).where(_KEY.c.name == key.name)
        number = self._connection.execute(known).scalar_one() + 1
        self._connection.execute(insert(_KEY).values(**asdict(key), number=number))
        said = {"agent": key.agent, "witness_key": key.public_key.hex(), "number": number}
        self._enter(LeafKind.KEY, key.name, said)

    def witness_keys(self, agent: str | None = None) -> Sequence[WitnessKey]:
        """Every key (of an agent), by name, the oldest first."""
        c = _KEY.c
        query = select(c.name, c.agent, c.public_key, c.since_us).order_by(c.name, c.number)
        if agent is not None:
            query = query.where(c.agent == agent)
        return [WitnessKey(**row) for row in self._connection.execute(query).mappings()]

    def put_cosignature(self, cosignature: StoredCosignature) -> bool:
        """Keep it; False if there is one of that witness and size already."""
        c = _SIGNED.c
        its = (c.size == cosignature.size) & (c.witness == cosignature.witness)
        if self._connection.execute(select(c.size).where(its)).first() is not None:
            return False
        self._connection.execute(insert(_SIGNED).values(asdict(cosignature)))
        return True

    def cosignatures(self, from_size: int, to_size: int) -> Sequence[StoredCosignature]:
        """Those under checkpoints of from_size <= size <= to_size, by size and witness."""
        c = _SIGNED.c
        query = select(_SIGNED).where((c.size >= from_size) & (c.size <= to_size))
        return self._signed(query.order_by(c.size, c.witness))

    def cosignatures_by(self, witness: str) -> Sequence[StoredCosignature]:
        """Those of a witness, by size."""
        c = _SIGNED.c
        return self._signed(select(_SIGNED).where(c.witness == witness).order_by(c.size))

    def newest_cosignatures(self) -> Sequence[StoredCosignature]:
        """Of each witness the one under its greatest head, by witness."""
        c = _SIGNED.c
        last = select(c.witness, func.max(c.size).label("size")).group_by(c.witness).subquery()
        its = (last.c.witness == c.witness) & (last.c.size == c.size)
        return self._signed(select(_SIGNED).join(last, its).order_by(c.witness))

    def keep_cosignatures(self, sizes: Collection[int]) -> None:
        """Those under these checkpoints were handed over."""
        for some in parts_of(sorted(sizes)):
            these = _SIGNED.c.size.in_(some)
            self._connection.execute(update(_SIGNED).where(these).values(is_kept=True))

    def forget_cosignatures(self, witness: str, sizes: Collection[int]) -> None:
        """Let go of those of a witness under these checkpoints, but what was handed over, or stamped."""
        c = _SIGNED.c
        is_free = c.is_kept.is_(False) & c.size.not_in(select(_STAMP.c.size))
        for some in parts_of(sorted(sizes)):
            these = (c.witness == witness) & c.size.in_(some)
            self._connection.execute(delete(_SIGNED).where(these & is_free))

    def _signed(self, query: Select[Any]) -> list[StoredCosignature]:
        rows = self._connection.execute(query).mappings()
        return [StoredCosignature(**row) for row in rows]
