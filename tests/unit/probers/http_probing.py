"""What the tests of HTTP probes share: a prober that may reach loopback, and one call to run a check."""

from dataclasses import dataclass

import msgspec

from agent.core.policy import Policy
from agent.core.verdict import Verdict, verdict
from agent.ports import Observation
from agent.probers.http import HttpProber
from agent.probers.network.admission import Admission
from vedette.shared.definitions import Check

LOOPBACK_ONLY = Policy.of(["127.0.0.0/8", "::1/128"])


@dataclass(frozen=True)
class Run:
    seen: Observation
    verdict: Verdict

    @property
    def outcome(self) -> str:
        return self.verdict.outcome.value

    @property
    def kind(self) -> str | None:
        return self.verdict.kind


def check_of(kind: str, probe: dict[str, object], within: str = "5s") -> Check:
    return msgspec.convert(
        {"id": "c", "service": "s", "timeout": within, kind: probe}, Check, strict=True
    )


async def run_http(
    url: str, *expect: str, within: str = "5s", policy: Policy = LOOPBACK_ONLY, **probe: object
) -> Run:
    check = check_of("http", {"url": url, "expect": list(expect), **probe}, within)
    seen = await HttpProber(Admission(policy)).probe(check)
    return Run(seen, verdict(check, seen))
