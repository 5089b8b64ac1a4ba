"""What the tests of DNS probes share: one call to run a check against a server on loopback."""

import dns.message

from agent.core.policy import Policy
from agent.core.verdict import verdict
from agent.probers.dns import DnsProber
from agent.probers.network.admission import Admission
from tests.fakes.dns_target import LOOPBACK, reply_to, wire
from tests.unit.probers.http_probing import LOOPBACK_ONLY, Run, check_of

Query = dns.message.QueryMessage


async def run_dns(
    port: int, *expect: str, within: str = "2s", policy: Policy = LOOPBACK_ONLY, **probe: object
) -> Run:
    plain = {"name": "example.com", "servers": [LOOPBACK], "port": port, "expect": list(expect)}
    check = check_of("dns", {**plain, **probe}, within)
    assert not check.probe.problems(check.timeout_us)
    seen = await DnsProber(Admission(policy)).probe(check)
    return Run(seen, verdict(check, seen))


def honest(query: Query) -> list[bytes]:
    return [wire(reply_to(query))]
