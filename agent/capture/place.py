"""Where a check's target is, whatever kind of probe it runs."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, assert_never
from urllib.parse import urlsplit

import msgspec

from vedette.shared.definitions import Check
from vedette.shared.probes import DnsProbe, Family, HttpProbe, IcmpProbe, TcpProbe

_PORTS: Final = {"http": 80, "https": 443}
# Asking again must not do anything again.
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Place:
    """The host that a check names, and how to speak to it; no port where nothing is connected to."""

    host: str
    port: int | None = None
    is_tls: bool = False
    is_http: bool = False
    server_name: str = ""
    target: str = "/"

    @property
    def is_name(self) -> bool:
        """The host is a name and no address."""
        try:
            ip_address(self.host.partition("%")[0])
        except ValueError:
            return True
        return False


def place_of(check: Check) -> Place | None:
    """The place of the target of `check`; None where the check asks no host of its own."""
    probe = check.probe
    if isinstance(probe, HttpProbe):
        parts = urlsplit(probe.full_url)
        host = parts.hostname or ""
        return Place(
            host=host,
            port=parts.port or _PORTS[parts.scheme],
            is_tls=parts.scheme == "https",
            is_http=True,
            server_name=probe.tls.server_name or host,
            target=f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}",
        )
    if isinstance(probe, TcpProbe):
        server_name = probe.demands.server_name or probe.host
        return Place(probe.host, probe.port, probe.is_implicit_tls, server_name=server_name)
    if isinstance(probe, IcmpProbe):
        return Place(probe.host)
    if isinstance(probe, DnsProbe):
        return None
    assert_never(probe)


def other_family(check: Check, addr: str | None) -> Check | None:
    """`check` over the address family that it did not use; None where there is no other one to try."""
    probe = check.probe
    place = place_of(check)
    if place is None or not place.is_name or addr is None:
        return None
    if isinstance(probe, HttpProbe) and (probe.method not in _SAFE_METHODS or probe.proxy):
        return None
    assert not isinstance(probe, DnsProbe)
    used = ip_address(addr.partition("%")[0]).version
    other = Family.IPV6 if used == 4 else Family.IPV4
    changed = msgspec.structs.replace(probe, family=other)
    return msgspec.structs.replace(check, **{check.kind: changed})
