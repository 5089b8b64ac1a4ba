"""The link: keeps a conversation with the controller going for as long as the agent runs."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final, Protocol

import grpc

from agent.errors import AgentError, Rejected, Revoked, Unreachable
from agent.link.call import SessionCall
from agent.link.channel import open_channel
from agent.link.credential import Credential
from agent.link.identity import Identity
from agent.link.recovery import recovered
from agent.link.renewal import renewal_due_us, renewed
from agent.link.session import Parts, Session
from vedette.shared.limits import RECONNECT_SECONDS_MAX
from vedette.v1 import session_pb2_grpc

_RENEW_AGAIN_SECONDS: Final = 60.0
# Attempts with a candidate that cannot even be answered, before the certificate in use is tried again. One
# lost answer must not bring the old certificate back: the controller would take it for a copy.
_CANDIDATE_ATTEMPTS_MAX: Final = 4
# A conversation that lasted so long was a good one: what comes after it is a first failure.
_GOOD_US: Final = 10 * 1_000_000
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
        self._welcomed_us: int | None = None
        self._candidate_attempts = 0

    @property
    def address(self) -> str:
        """Where the controller is."""
        return self._identity.facts.session_address

    def tell(self) -> None:
        """Something about this agent changed: the controller is told now, if it is there."""
        if self._session is not None:
            self._session.tell()

    def leave(self) -> None:
        """Send what there is, close, and do not come back."""
        self._leaving.set()
        if self._session is not None:
            self._session.leave()

    async def run(self) -> None:
        """Keep the conversation going. Returns after `leave`; Revoked if there is nothing to come back to."""
        while not self._leaving.is_set():
            try:
                await self._recover_if_ended()
                is_to_return_at_once = await self._connected_once()
            except Revoked as error:
                await self._retire(error)
                raise
            except AgentError as error:
                self._report(error)
                is_to_return_at_once = False
            self._count()
            if is_to_return_at_once:
                continue
            seconds = self._waits.wait_seconds(self._failures, self._chance())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, RECONNECT_SECONDS_MAX)):
                    await self._leaving.wait()

    async def _retire(self, revoked: Revoked) -> None:
        """Keep it on disk, so that no restart probes again. Where that fails, it was at least said."""
        try:
            await asyncio.to_thread(self._identity.retire, str(revoked))
        except OSError as error:
            reason = error.strerror or str(error)
            _log.warning("link.revocation_not_kept", extra={"reason": reason})

    async def _connected_once(self) -> bool:
        """One conversation, from connecting to its end. True if this side ended it, and may come back."""
        candidate = self._candidate_to_try()
        credential = candidate or self._identity.credential()
        async with open_channel(self.address, self._identity.ca_pem, credential) as channel:
            call = SessionCall(session_pb2_grpc.SessionServiceStub(channel).Connect(), self.address)
            session = self._session = Session(call, self._parts)
            renewing: list[asyncio.Task[None]] = []

            def welcomed() -> None:
                self._welcomed(is_candidate=candidate is not None)
                renewing.append(asyncio.create_task(self._renew(channel, credential, session)))

            try:
                if self._leaving.is_set():
                    return False
                await session.converse(welcomed)
            except AgentError as error:
                if isinstance(error, Rejected):
                    self._candidate_attempts = _CANDIDATE_ATTEMPTS_MAX
                if isinstance(error, Revoked) or not session.is_left:
                    raise
            finally:
                self._session = None
                for task in renewing:
                    task.cancel()
                await asyncio.gather(*renewing, return_exceptions=True)
            if not session.is_left:
                _log.info("link.closed_by_controller", extra={"address": self.address})
            return session.is_left and not session.is_drained

    def _candidate_to_try(self) -> Credential | None:
        """The next certificate, if there is one whose turn it is.

        A candidate that does not work must not keep the agent out, so the one in use gets a turn, too.
        """
        candidate = self._identity.candidate()
        if candidate is None or self._candidate_attempts >= _CANDIDATE_ATTEMPTS_MAX:
            self._candidate_attempts = 0
            return None
        self._candidate_attempts += 1
        return candidate

    async def _recover_if_ended(self) -> None:
        """If no certificate here is good any more, get one with the evidence key. AgentError if there is none.

        By this clock, corrected by what the controller last said: a certificate that has ended is refused in
        the handshake, which looks like any other fault of the network.
        """
        now_us = self._parts.clock.wall_us() - (self._parts.offset.reading().offset or 0)
        candidate = self._identity.candidate()
        if self._identity.credential().ends_us > now_us or (
            candidate is not None
            and candidate.ends_us > now_us
            and self._candidate_attempts < _CANDIDATE_ATTEMPTS_MAX
        ):
            return
        # Whatever comes of it, a candidate that is there gets its turn again.
        self._candidate_attempts = 0
        candidate = await recovered(self._identity)
        try:
            await asyncio.to_thread(self._identity.keep_candidate, candidate)
        except OSError as error:
            raise Unreachable(f"The new certificate cannot be stored: {error.strerror}.") from error
        _log.info("link.recovered")

    def _welcomed(self, *, is_candidate: bool) -> None:
        if is_candidate:
            try:
                self._identity.commit_candidate()
                _log.info("link.certificate_committed")
            except OSError as error:
                # It stays the candidate, and is tried first the next time.
                reason = error.strerror or str(error)
                _log.warning("link.not_committed", extra={"reason": reason})
        self._candidate_attempts = 0
        self._last_error = ""
        self._welcomed_us = self._parts.clock.monotonic_us()
        _log.info("link.connected", extra={"address": self.address})

    def _count(self) -> None:
        """One more failure in a row, unless this conversation was a good one.

        A controller that welcomes and closes at once must not be asked without end.
        """
        since_us, self._welcomed_us = self._welcomed_us, None
        if since_us is not None and self._parts.clock.monotonic_us() - since_us >= _GOOD_US:
            self._failures = 0
        self._failures += 1

    def _report(self, error: AgentError) -> None:
        """Say why there is no conversation, once for each reason."""
        reason = str(error)
        if reason != self._last_error:
            _log.warning("link.disconnected", extra={"reason": reason})
        self._last_error = reason

    async def _renew(
        self, channel: grpc.aio.Channel, credential: Credential, session: Session
    ) -> None:
        """When it is due, get the next certificate and come back with it."""
        due_us = renewal_due_us(credential, self._chance())
        while self._parts.clock.wall_us() < due_us:
            await self._parts.clock.sleep_until_us(due_us)
        if self._identity.candidate() is not None:
            # The last candidate has not worked; the next one may not either.
            await asyncio.sleep(_RENEW_AGAIN_SECONDS)
        while True:
            try:
                candidate = await renewed(channel, self.address)
                await asyncio.to_thread(self._identity.keep_candidate, candidate)
            except (AgentError, OSError) as error:
                _log.warning("link.not_renewed", extra={"reason": str(error)})
                await asyncio.sleep(_RENEW_AGAIN_SECONDS)
            else:
                _log.info("link.renewed")
                session.leave()
                return
