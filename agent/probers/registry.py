"""The probers of an agent, by the kind of probe that they run."""

from collections.abc import Mapping

from agent.core.policy import Policy
from agent.ports import Prober
from agent.probers.dns import DnsProber
from agent.probers.http import HttpProber
from agent.probers.icmp import IcmpProber
from agent.probers.network.admission import Admission
from agent.probers.tcp import TcpProber
from agent.probers.transport.wants import USER_AGENT


def probers_of(site: Policy | Admission, user_agent: str = USER_AGENT) -> Mapping[str, Prober]:
    """A prober for every kind, sharing one resolver, all under the policy of `site`.

    `user_agent` tells web servers who asks, unless a check has a header of its own.
    """
    admission = site if isinstance(site, Admission) else Admission(site)
    return {
        "http": HttpProber(admission, user_agent=user_agent),
        "dns": DnsProber(admission),
        "icmp": IcmpProber(admission),
        "tcp": TcpProber(admission),
    }
