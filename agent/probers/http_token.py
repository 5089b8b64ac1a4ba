"""Tokens of OAuth2 client credentials (RFC 6749, 4.4): fetched as a probe would, kept until they expire."""

import asyncio
import base64
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import quote_plus, urlencode

import msgspec

from agent.probers.http_client import Asked, prepared
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import Microseconds, Stopwatch
from agent.probers.transport.answer import Answer
from agent.probers.transport.exchange import exchange
from agent.probers.transport.wants import Hop, Wants
from vedette.shared.failure import Failure
from vedette.shared.limits import TOKEN_ANSWER_BYTES_MAX, TOKENS_KEPT_MAX
from vedette.shared.probes import OAuth2

_UNSAID_LIFE_US: Final = 60 * 1_000_000
_LIFE_US_MAX: Final = 24 * 3600 * 1_000_000
_MARGIN_US: Final = 30 * 1_000_000
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,16384}")
_ERROR: Final = re.compile(r"[a-z_]{1,40}")


class _Granted(msgspec.Struct):
    access_token: str
    token_type: str = "bearer"  # noqa: S105 - a word of the protocol, no password
    expires_in: Annotated[int, msgspec.Meta(ge=0)] | None = None


class _Refused(msgspec.Struct):
    error: str


@dataclass(frozen=True, slots=True)
class _Kept:
    authorization: str
    ends_us: int


class Tokens:
    """Tokens by the credentials that they were given for; one fetch at a time for each."""

    def __init__(self, clock: Microseconds, user_agent: str) -> None:
        self._clock = clock
        self._user_agent = user_agent
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._fetching: dict[bytes, asyncio.Lock] = {}

    async def authorization(
        self, key: bytes, oauth2: OAuth2, wants: Wants, admission: Admission, watch: Stopwatch
    ) -> str:
        """A header Authorization for `oauth2`, which `key` stands for. Fault if there is no token to be had."""
        lock = self._fetching.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(watch.left_us / 1e6):
                await lock.acquire()
        except TimeoutError as error:
            said = "another run waits for the token endpoint, which is slow"
            raise Fault(Failure.TOKEN_FAILED, said) from error
        try:
            kept = self._kept.get(key)
            if kept is None or kept.ends_us <= self._clock():
                kept = await self._fetched(oauth2, wants, admission, watch)
                self._keep(key, kept)
            return kept.authorization
        finally:
            lock.release()
            if not lock.locked():
                self._fetching.pop(key, None)

    def forget(self, key: bytes) -> None:
        """The target did not take the token: the next run fetches another."""
        self._kept.pop(key, None)

    def _keep(self, key: bytes, kept: _Kept) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > TOKENS_KEPT_MAX:
            self._kept.popitem(last=False)

    async def _fetched(
        self, oauth2: OAuth2, wants: Wants, admission: Admission, watch: Stopwatch
    ) -> _Kept:
        request = prepared(_asked(oauth2, self._user_agent))
        wants = replace(
            wants,
            version="auto" if wants.version == "HTTP/2" else wants.version,
            body_bytes_max=TOKEN_ANSWER_BYTES_MAX,
            limits_us={},
        )
        try:
            answer = await exchange(
                request, Hop(oauth2.token_url), _trusting(wants), admission, watch
            )
        except Fault as fault:
            if fault.kind.is_agent_fault:
                raise
            said = f"the token endpoint: {fault.detail}"
            raise Fault(Failure.TOKEN_FAILED, said) from fault
        return _kept(answer, request.host, self._clock())


def _trusting(wants: Wants) -> Wants:
    """The check's trust and its certificate, without its pins and server name: those are of the target."""
    policy = replace(wants.tls.policy, alpn=wants.alpn)
    return replace(wants, own_host=None, tls=replace(wants.tls, policy=policy, pins=(), server_name=None))  # fmt: skip


def _asked(oauth2: OAuth2, user_agent: str) -> Asked:
    form = {"grant_type": "client_credentials"}
    if oauth2.scopes:
        form["scope"] = " ".join(oauth2.scopes)
    headers = [
        ("User-Agent", user_agent),
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ]
    if oauth2.client_auth == "body":
        form |= {"client_id": oauth2.client_id, "client_secret": oauth2.client_secret}
    else:
        pair = f"{quote_plus(oauth2.client_id)}:{quote_plus(oauth2.client_secret)}"
        headers.append(("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()))
    body = urlencode({**form, **oauth2.parameters}).encode()
    return Asked("POST", oauth2.token_url, tuple(headers), body)


def _kept(answer: Answer, host: str, now_us: int) -> _Kept:
    """The token in `answer`. Fault if there is none, saying no more than the error's name."""
    content = answer.body.content if answer.body is not None else b""
    if not 200 <= answer.status < 300:
        said = f"{host} answers {answer.status}{_error_in(content)} instead of a token"
        raise Fault(Failure.TOKEN_FAILED, said)
    try:
        granted = msgspec.json.decode(content, type=_Granted, strict=False)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Fault(
            Failure.TOKEN_FAILED, f"{host} answers with something else than a token"
        ) from error
    if granted.token_type.lower() != "bearer" or not _TOKEN.fullmatch(granted.access_token):
        said = f"{host} answers with a token that is no bearer token"
        raise Fault(Failure.TOKEN_FAILED, said)
    life_us = _UNSAID_LIFE_US
    if granted.expires_in is not None:
        life_us = min(granted.expires_in * 1_000_000, _LIFE_US_MAX)
    margin_us = min(_MARGIN_US, life_us // 10)
    return _Kept(f"Bearer {granted.access_token}", now_us + life_us - margin_us)


def _error_in(content: bytes) -> str:
    try:
        error = msgspec.json.decode(content, type=_Refused).error
    except (msgspec.DecodeError, ValueError, RecursionError):
        return ""
    return f" ({error})" if _ERROR.fullmatch(error) else ""
