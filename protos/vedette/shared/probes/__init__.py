"""Probes: what a check asks of its target, as structs for YAML, JSON Schema and the wire.

One module a kind. Each struct refuses what is wrong in itself, and its `problems` finds what is wrong
between fields, so that the fleet file, an agent and a one-shot probe refuse the same in the same words.
"""

from vedette.shared.probes.dns import DnsProbe, Dnssec
from vedette.shared.probes.endpoint import Endpoint
from vedette.shared.probes.host import SCHEMES, host_problem
from vedette.shared.probes.http import HttpProbe, PhaseTimeouts, Redirects
from vedette.shared.probes.http_auth import Auth, BasicAuth, OAuth2
from vedette.shared.probes.icmp import IcmpProbe
from vedette.shared.probes.part import DurationText, Family, Finding, Part
from vedette.shared.probes.tcp import StartTls, Step, TcpProbe
from vedette.shared.probes.tls import ClientCertificate, TlsDemands

Probe = HttpProbe | DnsProbe | IcmpProbe | TcpProbe
PROBES: dict[str, type[HttpProbe] | type[DnsProbe] | type[IcmpProbe] | type[TcpProbe]] = {
    "http": HttpProbe,
    "dns": DnsProbe,
    "icmp": IcmpProbe,
    "tcp": TcpProbe,
}

__all__ = [
    "PROBES",
    "SCHEMES",
    "Auth",
    "BasicAuth",
    "ClientCertificate",
    "DnsProbe",
    "Dnssec",
    "DurationText",
    "Endpoint",
    "Family",
    "Finding",
    "HttpProbe",
    "IcmpProbe",
    "OAuth2",
    "Part",
    "PhaseTimeouts",
    "Probe",
    "Redirects",
    "StartTls",
    "Step",
    "TcpProbe",
    "TlsDemands",
    "host_problem",
]
