"""The probers of an agent, by the kind of probe that they run."""

from collections.abc import Mapping

from agent.core.policy import Policy
from agent.ports import Prober
from agent.probers.dns import DnsProber
from agent.probers.http import HttpProber
from agent.probers.icmp import IcmpProber
from agent.probers.network.admission import Admission


def probers_of(policy: Policy) -> Mapping[str, Prober]:
    """A prober for every kind, sharing one resolver, all under `policy`."""
    admission = Admission(policy)
    return {
        "http": HttpProber(admission),
        "dns": DnsProber(admission),
        "icmp": IcmpProber(admission),
    }
