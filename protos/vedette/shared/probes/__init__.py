"""Probes: what a check asks of its target, as structs for YAML, JSON Schema and the wire.

One module a kind. Each struct refuses what is wrong in itself, and its `problems` finds what is wrong
between fields, so that the fleet file, an agent and a one-shot probe refuse the same in the same words.
"""

from vedette.shared.probes.dns import DnsProbe
from vedette.shared.probes.host import SCHEMES, host_problem
from vedette.shared.probes.http import HttpProbe, PhaseTimeouts, Redirects
from vedette.shared.probes.icmp import IcmpProbe
from vedette.shared.probes.part import DurationText, Family, Finding, Part

Probe = HttpProbe | DnsProbe | IcmpProbe
PROBES: dict[str, type[HttpProbe] | type[DnsProbe] | type[IcmpProbe]] = {
    "http": HttpProbe,
    "dns": DnsProbe,
    "icmp": IcmpProbe,
}

__all__ = [
    "PROBES",
    "SCHEMES",
    "DnsProbe",
    "DurationText",
    "Family",
    "Finding",
    "HttpProbe",
    "IcmpProbe",
    "Part",
    "PhaseTimeouts",
    "Probe",
    "Redirects",
    "host_problem",
]
