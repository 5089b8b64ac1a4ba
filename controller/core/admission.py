"""From a result line to what counts: a sample, an anchor round, or a line set aside (S-1 to S-5)."""

import hashlib
from collections.abc import Iterable
from typing import Final

from controller.core.samples import AnchorRound, Quarantined, Sample
from vedette.shared.identity import ANCHORS, ResultId
from vedette.shared.limits import CLOCK_OFFSET_US_MAX, FUTURE_US_MAX
from vedette.shared.result import Evidence, Outcome, decode_line

Admitted = Sample | AnchorRound

_SEVERITY: Final = {
    Outcome.DOWN: 3,
    Outcome.DEGRADED: 2,
    Outcome.UP: 1,
    Outcome.AGENT_ERROR: 0,
}


def digest_of_line(line: bytes) -> int:
    """The first 63 bits of the SHA-256 of the line, its newline left out.

    63 bits fit a signed database integer and order lines as the whole hash does.
    """
    return int.from_bytes(hashlib.sha256(line.rstrip(b"\r\n")).digest()[:8]) >> 1


def admitted_line(line: bytes, received_us: int | None = None) -> Admitted | Quarantined:
    """What the bytes of a line count as. ValueError says what is wrong with a line that cannot be read."""
    return admitted(decode_line(line), received_us, digest_of_line(line))


def admitted(
    evidence: Evidence, received_us: int | None = None, digest: int = 0
) -> Admitted | Quarantined:
    """What a line counts as.

    `received_us` is when it was ingested; without it (offline) nothing can be future-dated. ValueError
    if an anchor round lacks its counts.
    """
    offset = evidence.clock.offset
    has_clock = offset is not None and abs(offset) <= CLOCK_OFFSET_US_MAX
    at_us = evidence.at - (offset or 0)
    identity = ResultId(evidence.agent, evidence.epoch, evidence.stream, evidence.seq)
    if received_us is not None and at_us > received_us + FUTURE_US_MAX:
        ahead = at_us - received_us
        return Quarantined(identity, f"dated {ahead} us after it arrived; {FUTURE_US_MAX} allowed")
    if evidence.check == ANCHORS:
        return _anchor_round(evidence, identity, at_us if has_clock else None, digest)
    return Sample(
        evidence.agent,
        evidence.epoch,
        evidence.stream,
        evidence.seq,
        evidence.check,
        evidence.region,
        at_us,
        evidence.outcome if has_clock else Outcome.AGENT_ERROR,
        evidence.kind,
        evidence.took,
        digest,
    )


def _anchor_round(
    evidence: Evidence, identity: ResultId, at_us: int | None, digest: int
) -> AnchorRound | Quarantined:
    ok, total = evidence.ok, evidence.total
    if ok is None or total is None:
        raise ValueError("an anchor round needs `ok` and `total`, whole numbers")
    if not 0 <= ok <= total:
        raise ValueError(f"an anchor round needs 0 <= ok <= total, found ok {ok} of {total}")
    if at_us is None:
        return Quarantined(identity, "an anchor round without a usable clock says nothing")
    return AnchorRound(*_key(identity), at_us, ok, total, digest)


def _key(identity: ResultId) -> tuple[str, str, str, int]:
    return identity.agent, identity.epoch, identity.stream, identity.seq


def precedence(item: Admitted) -> tuple[int, int, int]:
    """The order among lines of one identity: the least is evaluated (S-2).

    Worst outcome first, then the smallest digest; event time only where digests are not known. An anchor
    round ranks as `up`.
    """
    outcome = item.outcome if isinstance(item, Sample) else Outcome.UP
    return -_SEVERITY[outcome], item.digest, item.at_us


def deduplicated(items: Iterable[Admitted]) -> list[Admitted]:
    """One item of each identity, whatever the order in which they come."""
    chosen: dict[tuple[str, str, str, int], Admitted] = {}
    for item in items:
        key = item[:4]
        other = chosen.get(key)
        if other is None or (item is not other and precedence(item) < precedence(other)):
            chosen[key] = item
    return list(chosen.values())


def distinct_samples(samples: Iterable[Sample]) -> list[Sample]:
    """One sample of each identity, in order of event time, epoch and number (S-2, S-6)."""
    found = [item for item in deduplicated(samples) if isinstance(item, Sample)]
    return sorted(found, key=sample_order)


def sample_order(sample: Sample | AnchorRound) -> tuple[int, str, int, str]:
    """Where a sample stands among those of its agent (S-6); the stream only breaks ties."""
    return sample.at_us, sample.epoch, sample.seq, sample.stream
