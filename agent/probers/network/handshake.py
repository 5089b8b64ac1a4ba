"""TLS as a check demands it: the policy that its words mean, the handshake under it, and what the peer showed."""

from dataclasses import dataclass

from agent.probers.network.pins import demand_pin
from agent.probers.network.stream import Stream
from agent.probers.network.tls import TlsPolicy, TlsStream, context_of
from vedette.shared.probes import TlsDemands


@dataclass(slots=True)
class Shown:
    """What a TLS peer showed, also if it was refused."""

    version: str = ""
    cipher: str = ""
    is_verified: bool = False
    chain: tuple[bytes, ...] = ()

    @property
    def is_tls(self) -> bool:
        """Something of TLS was seen."""
        return bool(self.version or self.chain)


@dataclass(frozen=True, slots=True)
class TlsWants:
    """What a peer has to show, under which name."""

    policy: TlsPolicy
    server_name: str
    pins: tuple[str, ...] = ()


def policy_of(demands: TlsDemands, alpn: tuple[str, ...] = ()) -> TlsPolicy:
    """The policy that `demands` mean; `alpn` are the protocols that are offered inside TLS."""
    client = demands.client
    return TlsPolicy(
        verify=demands.verify,
        ca=demands.ca,
        alpn=alpn,
        min_version=demands.min_version,
        max_version=demands.max_version,
        client=None if client is None else (client.certificate, client.key),
    )


async def secured(plain: Stream, wants: TlsWants, shown: Shown) -> TlsStream:
    """TLS on `plain`, which is closed if it does not come about. Fault says why; `shown` learns what was seen."""
    stream: TlsStream | None = None
    try:
        stream = TlsStream(plain, context_of(wants.policy), wants.server_name)
        await stream.handshake()
        shown.version, shown.cipher = stream.version, stream.cipher
        shown.chain = tuple(stream.chain())
        demand_pin(shown.chain, wants.pins)
        shown.is_verified = wants.policy.verify
    except BaseException:
        plain.close()
        if stream is not None:
            shown.chain = tuple(stream.chain())
        raise
    return stream
