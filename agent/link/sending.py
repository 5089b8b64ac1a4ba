"""The sending half of a conversation: live lines first, what waits from before paced behind them, and seals.

Lines of the present epoch are live. Those of former epochs are the backlog: it goes out in small frames, few
at a time and so many lines a second, so that a week of it delays neither this agent's live lines nor
anybody else's.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from agent.link.call import Ended, SessionCall
from agent.link.notes import Notes
from agent.link.window import Window
from agent.link.wire import frame_message, seal_message
from agent.ports import SEALS_SUFFIX, Batch, Side, Spool
from vedette.shared.limits import (
    BACKLOG_FRAME_BYTES,
    BACKLOG_LINES_PER_SECOND,
    BACKLOG_WINDOW_LINES,
    FRAME_BYTES_MAX,
)
from vedette.v1 import session_pb2 as pb

Key = tuple[str, str]

_LEAVE_SECONDS_MAX: Final = 5.0
_RETRY_SECONDS_MAX: Final = 60.0
_log = logging.getLogger(__name__)


class Sending:
    """Sends what the spool holds and takes the answers to it. `run` lasts until the call ends or is left."""

    def __init__(
        self, call: SessionCall, spool: Spool, durable: Mapping[Key, int], *, has_seals: bool
    ) -> None:
        self._call = call
        self._spool = spool
        self._window = Window(durable)
        self._notes = Notes(durable)
        self._has_seals = has_seals
        self._moved = asyncio.Event()
        self._leaving = False
        self._is_backlog_left = True
        self._backlog_at = self._resume_at = 0.0

    def leave(self) -> None:
        """Send what is live, wait a little for acknowledgements, and close."""
        self._leaving = True
        self._moved.set()

    # --- answers

    def acknowledged(self, durable: Mapping[Key, int]) -> None:
        """The controller holds these lines, and seals under the names of their streams."""
        for key, seq in durable.items():
            self._window.acknowledge(key, seq)
            self._notes.acknowledge(key, seq)
        self._spool.acknowledge(dict(durable))
        self._moved.set()

    def refused(self, refusal: pb.Refusal) -> None:
        """A frame was not taken: send again from where the controller says, when it says."""
        key = (refusal.epoch, refusal.stream)
        is_given_up = self._window.refuse(key, refusal.first_seq, refusal.resend_from)
        fields = {
            "stream": refusal.stream,
            "epoch": refusal.epoch,
            "first_seq": refusal.first_seq,
            "resend_from": refusal.resend_from,
            "given_up": is_given_up,
            "reason": refusal.reason,
        }
        _log.warning("link.refused", extra=fields)
        if refusal.retry_after_us:
            pause = min(refusal.retry_after_us / 1e6, _RETRY_SECONDS_MAX)
            self._resume_at = max(self._resume_at, _now() + pause)
        self._moved.set()

    def seal_refused(self, refusal: pb.SealRefusal) -> None:
        """A seal did not verify. Its lines stay unsealed; a new chain begins, under a new epoch."""
        fields = {
            "stream": refusal.stream,
            "epoch": refusal.epoch,
            "seal": refusal.number,
            "reason": refusal.reason,
        }
        _log.error("link.seal_refused", extra=fields)
        self.acknowledged({(refusal.epoch, refusal.stream + SEALS_SUFFIX): refusal.number})
        # Where not even the first one is taken, beginning again is no help.
        if refusal.epoch == self._spool.epoch and refusal.number > 1:
            self._spool.open_epoch(
                f"the controller refused seal {refusal.number} of {refusal.stream}: {refusal.reason}"
            )

    # --- sending

    async def run(self) -> None:
        """Send what is durable, as soon as it is and as far as the window reaches."""
        with contextlib.suppress(Ended):
            while True:
                self._moved.clear()
                await self._send_notes()
                if await self._send_live() or await self._send_backlog():
                    continue
                if self._leaving:
                    await self._close()
                    return
                await self._until_moved()

    async def _send_live(self) -> bool:
        """Send what is new; False if there is nothing to send, or it may not be sent now."""
        if self._window.is_full or _now() < self._resume_at:
            return False
        return await self._send(self._spool.read(self._window.sent, FRAME_BYTES_MAX, Side.LIVE))

    async def _send_backlog(self) -> bool:
        """Send a little of what waits from before; False if there is nothing, or it is not its time."""
        window, now = self._window, _now()
        underway = window.lines_outside(self._spool.epoch)
        if (
            self._leaving
            or window.is_full
            or underway >= BACKLOG_WINDOW_LINES
            or now < max(self._backlog_at, self._resume_at)
        ):
            return False
        batches = self._spool.read(window.sent, BACKLOG_FRAME_BYTES, Side.BACKLOG)
        lines = sum(len(batch.lines) for batch in batches)
        self._is_backlog_left = bool(batches)
        self._backlog_at = now + lines / BACKLOG_LINES_PER_SECOND
        return await self._send(batches)

    async def _send(self, batches: Sequence[Batch]) -> bool:
        window = self._window
        rewinds = window.rewinds
        for frame in window.frames(batches):
            if frame.stream.endswith(SEALS_SUFFIX):
                self._hold(frame)
            else:
                is_backlog = frame.epoch != self._spool.epoch
                await self._call.write(frame_message(frame, is_backlog=is_backlog))
        return bool(batches) or window.rewinds != rewinds

    def _hold(self, notes: Batch) -> None:
        if self._has_seals:
            self._notes.hold(notes)
            self._moved.set()
            return
        # A controller from before there were seals: they must not keep the lines in the spool.
        last = notes.first_seq + len(notes.lines) - 1
        self.acknowledged({(notes.epoch, notes.stream): last})

    async def _send_notes(self) -> None:
        for note in self._notes.due():
            await self._call.write(seal_message(note.epoch, note.stream, note.number, note.note))

    async def _until_moved(self) -> None:
        """Wait for an answer of the controller, for something to send, or until it may be sent."""
        waits: list[asyncio.Task[object]] = [asyncio.create_task(self._moved.wait())]
        now = _now()
        if not self._window.is_full and now >= self._resume_at:
            waits.append(asyncio.create_task(self._spool.wait()))
        times = [self._resume_at, self._backlog_at if self._is_backlog_left else 0.0]
        left = [at - now for at in times if at > now]
        try:
            await asyncio.wait(
                waits, timeout=min(left, default=None), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for wait in waits:
                wait.cancel()

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(_LEAVE_SECONDS_MAX):
                while not self._window.is_empty:
                    self._moved.clear()
                    await self._send_notes()
                    await self._moved.wait()
        except TimeoutError:
            _log.info("link.left_unacknowledged")
        await self._call.finish()
        await asyncio.sleep(_LEAVE_SECONDS_MAX)
        self._call.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
