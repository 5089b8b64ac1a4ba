"""Small scenarios of which everything can be played."""

from controller.core.simulation.scenario import Scenario, read_scenario

MIXED = b"""\
version: 1
title: Everything at once
length: 8h
regions: [{id: ams, provider: p}, {id: fra, provider: p}, {id: iad}, {id: jnb}, {id: lhr}]
checks: {count: 2, every: 60s, timeout: 10s}
network: {loss: {share: 0.8%, bursts: {least: 200ms, most: 60s}}}
faults:
  - {kind: outage, times: 2, lasting: {least: 45s, most: 40m}}
  - {kind: flapping, lasting: 30m, down: {least: 20s, most: 2m}, up: {least: 30s, most: 3m}}
  - {kind: partition, regions: [ams], lasting: 40m, anchors: 4}
  - {kind: partition, providers: [p], together: true, lasting: 20m, checks: [check-1]}
  - {kind: death, agents: [jnb-1], lasting: 2h}
  - {kind: late, regions: [lhr, iad], lasting: 50m}
  - {kind: skew, regions: [fra], behind: 20s, measured: false, lasting: 2h}
  - {kind: skew, regions: [iad], ahead: 90s, lasting: 1h}
  - {kind: loss, regions: [lhr], share: 30%, lasting: 1h}
  - {kind: slow, regions: [fra], by: 9700ms, lasting: 1h}
"""

DARK = b"""\
version: 1
title: So many agents dark that nothing is known
length: 10h
regions: [{id: fra}, {id: iad}, {id: lhr}]
agents_per_region: 2
checks: {count: 1, every: 60s, timeout: 10s, degraded_over: 300ms}
network: {loss: {share: 1%, bursts: {least: 1s, most: 4m}}}
faults:
  - {kind: outage, times: 3, lasting: {least: 2m, most: 1h}}
  - {kind: death, regions: [fra, iad], together: true, times: 2, lasting: {least: 20m, most: 2h}}
  - {kind: late, together: true, times: 2, lasting: {least: 20m, most: 2h}}
  - {kind: partition, times: 2, together: true, lasting: {least: 5m, most: 1h}, anchors: 3}
rules:
  - {id: any, quorum: {rule: any, fail_after: 2, recover_after: 3}, looks: {by: controller}}
  - {id: all, quorum: {rule: all, min_evidence: 1}, anchors: true, looks: {by: site, every: 5s, times: 2}}
  - {id: half, quorum: {rule: at_least_half, min_evidence: 1}, anchors: true, looks: {by: controller}}
  - {id: always, regions: 2, quorum: {rule: healthy_fraction, fraction: 1/1}}
"""


def scenario(text: bytes, seed: int | None = None) -> Scenario:
    return read_scenario(text, "scenario.yaml", seed=seed)
