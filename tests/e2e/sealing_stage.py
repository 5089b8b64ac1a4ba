"""A fleet of real processes whose agents seal every second."""

from typing import Self

from controller.cli.demo.stage import STOP_SECONDS_MAX, Stage


class SealingStage(Stage):
    """A Stage whose agents seal every second."""

    seal_every = "1"

    def __enter__(self) -> Self:
        return self

    def terminate(self, name: str) -> None:
        """Ask a process to end, and wait until it has."""
        process = self._processes.pop(name)
        process.terminate()
        process.wait(timeout=STOP_SECONDS_MAX)
