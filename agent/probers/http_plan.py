"""What an HTTP check comes to before anything is sent: made once for each revision, kept, and reused.

Building a request anew costs as much as sending it, and nothing of it changes between two runs.
"""

import base64
from collections import OrderedDict
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from agent.core.evaluation import names_read
from agent.core.redaction import redacted_url
from agent.probers.http_client import Asked, prepared
from agent.probers.network.tls import TlsPolicy
from agent.probers.transport.inflate import ACCEPTED
from agent.probers.transport.wants import Proxy, Request, Trust, Wants
from vedette.shared.definitions import Check, micros
from vedette.shared.limits import PLANS_KEPT_MAX
from vedette.shared.probes import HttpProbe, OAuth2, PhaseTimeouts, TlsDemands
from vedette.shared.probes.endpoint import Endpoint

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Plan:
    """A check's first request, what it wants of every hop, and what its expectations read.

    `oauth2_key` names its credentials among the tokens that are kept, without holding them.
    """

    asked: Asked
    request: Request
    wants: Wants
    names: frozenset[str]
    url_shown: str
    oauth2: OAuth2 | None = None
    oauth2_key: bytes = b""


class Plans:
    """The plans of the checks that were run last; the oldest gives way."""

    def __init__(self, user_agent: str, kept_max: int = PLANS_KEPT_MAX) -> None:
        self._user_agent = user_agent
        self._kept_max = kept_max
        self._kept: OrderedDict[int, tuple[Check, Plan]] = OrderedDict()

    def plan_of(self, check: Check) -> Plan:
        """The plan of `check`. Fault if it cannot be requested.

        By identity: a revision is one object for as long as it is assigned, and comparing two by value
        would cost more than is saved. The check is kept along, so its identity stays its own.
        """
        key = id(check)
        kept = self._kept.get(key)
        if kept is not None and kept[0] is check:
            return kept[1]
        plan = _plan(check, self._user_agent)
        self._kept[key] = (check, plan)
        self._kept.move_to_end(key)
        if len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)
        return plan


def _plan(check: Check, user_agent: str) -> Plan:
    probe = check.probe
    assert isinstance(probe, HttpProbe)
    asked = Asked(
        method=probe.method,
        url=probe.full_url,
        headers=_headers(probe, user_agent),
        body=_body(probe),
        redirects_max=probe.redirects.max if probe.redirects.follow else None,
        compression=probe.compression,
    )
    request = prepared(asked)
    oauth2 = probe.auth.oauth2 if probe.auth is not None else None
    return Plan(
        asked=asked,
        request=request,
        wants=_wants(probe, request.host),
        names=names_read(check),
        url_shown=redacted_url(probe.full_url),
        oauth2=oauth2,
        oauth2_key=b"" if oauth2 is None else sha256(msgspec.json.encode(oauth2, order="sorted")).digest(),
    )  # fmt: skip


def _headers(probe: HttpProbe, user_agent: str) -> tuple[tuple[str, str], ...]:
    """The check's headers, and ours where it has none of that name."""
    ours = {
        "User-Agent": user_agent,
        "Accept": "*/*",
        "Accept-Encoding": probe.compression or ACCEPTED,
    }
    authorization = _authorization(probe)
    if authorization is not None:
        ours["Authorization"] = authorization
    own = {name.lower() for name in probe.headers}
    kept = [(name, value) for name, value in ours.items() if name.lower() not in own]
    return (*kept, *probe.header_pairs)


def _authorization(probe: HttpProbe) -> str | None:
    """What is known of who asks; a token from OAuth2 is fetched for each run."""
    auth = probe.auth
    if auth is not None and auth.basic is not None:
        return _basic(auth.basic.username, auth.basic.password)
    if auth is not None:
        return None if auth.bearer is None else f"Bearer {auth.bearer}"
    parts = urlsplit(probe.full_url)
    if parts.username is None and parts.password is None:
        return None
    return _basic(unquote(parts.username or ""), unquote(parts.password or ""))


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _body(probe: HttpProbe) -> bytes | None:
    if probe.body_base64 is not None:
        return base64.b64decode(probe.body_base64)
    return None if probe.body is None else probe.body.encode()


def _wants(probe: HttpProbe, own_host: str) -> Wants:
    resolver = [Endpoint.parse(server) for server in probe.resolver]
    wants = Wants(
        own_host=own_host,
        version=probe.version,
        family=probe.family,
        resolver=tuple((server.host, server.port or 53) for server in resolver),
        proxy=None if probe.proxy is None else _proxy(probe.proxy),
        body_bytes_max=probe.body_max,
        limits_us=_limits_us(probe.phase_timeouts),
    )
    return replace(wants, tls=_trust(probe.tls, wants.alpn))


def _trust(tls: TlsDemands, alpn: tuple[str, ...]) -> Trust:
    policy = TlsPolicy(
        verify=tls.verify,
        ca=tls.ca,
        alpn=alpn,
        min_version=tls.min_version,
        max_version=tls.max_version,
        client=None if tls.client is None else (tls.client.certificate, tls.client.key),
    )
    return Trust(policy, tls.server_name, tls.pins)


def _proxy(url: str) -> Proxy:
    parts = urlsplit(url)
    is_known = parts.username is not None or parts.password is not None
    return Proxy(
        host=parts.hostname or "",
        port=parts.port or _PORTS["http"],
        authorization=_basic(unquote(parts.username or ""), unquote(parts.password or ""))
        if is_known
        else None,
    )


def _limits_us(timeouts: PhaseTimeouts) -> dict[str, int]:
    texts = {name: getattr(timeouts, name) for name in PhaseTimeouts.__struct_fields__}
    return {name: micros(text) for name, text in texts.items() if text is not None}
