"""A real storage in memory whose commits can be made to fail, and a worker without a thread."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from controller.errors import Unreachable
from controller.ports.leaves import Notary
from controller.ports.storage import Transaction
from controller.storage.database import open_storage

T = TypeVar("T")


class FakeStorage:
    """SQLite in memory. While `is_full`, every transaction fails when it commits, and sets `failed`."""

    def __init__(self, notary: Notary | None = None) -> None:
        self._storage = open_storage("sqlite://", notary=notary)
        self.is_full = False
        self.failed = asyncio.Event()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._storage.transaction() as tx:
            yield tx
            if self.is_full:
                self.failed.set()
                raise Unreachable("The disk is full.")

    def close(self) -> None:
        self._storage.close()


class InlineWorker:
    """Runs work where it stands."""

    async def run(self, work: Callable[[], T]) -> T:
        return work()
