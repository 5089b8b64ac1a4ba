"""One process at a time in a state directory."""

import fcntl
import os
from pathlib import Path

from agent.errors import Fatal
from agent.files import PRIVATE_FILE


class Lock:
    """Held until `release`, or until the process ends in whatever way."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise Fatal(
                f"Another vedette-agent (process {holder}) is using {path.parent}: stop it first, or "
                "give this one a state directory of its own with --state."
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next process in."""
        os.close(self._descriptor)
