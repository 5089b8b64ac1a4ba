"""The DNS probe: a question and what its answer must be."""

import re
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, field

from vedette.shared.limits import DNS_SERVERS_MAX
from vedette.shared.probes.host import LABEL_CHARS_MAX, host_problem
from vedette.shared.probes.part import Expectations, Finding, Part

RECORD_TYPES: Final = frozenset({
    "A", "AAAA", "AFSDB", "ANY", "APL", "CAA", "CDNSKEY", "CDS", "CERT", "CNAME", "CSYNC",
    "DHCID", "DLV", "DNAME", "DNSKEY", "DS", "EUI48", "EUI64", "HINFO", "HIP", "HTTPS",
    "IPSECKEY", "KEY", "KX", "LOC", "MX", "NAPTR", "NS", "NSEC", "NSEC3", "NSEC3PARAM",
    "OPENPGPKEY", "PTR", "RP", "RRSIG", "SMIMEA", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA",
    "TXT", "URI", "ZONEMD",
})  # fmt: skip

_NUMBERED_TYPE: Final = re.compile(r"TYPE([0-9]{1,5})")


class DnsProbe(Part, frozen=True):
    """A DNS question and what its answer must be."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    type: Annotated[str, Meta(pattern=r"^[A-Z0-9-]{1,20}$")] = "A"
    record_class: Literal["IN", "CH", "HS"] = field(default="IN", name="class")
    servers: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=255)]], Meta(max_length=DNS_SERVERS_MAX)
    ] = []
    port: Annotated[int, Meta(ge=1, le=65535)] = 53
    transport: Literal["udp", "tcp"] = "udp"
    recursion: bool = True
    expect: Expectations = []

    variables: ClassVar[frozenset[str]] = frozenset({
        "rcode", "flags", "answers", "authority", "additional", "records", "ttl_min", "server",
        "transport", "addr", "took_ms",
    })  # fmt: skip

    @property
    def target(self) -> str:
        """What is probed, in one line for people."""
        return f"{self.name} {self.type}"

    def problems(self, timeout_us: int) -> list[Finding]:
        """What is wrong between its fields, in a check that has `timeout_us`."""
        found: list[Finding] = []
        number = _NUMBERED_TYPE.fullmatch(self.type)
        if self.type not in RECORD_TYPES and not (number and int(number[1]) <= 65535):
            expected = "a record type such as A, AAAA, MX, TXT, SOA, CAA or TYPE65"
            found.append((("type",), expected, repr(self.type)))
        labels = self.name.removesuffix(".").split(".") if self.name != "." else ["."]
        if any(not 1 <= len(label.encode()) <= LABEL_CHARS_MAX for label in labels):
            found.append((("name",), "a name with labels of 1 to 63 characters", repr(self.name)))
        for place, server in enumerate(self.servers):
            if wrong := host_problem(server):
                found.append((("servers", place), wrong, repr(server)))
        return found
