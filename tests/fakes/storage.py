"""A real storage in memory whose commits can be made to fail or to be the last, and a worker without a thread."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from controller.errors import Unreachable
from controller.ports.leaves import Notary
from controller.ports.storage import Storage, Transaction
from controller.storage.database import SqlStorage, open_storage

T = TypeVar("T")


class FakeStorage:
    """SQLite in memory. While `is_full`, every transaction fails when it commits, and sets `failed`."""

    def __init__(self, notary: Notary | None = None) -> None:
        self._storage = open_storage("sqlite://", notary=notary)
        self.is_full = False
        self.failed = asyncio.Event()

    @property
    def real(self) -> SqlStorage:
        """The storage itself, for what looks below the ports."""
        return self._storage

    @contextmanager
    def without_log(self) -> Iterator[None]:
        """What is written meanwhile is in no log, as before there was one."""
        notary, self._storage._notary = self._storage._notary, None
        try:
            yield
        finally:
            self._storage._notary = notary

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._storage.transaction() as tx:
            yield tx
            if self.is_full:
                self.failed.set()
                raise Unreachable("The disk is full.")

    def close(self) -> None:
        self._storage.close()


class Died(Exception):
    """The process is gone: nobody catches this, and nothing is done after it."""


class MortalStorage:
    """A storage whose process dies at a step: as a transaction begins, at a call in it, before or after its commit.

    `steps_left` counts down to it; None: it does not die. `steps` counts what there was.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.steps_left: int | None = None
        self.steps = 0

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._storage.transaction() as tx:
            self._step()
            yield cast("Transaction", _Stepping(tx, self._step))
            self._step()
        self._step()

    def close(self) -> None:
        self._storage.close()

    def _step(self) -> None:
        self.steps += 1
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left <= 0:
                raise Died


class _Stepping:
    """A transaction each of whose calls is a step."""

    def __init__(self, tx: Transaction, step: Callable[[], None]) -> None:
        self._tx = tx
        self._step = step

    def __getattr__(self, name: str) -> Any:
        self._step()
        return getattr(self._tx, name)


class InlineWorker:
    """Runs work where it stands."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()
