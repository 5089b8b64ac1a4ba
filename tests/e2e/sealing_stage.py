"""A fleet of real processes whose agents seal every second."""

from typing import Self

from controller.cli.demo.stage import STOP_SECONDS_MAX, Stage


class SealingStage(Stage):
    """A Stage whose agents do not wait a minute between seals."""

    def __enter__(self) -> Self:
        return self

    def start_agent(self, region: str) -> None:
        """Run the agent that was enrolled for `region`."""
        state = str(self._agent_state(region))
        self._start(region, ["-m", "agent", "run", "--state", state, "--seal-every", "1"], lines=0)

    def terminate(self, name: str) -> None:
        """Ask a process to end, and wait until it has."""
        process = self._processes.pop(name)
        process.terminate()
        process.wait(timeout=STOP_SECONDS_MAX)
