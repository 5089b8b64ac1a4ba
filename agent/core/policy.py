"""What this site agrees to probe: which addresses, whatever a controller or a name server says.

Checked at every connect, after resolution and again on every redirect. An address that merely carries
another one (v4-mapped, 6to4, Teredo, NAT64) is judged by the one that it carries as well, because it
would reach that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

from agent.core.terms import Terms

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_TERMS: Final = Terms()
_METADATA: Final = "a cloud's metadata address"
# First match names the refusal, so metadata addresses stand before the ranges that contain them.
_DENIED_TEXT: Final = (
    (_METADATA, (
        "169.254.169.254/32", "169.254.169.253/32", "169.254.170.2/32", "169.254.170.23/32",
        "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32",
        "fd20:ce::254/128", "fe80::a9fe:a9fe/128",
    )),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("link-local", ("169.254.0.0/16", "fe80::/10")),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
    ("shared by carriers (CGNAT)", ("100.64.0.0/10",)),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("reserved", (
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "240.0.0.0/4", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20",
        "5f00::/16", "::/8",
    )),
)  # fmt: skip
_DENIED: Final[tuple[tuple[str, Network], ...]] = tuple(
    (reason, ip_network(text)) for reason, texts in _DENIED_TEXT for text in texts
)
_NAT64_LOCAL: Final = IPv6Network("64:ff9b:1::/48")
_ENDS_IN_IPV4: Final = (
    IPv6Network("::ffff:0:0/96"),
    IPv6Network("::ffff:0:0:0/96"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("::/96"),
)
_MAPPINGS: Final = (
    *_ENDS_IN_IPV4[:3],
    _NAT64_LOCAL,
    IPv6Network("2002::/16"),
    IPv6Network("2001::/32"),
)
_ISATAP: Final = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class Policy:
    """The networks that a site adds to, and takes from, what is probed by default; and its terms.

    `denied` is stronger than `allowed`, which is stronger than the default list. An empty policy admits
    public addresses only. A metadata address has to be listed as itself: a wide network does not open it.
    """

    allowed: tuple[Network, ...] = ()
    denied: tuple[Network, ...] = ()
    # Verdicts on addresses are remembered by policy, and do not depend on the terms.
    terms: Terms = field(default=_TERMS, hash=False)

    @classmethod
    def of(
        cls, allow: Iterable[str] = (), deny: Iterable[str] = (), terms: Terms = _TERMS
    ) -> "Policy":
        """The policy that lists of CIDRs say. ValueError names the one that is none."""
        return cls(
            tuple(network_of(text) for text in allow),
            tuple(network_of(text) for text in deny),
            terms,
        )

    def __str__(self) -> str:
        """The policy in a few words, for people."""
        places = ", ".join(["public addresses", *map(str, self.allowed)])
        never = f"; never {', '.join(map(str, self.denied))}" if self.denied else ""
        return f"{places}{never}; {self.terms}"


def network_of(text: str) -> Network:
    """The network that `text` says, host bits ignored. ValueError if it says none."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise ValueError(f"expected a network such as 10.0.0.0/8, found {text!r}") from error


def verdict(address: str, policy: Policy) -> str | None:
    """Why `policy` does not agree to probe `address`, in words; None if it does.

    ValueError if `address` is no numeric address (scope ids are allowed and ignored).
    """
    return _verdict(address, policy)


@lru_cache(maxsize=8192)
def _verdict(address: str, policy: Policy) -> str | None:
    outer = ip_address(address.partition("%")[0])
    carried = carried_addresses(outer)
    for one in (outer, *carried):
        network = _containing(one, policy.denied)
        if network is not None:
            return f"{_named(outer, one)} is in {network}, which this site denies"
    for one in carried:
        refusal = _default_refusal(one, policy)
        if refusal is not None:
            return f"{outer} leads to {refusal}"
    if _containing(outer, _MAPPINGS) is not None:
        return None
    return _default_refusal(outer, policy)


def _default_refusal(address: Address, policy: Policy) -> str | None:
    listed = [n for n in policy.allowed if n.version == address.version and address in n]
    for reason, network in _DENIED:
        if address.version == network.version and address in network:
            if reason == _METADATA:
                listed = [n for n in listed if _is_within(n, network)]
            if listed:
                return None
            return f"{address}, which is {reason} and which this site has not allowed"
    return None


def carried_addresses(address: Address) -> Sequence[IPv4Address]:
    """The IPv4 addresses that `address` leads to by an agreed mapping; none for most addresses."""
    if isinstance(address, IPv4Address):
        return ()
    number = int(address)
    last = IPv4Address(number & 0xFFFFFFFF)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64_LOCAL:
        # RFC 6052 places the address by prefix length, and a site chooses the length.
        return (last, IPv4Address((number >> 64 & 0xFFFF) << 16 | (number >> 40 & 0xFFFF)))
    if _containing(address, _ENDS_IN_IPV4) is not None and number > 0xFFFF:
        return (last,)
    return (last,) if number >> 32 & 0xFFFFFFFF in _ISATAP else ()


def _containing(address: Address, networks: Iterable[Network]) -> Network | None:
    for network in networks:
        if address.version == network.version and address in network:
            return network
    return None


def _is_within(inner: Network, outer: Network) -> bool:
    return outer.prefixlen <= inner.prefixlen and inner.network_address in outer


def _named(outer: Address, inner: Address) -> str:
    return str(outer) if outer == inner else f"{outer}, which leads to {inner},"
