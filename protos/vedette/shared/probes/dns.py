"""The DNS probe: a question, who is asked how, and what the answer must be."""

import re
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, field

from vedette.shared.limits import DNS_ANCHORS_MAX, DNS_SERVERS_MAX
from vedette.shared.probes.endpoint import endpoint_problem
from vedette.shared.probes.host import LABEL_CHARS_MAX
from vedette.shared.probes.part import Expectations, Family, Finding, Part
from vedette.shared.probes.tls import TlsDemands

RECORD_TYPES: Final = frozenset({
    "A", "AAAA", "AFSDB", "ANY", "APL", "CAA", "CDNSKEY", "CDS", "CERT", "CNAME", "CSYNC",
    "DHCID", "DLV", "DNAME", "DNSKEY", "DS", "EUI48", "EUI64", "HINFO", "HIP", "HTTPS",
    "IPSECKEY", "KEY", "KX", "LOC", "MX", "NAPTR", "NS", "NSEC", "NSEC3", "NSEC3PARAM",
    "OPENPGPKEY", "PTR", "RP", "RRSIG", "SMIMEA", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA",
    "TXT", "URI", "ZONEMD",
})  # fmt: skip
PORTS: Final = {"udp": 53, "tcp": 53, "tls": 853, "https": 443}
# The key-signing keys of the root, as IANA publishes them (root-anchors.xml): 2017 and 2024.
ROOT_ANCHORS: Final = (
    ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
    ". DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
)

_NAME_BYTES_MAX: Final = 254
_NUMBERED_TYPE: Final = re.compile(r"TYPE([0-9]{1,5})")
_ANCHOR: Final = re.compile(
    r"\S{1,255}(?: \d{1,10})?(?: IN)? "
    r"(?:DS \d{1,5} \d{1,3} \d{1,3} [0-9A-Fa-f ]{16,200}"
    r"|DNSKEY \d{1,5} 3 \d{1,3} [A-Za-z0-9+/= ]{20,4000})"
)
_PATH: Final = r"^/[\x21-\x7e]{0,254}$"


class Dnssec(Part, frozen=True):
    """Follow the chain of signatures from `anchors` down to the answer, through the servers that are asked.

    An anchor is a DS or DNSKEY record with its owner: `example.com. DS 12345 13 2 49FD46E6...`. Without any,
    the keys of the root are where the chain begins.
    """

    anchors: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=5000)]], Meta(max_length=DNS_ANCHORS_MAX)
    ] = []


class DnsProbe(Part, frozen=True):
    """A DNS question and what its answer must be."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    type: Annotated[
        str,
        Meta(
            pattern=r"^[A-Z0-9-]{1,20}$",
            description="a record type such as A, AAAA, MX, TXT, SOA, CAA or TYPE65",
        ),
    ] = "A"
    record_class: Literal["IN", "CH", "HS"] = field(default="IN", name="class")
    servers: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=262)]],
        Meta(
            max_length=DNS_SERVERS_MAX,
            description="addresses or names, with or without a port, tried in order; "
            "the site's own name servers if there are none",
        ),
    ] = []
    port: (
        Annotated[
            int,
            Meta(
                ge=1, le=65535, description="of servers that name none; 53, 853 or 443 if left out"
            ),
        ]
        | None
    ) = None
    transport: Annotated[
        Literal["udp", "tcp", "tls", "https"], Meta(description="tls is DoT, https is DoH")
    ] = "udp"
    family: Family = Family.ANY
    recursion: bool = True
    edns: bool = True
    payload: Annotated[int, Meta(ge=512, le=4096, description="bytes of UDP offered by EDNS")] = (
        1232
    )
    dnssec_ok: Annotated[bool, Meta(description="ask for signatures (the DO flag)")] = False
    checking_disabled: Annotated[
        bool, Meta(description="ask a resolver not to validate (the CD flag)")
    ] = False
    dnssec: Dnssec | None = None
    serials: Annotated[
        bool, Meta(description="ask every name server of the zone for its SOA serial")
    ] = False
    path: Annotated[
        str, Meta(pattern=_PATH, description="the path of DNS over HTTPS, beginning with /")
    ] = "/dns-query"
    tls: TlsDemands = TlsDemands()
    expect: Expectations = []

    variables: ClassVar[frozenset[str]] = frozenset({
        "rcode", "flags", "answers", "authority", "additional", "records", "ttl_min", "serials",
        "serials_equal", "dnssec", "server", "transport", "addr", "tls", "phases", "took_ms",
    })  # fmt: skip

    @property
    def target(self) -> str:
        """What is probed, in one line for people."""
        return f"{self.name} {self.type}"

    @property
    def port_or_default(self) -> int:
        """The port of servers that name none."""
        return PORTS[self.transport] if self.port is None else self.port

    @property
    def wants_signatures(self) -> bool:
        """The DO flag is set: it was asked for, or validation needs it."""
        return self.dnssec_ok or self.dnssec is not None

    def problems(self, timeout_us: int) -> list[Finding]:
        """What is wrong between its fields, in a check that has `timeout_us`."""
        return [
            *self._question_problems(),
            *self._server_problems(),
            *self._tls_problems(),
            *self._dnssec_problems(),
        ]

    def _question_problems(self) -> list[Finding]:
        found: list[Finding] = []
        number = _NUMBERED_TYPE.fullmatch(self.type)
        if self.type not in RECORD_TYPES and not (number and int(number[1]) <= 65535):
            expected = "a record type such as A, AAAA, MX, TXT, SOA, CAA or TYPE65"
            found.append((("type",), expected, repr(self.type)))
        labels = self.name.removesuffix(".").split(".") if self.name != "." else ["."]
        if any(not 1 <= len(label.encode()) <= LABEL_CHARS_MAX for label in labels):
            found.append((("name",), "a name with labels of 1 to 63 characters", repr(self.name)))
        elif sum(len(label.encode()) + 1 for label in labels) > _NAME_BYTES_MAX:
            found.append(
                (("name",), f"a name of at most {_NAME_BYTES_MAX - 1} characters", repr(self.name))
            )
        if self.serials and self.record_class != "IN":
            found.append((("serials",), "class IN with serials", self.record_class))
        return found

    def _server_problems(self) -> list[Finding]:
        found: list[Finding] = []
        for place, server in enumerate(self.servers):
            if wrong := endpoint_problem(server):
                found.append((("servers", place), wrong, repr(server)))
        if self.transport in ("tls", "https") and not self.servers:
            expected = f"the servers to ask, with transport: {self.transport}"
            found.append((("servers",), expected, "none"))
        return found

    def _tls_problems(self) -> list[Finding]:
        found: list[Finding] = []
        if self.transport not in ("tls", "https") and self.tls != TlsDemands():
            expected = "transport tls or https together with tls"
            found.append((("transport",), expected, self.transport))
        if self.transport != "https" and self.path != "/dns-query":
            found.append((("transport",), "transport https together with path", self.transport))
        found += [(("tls", *path), expected, seen) for path, expected, seen in self.tls.problems()]
        return found

    def _dnssec_problems(self) -> list[Finding]:
        found: list[Finding] = []
        if self.wants_signatures and not self.edns:
            name = "dnssec" if self.dnssec is not None else "dnssec_ok"
            found.append((("edns",), f"edns: true together with {name}", "edns: false"))
        if self.dnssec is None:
            return found
        if self.record_class != "IN":
            found.append((("dnssec",), "class IN with dnssec", self.record_class))
        if self.type in ("ANY", "RRSIG"):
            expected = "a record type of its own, because signatures cover one type each"
            found.append((("type",), expected, self.type))
        for place, anchor in enumerate(self.dnssec.anchors):
            if not _ANCHOR.fullmatch(" ".join(anchor.split())):
                expected = "a DS or DNSKEY record such as `example.com. DS 12345 13 2 49FD46E6...`"
                found.append((("dnssec", "anchors", place), expected, repr(anchor[:60])))
        return found
