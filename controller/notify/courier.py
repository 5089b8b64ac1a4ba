"""Hands messages to apprise, which runs in processes of its own (`apprise_process`)."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Final

from controller.core.wording import Message
from controller.ports.deliveries import Outcome
from vedette.shared.limits import APPRISE_PROCESSES_MAX, APPRISE_SECONDS_MAX

_MODULE: Final = "controller.notify.apprise_process"
# For the start of Python and the import of apprise, on a slow machine.
_START_SECONDS_MAX: Final = 20.0
_ANSWER_BYTES_MAX: Final = 64 * 1024
_IDLE_MAX: Final = 1


class Courier:
    """Sends through apprise. What hangs is killed at the deadline, and keeps nobody else waiting.

    At most so many processes run at once, and one for each channel; one is kept for the next message.
    """

    def __init__(self, deadline_seconds: float = _START_SECONDS_MAX + APPRISE_SECONDS_MAX) -> None:
        self._seconds = deadline_seconds
        self._slots = asyncio.Semaphore(APPRISE_PROCESSES_MAX)
        self._turns: dict[str, asyncio.Lock] = {}
        self._idle: list[Process] = []
        self._busy: set[Process] = set()

    async def send(self, channel: str, url: str, message: Message) -> Outcome:
        """Send a message to the apprise address of a channel. Does not raise, whatever the service does."""
        request = {
            "url": url,
            "title": message.title,
            "body": message.text,
            "level": message.level.value,
        }
        line = json.dumps(request).encode() + b"\n"
        turn = self._turns.setdefault(channel, asyncio.Lock())
        async with turn, self._slots:
            try:
                process = self._idle.pop() if self._idle else await _started()
            except OSError as error:
                return Outcome(error=f"apprise could not be started: {error.strerror or error}.")
            self._busy.add(process)
            try:
                return await self._sent(process, line)
            finally:
                self._busy.discard(process)

    async def close(self) -> None:
        """End every process."""
        for process in [*self._idle, *self._busy]:
            await _ended(process)
        self._idle.clear()

    async def _sent(self, process: Process, line: bytes) -> Outcome:
        is_sound = False
        try:
            async with asyncio.timeout(self._seconds):
                answer = await _asked(process, line)
            is_sound = answer is not None and bool(answer.get("ok"))
            if answer is None:
                return Outcome(error="apprise ended without an answer.")
            if is_sound:
                return Outcome(is_delivered=True)
            return Outcome(error=f"{answer.get('error')}.")
        except TimeoutError:
            return Outcome(error=f"apprise did not finish within {self._seconds:.0f} s.")
        finally:
            # One that failed may still have a thread at work; it is not trusted with another message.
            if is_sound and len(self._idle) < _IDLE_MAX:
                self._idle.append(process)
            else:
                await asyncio.shield(_ended(process))


async def _started() -> Process:
    # What is meant for the controller alone, such as a database's password, is not handed on.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VEDETTE_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", _MODULE,
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=_ANSWER_BYTES_MAX, env=environment,
        start_new_session=True,
    )  # fmt: skip


async def _asked(process: Process, line: bytes) -> dict[str, object] | None:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(line)
        await process.stdin.drain()
        answer = json.loads(await process.stdout.readline())
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


async def _ended(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
