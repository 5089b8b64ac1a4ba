"""A controller and an agent as processes, one of which dies or fails at a call of the system that is named by its number."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller.errors import Fatal
from tests.e2e.sealing_stage import SealingStage

CONTROLLER: Final = "controller"
REGION: Final = "fra"
FLEET: Final = """\
version: 1
regions: [{id: fra}]
services: [{id: shop}]
checks: [{id: ping, service: shop, every: 1s, timeout: 500ms, icmp: {host: 127.0.0.1}}]
"""
_LOOK_SECONDS: Final = 0.05
# Without --seccomp-bpf: with it, strace 6.1 injects at the first call of a thread only.
_STRACE: Final = ("strace", "-D", "-f", "-qq")


@dataclass(frozen=True)
class Fault:
    """What befalls a process at the N-th call of that name that a thread of it makes (strace counts by thread)."""

    victim: str
    call: str
    fault: str
    number: int

    @property
    def words(self) -> list[str]:
        """The command line that goes before the program's own."""
        inject = f"inject={self.call}:{self.fault}:when={self.number}"
        if self.fault.startswith("error=ENOSPC"):
            inject += "+"
        return [*_STRACE, "-o", "/dev/null", "-e", f"trace={self.call}", "-e", inject]


class CrashStage(SealingStage):
    """Starts one of the two with a fault, and waits for what comes of it."""

    @property
    def state(self) -> Path:
        """The controller's."""
        return self.folder / CONTROLLER

    @property
    def site(self) -> Path:
        """The agent's state."""
        return self.folder / f"agent-{REGION}"

    def begin(self) -> None:
        """A controller with a check, an agent that was enrolled; neither runs."""
        self.start_controller()
        path = self.folder / "fleet.yaml"
        path.write_text(FLEET)
        self.command("apply", "-f", str(path))
        self.enrol(REGION)
        self.kill(CONTROLLER)

    def begin_life(self, fault: Fault | None, watched_by: Sequence[str] = ()) -> bool:
        """Start both, one of them with the fault; whether the controller came to listen.

        Without a fault the controller may be watched by a program that runs it.
        """
        self.started_by = {CONTROLLER: watched_by} if fault is None else {fault.victim: fault.words}
        try:
            self.serve()
        except Fatal:
            return False
        self.start_agent(REGION)
        return True

    def wait(self, victim: str, is_over: Callable[[], bool], seconds_max: float) -> bool:
        """Wait until the victim has ended, which is true, or until something holds or the time is over."""
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            process = self._processes.get(victim)
            if process is None or process.poll() is not None:
                return True
            if is_over():
                return False
            time.sleep(_LOOK_SECONDS)
        return False

    def end_life(self) -> None:
        """Kill whatever runs."""
        for name in list(self._processes):
            self.kill(name)

    def last_words(self, name: str) -> str:
        """What stands at the end of a process's log."""
        text = (self.folder / "logs" / f"{name}.log").read_text().strip()
        return text.splitlines()[-1] if text else ""
