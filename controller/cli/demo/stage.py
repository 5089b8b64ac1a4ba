"""The processes of the demo: a controller and agents, real ones, in a folder of their own."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, ClassVar, Final

from controller.cli.people.context import LoginContext
from controller.errors import Fatal

HOST: Final = "127.0.0.1"
START_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 10.0
COMMAND_SECONDS_MAX: Final = 60.0
# Agents refuse to probe loopback unless their site allows it; the demo's targets are there.
ALLOWED: Final = ("127.0.0.0/8", "::1/128")


class Stage:
    """Starts, asks and stops processes. Everything that they write is below `folder`."""

    # Often, so that evidence can be handed over at the end of a short story.
    seal_every: ClassVar = "5"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._agents = self._people = f"{HOST}:0"
        self._processes: dict[str, subprocess.Popen[str]] = {}
        # By name of a process: the words before its command line, of a program that runs it.
        self.started_by: dict[str, Sequence[str]] = {}
        own = {k: v for k, v in os.environ.items() if not k.startswith("VEDETTE_")}
        self._environment = {**own, "VEDETTE_CONFIG": str(folder / "config")}
        (folder / "logs").mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def command(self, *arguments: str, program: str = "controller") -> str:
        """What a command prints; Fatal with what it complained of if it fails with 2 or more."""
        done = subprocess.run(
            [sys.executable, "-m", program, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        if done.returncode > 1:
            raise Fatal(f"`{program} {' '.join(arguments)}` failed: {done.stderr.strip()}")
        return done.stdout

    def shell(self, script: Path, *arguments: str) -> str:
        """What a shell script prints; Fatal with that if it fails."""
        done = subprocess.run(
            ["/bin/sh", str(script), *arguments],
            capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Fatal(f"`sh {script.name}` failed: {(done.stdout + done.stderr).strip()}")
        return done.stdout

    def start_controller(self) -> None:
        """Initialise a controller, serve it, and log in."""
        state, token = str(self.folder / "controller"), str(self.folder / "admin.token")
        self.command("init", "--state", state, "--host", HOST, "--token-file", token)
        self.serve()
        self.command("login", self._people, "--ca", f"{state}/ca.pem", "--token-file", token)

    def login(self) -> LoginContext:
        """The admin's way in, as `vedette login` was given it."""
        return LoginContext(
            address=self._people,
            token=(self.folder / "admin.token").read_text().strip(),
            ca_certificate=(self.folder / "controller" / "ca.pem").read_bytes(),
        )

    def serve(self) -> None:
        """Run the controller; again on the same ports, if it ran before, so that agents find it."""
        ready = self._start(
            "controller",
            ["-m", "controller", "serve", "--state", str(self.folder / "controller"),
             "--agents-address", self._agents, "--people-address", self._people],
            lines=2,
        )  # fmt: skip
        self._agents, self._people = (
            next(line for line in ready if noun in line).rsplit(" ", 1)[-1]
            for noun in ("agents", "people")
        )

    def enrol(self, region: str) -> None:
        """Hand out a join token for `region` and use it."""
        join = str(self.folder / f"{region}.join")
        self.command("agent", "token", "create", "--region", region, "--out", join)
        allowed = [word for network in ALLOWED for word in ("--allow", network)]
        self.command(
            "join", join, "--state", str(self._agent_state(region)), *allowed, program="agent"
        )

    def start_agent(self, region: str, *options: str) -> None:
        """Run the agent that was enrolled for `region`."""
        state = str(self._agent_state(region))
        words = ["-m", "agent", "run", "--state", state, "--seal-every", self.seal_every, *options]
        self._start(region, words, lines=0)

    def kill(self, name: str) -> None:
        """End a process by SIGKILL: no farewell, no flush."""
        process = self._processes.pop(name)
        process.kill()
        process.wait(timeout=STOP_SECONDS_MAX)

    def dead(self) -> str | None:
        """The name of a process that ended by itself, and its last words; None if all run."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                last = (self.folder / "logs" / f"{name}.log").read_text().strip().splitlines()[-3:]
                return f"{name} ended with code {process.returncode}: {' | '.join(last)}"
        return None

    def stop(self) -> None:
        """End everything, agents first, so that they can send what they have."""
        for name in [*(n for n in self._processes if n != "controller"), "controller"]:
            process = self._processes.pop(name, None)
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=STOP_SECONDS_MAX)

    def _agent_state(self, region: str) -> Path:
        return self.folder / f"agent-{region}"

    def _start(self, name: str, arguments: Sequence[str], *, lines: int) -> list[str]:
        """Start a process; wait until it has printed `lines` lines."""
        log = (self.folder / "logs" / f"{name}.log").open("a")
        with log:
            process = subprocess.Popen(
                [*self.started_by.get(name, ()), sys.executable, *arguments],
                env=self._environment,
                stdout=subprocess.PIPE if lines else log,
                stderr=log,
                text=True,
                bufsize=1,
            )
        self._processes[name] = process
        if not lines:
            return []
        assert process.stdout is not None
        ready = _lines(process.stdout, lines)
        if len(ready) < lines:
            raise Fatal(f"The {name} did not start: {self.dead() or 'it said nothing in time'}")
        return ready


def _lines(stream: IO[str], count: int) -> list[str]:
    """Up to `count` lines, fewer if the process ends or takes too long."""
    text = b""
    deadline = time.monotonic() + START_SECONDS_MAX
    while text.count(b"\n") < count and (left := deadline - time.monotonic()) > 0:
        # The descriptor and not the stream: select cannot see what a stream has buffered.
        if not select.select([stream.fileno()], [], [], left)[0]:
            break
        piece = os.read(stream.fileno(), 4096)
        if not piece:
            break
        text += piece
    return text.decode().splitlines()[:count]
