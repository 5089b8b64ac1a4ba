"""Where messages may go.

Only an admin names channels, and mail relays, chat servers and ticket systems often stand in the same
network, so private and loopback addresses are allowed. Addresses that no server of anybody's has are not:
link-local ones above all, where clouds keep the credentials of the machine.
"""

from ipaddress import IPv6Address, ip_address
from typing import Final

_REFUSED: Final = "link-local, multicast, unspecified and reserved addresses are not sent to"
# Cloud metadata that does not stand at a link-local address.
_METADATA: Final = frozenset({ip_address("fd00:ec2::254"), ip_address("100.100.100.200")})


def address_problem(address: str) -> str | None:
    """Why nothing is sent to an IP address; None if it may be."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address[:80]!r} is no address"
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    is_refused = (
        ip.is_link_local
        or ip.is_multicast
        or ip.is_unspecified
        or (ip.is_reserved and not ip.is_loopback)
        or ip in _METADATA
    )
    return f"{ip}: {_REFUSED}" if is_refused else None
