"""The one storage thread: every transaction runs here, so SQLite never sees two writers."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class StorageWorker:
    """Runs work in one thread, in the order in which it was asked for.

    Closing waits for what is running: a transaction is never left half way.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="storage")

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, run in the storage thread. A caller that gives up does not stop it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Finish what was asked for and end the thread."""
        self._threads.shutdown(wait=True)
