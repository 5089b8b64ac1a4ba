"""The ICMP probe: echo requests and what share of them must come back."""

from typing import Annotated, ClassVar

from msgspec import Meta

from vedette.shared.durations import Duration
from vedette.shared.limits import ICMP_COUNT_MAX, ICMP_PAYLOAD_BYTES_MAX
from vedette.shared.probes.host import host_problem
from vedette.shared.probes.part import DurationText, Expectations, Family, Finding, Part


class IcmpProbe(Part, frozen=True):
    """Echo requests and what share of them must come back."""

    host: Annotated[str, Meta(min_length=1, max_length=255)]
    count: Annotated[int, Meta(ge=1, le=ICMP_COUNT_MAX)] = 3
    spacing: DurationText = "200ms"
    wait: Annotated[
        DurationText | None,
        Meta(
            description="how long after the last request a reply still counts; to the timeout if left out"
        ),
    ] = None
    size: Annotated[
        int,
        Meta(ge=16, le=ICMP_PAYLOAD_BYTES_MAX, description="bytes of payload, headers not counted"),
    ] = 56
    dont_fragment: Annotated[bool, Meta(description="set DF: no router may cut the packet")] = False
    ttl: Annotated[int, Meta(ge=1, le=255, description="hops that a packet may take")] | None = None
    family: Family = Family.ANY
    expect: Expectations = []

    variables: ClassVar[frozenset[str]] = frozenset({
        "sent", "received", "loss", "duplicates", "rtt_ms", "addr", "ttl", "took_ms",
    })  # fmt: skip

    @property
    def target(self) -> str:
        """What is probed, in one line for people."""
        return self.host

    def problems(self, timeout_us: int) -> list[Finding]:
        """What is wrong between its fields, in a check that has `timeout_us`."""
        found: list[Finding] = []
        if wrong := host_problem(self.host):
            found.append((("host",), wrong, repr(self.host)))
        spread = Duration((self.count - 1) * Duration.parse(self.spacing))
        if spread >= timeout_us:
            expected = f"count and spacing that fit into the timeout ({Duration(timeout_us)})"
            found.append((("spacing",), expected, f"{self.count} requests over {spread}"))
        elif self.wait is not None and not 0 < Duration.parse(self.wait) <= timeout_us - spread:
            left = Duration(timeout_us - spread)
            expected = f"a time up to what the requests leave of the timeout ({left})"
            found.append((("wait",), expected, self.wait))
        return found
