"""Anchors: targets that an agent probes to tell its own network's trouble from a target's (S-10)."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from vedette.shared.limits import (
    ANCHOR_INTERVAL_US_MAX,
    ANCHOR_INTERVAL_US_MIN,
    ANCHOR_TIMEOUT_US,
    ANCHORS_MAX,
    ANCHORS_MIN,
)
from vedette.shared.probes import DnsProbe, Finding, IcmpProbe, Part, TcpProbe

ANCHOR_KINDS: Final = ("tcp", "icmp", "dns")
EXPECTED: Final = f"exactly one of {', '.join(ANCHOR_KINDS)}"
AnchorProbe = TcpProbe | IcmpProbe | DnsProbe


class Anchor(Part, frozen=True):
    """One anchor: something that answers whenever the agent's own network works."""

    tcp: TcpProbe | UnsetType = UNSET
    icmp: IcmpProbe | UnsetType = UNSET
    dns: DnsProbe | UnsetType = UNSET

    @property
    def kind(self) -> str:
        """Name of its probe."""
        return next(kind for kind in ANCHOR_KINDS if getattr(self, kind) is not UNSET)

    @property
    def probe(self) -> AnchorProbe:
        """How it is probed."""
        for probe in (self.tcp, self.icmp, self.dns):
            if not isinstance(probe, UnsetType):
                return probe
        raise ValueError("the anchor has no probe")

    @property
    def host(self) -> str:
        """What has to answer, in one line for people; two anchors of one host are not independent."""
        probe = self.probe
        if isinstance(probe, DnsProbe):
            return ", ".join(probe.servers) or "the site's name servers"
        return probe.host


_decoder: Final = msgspec.json.Decoder(Anchor)
_encoder: Final = msgspec.json.Encoder(order="sorted")


def encode_anchor(anchor: Anchor) -> bytes:
    """The bytes that stand for an anchor on the wire."""
    return _encoder.encode(anchor)


def decode_anchor(definition: bytes) -> Anchor:
    """The anchor that these bytes stand for. ValueError says what is wrong with it."""
    try:
        anchor = _decoder.decode(definition)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    for path, expected, found in anchor_problems(anchor):
        raise ValueError(
            f"{'.'.join(map(str, path)) or 'anchor'}: expected {expected}, found {found}"
        )
    return anchor


def anchor_problems(anchor: Anchor) -> list[Finding]:
    """What is wrong with one anchor: (path, expected, found) each."""
    kinds = [kind for kind in ANCHOR_KINDS if getattr(anchor, kind) is not UNSET]
    if len(kinds) != 1:
        return [((), EXPECTED, " and ".join(kinds) or "none")]
    probe = anchor.probe
    found: list[Finding] = [
        ((anchor.kind, *path), expected, seen)
        for path, expected, seen in probe.problems(ANCHOR_TIMEOUT_US)
    ]
    if isinstance(probe, TcpProbe) and (probe.dialogue or probe.starttls or probe.expect):
        found.append(
            (("tcp",), "host, port, family and tls only: an anchor has to answer", "a dialogue")
        )
    elif probe.expect:
        found.append(((anchor.kind, "expect"), "no expectations: an anchor has to answer", "some"))
    return found


def anchors_problems(anchors: Sequence[Anchor]) -> list[Finding]:
    """What is wrong with a list of well-formed anchors. None at all is fine: then nothing is voided."""
    found: list[Finding] = []
    if anchors and not ANCHORS_MIN <= len(anchors) <= ANCHORS_MAX:
        expected = f"{ANCHORS_MIN} to {ANCHORS_MAX} anchors, or none"
        found.append(((), expected, f"{len(anchors)}"))
    seen: set[str] = set()
    for place, anchor in enumerate(anchors):
        if any(getattr(anchor, kind) is not UNSET for kind in ANCHOR_KINDS):
            if anchor.host in seen:
                expected = "a target of its own: anchors have to be independent"
                found.append(((place,), expected, f"{anchor.host} again"))
            seen.add(anchor.host)
    return found


def anchor_interval_us(intervals_us: Sequence[int]) -> int:
    """Time between two rounds of an agent that runs checks of these intervals."""
    least = min(intervals_us, default=ANCHOR_INTERVAL_US_MAX)
    return min(max(least, ANCHOR_INTERVAL_US_MIN), ANCHOR_INTERVAL_US_MAX)
