"""The link: keeps a conversation with the controller going for as long as the agent runs."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final, Protocol

import grpc

from agent.errors import AgentError
from agent.link.channel import open_channel
from agent.link.credential import Credential
from agent.link.identity import Identity
from agent.link.renewal import renewal_due_us, renewed
from agent.link.session import Parts, Session
from vedette.shared.limits import RECONNECT_SECONDS_MAX
from vedette.v1 import session_pb2_grpc

_RENEW_AGAIN_SECONDS: Final = 60.0
_log = logging.getLogger(__name__)


class Waits(Protocol):
    """How long to wait before trying again."""

    def wait_seconds(self, failures: int, chance: float) -> float:
        """Seconds to wait after so many failures in a row; `chance` is random in [0, 1)."""
        ...


class Link:
    """Connects, converses, renews the certificate, and connects again, until `leave`.

    While the controller is away nothing else stops: results gather in the spool.
    """

    def __init__(
        self, identity: Identity, parts: Parts, *, waits: Waits, chance: Callable[[], float]
    ) -> None:
        self._identity = identity
        self._parts = parts
        self._waits = waits
        self._chance = chance
        self._session: Session | None = None
        self._leaving = asyncio.Event()
        self._failures = 0
        self._last_error = ""
        self._is_candidate_next = True

    @property
    def address(self) -> str:
        """Where the controller is."""
        return self._identity.facts.session_address

    def leave(self) -> None:
        """Send what there is, close, and do not come back."""
        self._leaving.set()
        if self._session is not None:
            self._session.leave()

    async def run(self) -> None:
        """Keep the conversation going. Returns after `leave`."""
        while not self._leaving.is_set():
            try:
                is_drained = await self._connected_once()
            except AgentError as error:
                self._failed(error)
            else:
                if not is_drained:
                    continue
                self._failures += 1
            seconds = self._waits.wait_seconds(self._failures, self._chance())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, RECONNECT_SECONDS_MAX)):
                    await self._leaving.wait()

    async def _connected_once(self) -> bool:
        """One conversation, from connecting to its end. True if the controller asked to leave it alone."""
        candidate = self._identity.candidate() if self._is_candidate_next else None
        # A candidate that does not work must not keep the agent out: the two take turns.
        self._is_candidate_next = candidate is None
        credential = candidate or self._identity.credential()
        async with open_channel(self.address, self._identity.ca_pem, credential) as channel:
            call = session_pb2_grpc.SessionServiceStub(channel).Connect()
            session = self._session = Session(call, self._parts, self.address)
            renewing: list[asyncio.Task[None]] = []

            def welcomed() -> None:
                self._welcomed(is_candidate=candidate is not None)
                renewing.append(asyncio.create_task(self._renew(channel, credential, session)))

            try:
                if self._leaving.is_set():
                    return False
                await session.converse(welcomed)
            except AgentError:
                if not session.is_left:
                    raise
            finally:
                self._session = None
                for task in renewing:
                    task.cancel()
                await asyncio.gather(*renewing, return_exceptions=True)
            if not session.is_left:
                self._ended()
            return session.is_drained or not session.is_left

    def _welcomed(self, *, is_candidate: bool) -> None:
        if is_candidate:
            self._identity.commit_candidate()
            _log.info("link.certificate_committed")
        self._is_candidate_next = True
        self._failures, self._last_error = 0, ""
        _log.info("link.connected", extra={"fields": {"address": self.address}})

    def _failed(self, error: AgentError) -> None:
        self._failures += 1
        reason = str(error)
        if reason != self._last_error:
            _log.warning("link.disconnected", extra={"fields": {"reason": reason}})
        self._last_error = reason

    def _ended(self) -> None:
        _log.info("link.closed_by_controller", extra={"fields": {"address": self.address}})

    async def _renew(
        self, channel: grpc.aio.Channel, credential: Credential, session: Session
    ) -> None:
        """When it is due, get the next certificate and come back with it."""
        due_us = renewal_due_us(credential, self._chance())
        await self._parts.clock.sleep_until_us(due_us)
        while True:
            try:
                candidate = await renewed(channel, self.address)
                await asyncio.to_thread(self._identity.keep_candidate, candidate)
            except (AgentError, OSError) as error:
                _log.warning("link.not_renewed", extra={"fields": {"reason": str(error)}})
                await asyncio.sleep(_RENEW_AGAIN_SECONDS)
            else:
                _log.info("link.renewed")
                session.leave()
                return
