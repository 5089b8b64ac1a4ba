"""What happened when in a part of a period: its outages, its worst windows, and where it is going."""

from dataclasses import replace
from fractions import Fraction

from tests.property.sla_oracle.calendar import DAY, MINUTE
from tests.property.sla_oracle.painting import (
    Bit,
    bits,
    members,
)
from tests.property.sla_oracle.samples import Sampled, good_share, is_sampled
from tests.property.sla_oracle.scene import Scene, ratio
from tests.property.sla_oracle.sums import Sums, policy_of
from tests.property.sla_oracle.terms import (
    Part,
    Plain,
)

HOUR = 60 * MINUTE
WINDOWS = {"5m": 5 * MINUTE, "1h": HOUR, "1d": DAY, "7d": 7 * DAY}
ALERTS = (
    ("page", Fraction("14.4"), HOUR, 5 * MINUTE), ("page", Fraction(6), 6 * HOUR, 30 * MINUTE),
    ("ticket", Fraction(3), DAY, 2 * HOUR), ("ticket", Fraction(1), 3 * DAY, 6 * HOUR),
)  # fmt: skip


def outages_of(scene: Scene, part: Part, sums: Sums) -> list[tuple[int, int | None, int]]:
    """(start, end if it is known, counted downtime) of the outages that begin in a part and count (S-46)."""
    names, _ = members(part.version.terms["scope"])
    if len(names) == 1:
        outages = scene.case.document["checks"][names[0]]["outages"]
        listed = [(one["started_at"], one["ended_at"]) for one in outages]
    else:
        listed = _composite_outages(scene, part)
    found: list[tuple[int, int | None, int]] = []
    for start, end in sorted(listed):
        ended = end if end is not None and _is_seen_after(scene, part, end) else None
        own = [
            b
            for b in sums.counted("figure")
            if b.from_us >= start and (end is None or b.to_us <= end)
        ]
        begins = any(a <= start < min(b, scene.as_of) for a, b in part.spans)
        if own and begins:
            found.append((start, ended, sum(b.length for b in own)))
    return found


def _is_seen_after(scene: Scene, part: Part, at_us: int) -> bool:
    """By the instant that is asked for, something known has followed."""
    if scene.as_of >= scene.period[1]:
        return True
    painted = bits(scene.case.document, part.version.terms["scope"], {at_us}, scene.as_of)
    return any(bit.from_us >= at_us and bit.verdicts["figure"] != "UNKNOWN" for bit in painted)


def _composite_outages(scene: Scene, part: Part) -> list[tuple[int, int | None]]:
    """The DOWN times of a composite, each by itself; without an end while nothing known has followed."""
    known_us = scene.as_of if scene.as_of < scene.period[1] else 1 << 61
    runs: list[tuple[str, int, int]] = []
    for bit in bits(scene.case.document, part.version.terms["scope"], set(), known_us):
        verdict = bit.verdicts["figure"]
        if runs and runs[-1][0] == verdict:
            runs[-1] = verdict, runs[-1][1], bit.to_us
        else:
            runs.append((verdict, bit.from_us, bit.to_us))
    known = [a for verdict, a, _ in runs if verdict != "UNKNOWN"]
    return [(a, b if max(known) >= b else None) for v, a, b in runs if v == "DOWN"]


def worst_of(sums: Sums) -> Plain:
    """The worst window of each length that fits (S-41), by trying every one that begins or ends at an edge."""
    down = sums.counted("figure")
    total = sums.total(lambda _: True)
    found: Plain = {}
    for name, length in WINDOWS.items():
        if length > total:
            continue
        starts = {b.from_us for b in down} | {b.to_us - length for b in down}
        most = max(
            (
                sum(max(min(b.to_us, at + length) - max(b.from_us, at), 0) for b in down)
                for at in starts
            ),
            default=0,
        )
        found[name] = ratio(1 - Fraction(most, length))
    return found


def sampled_share(scene: Scene, part: Part, sums: Sums) -> Fraction | None:
    """The share of samples, slices or days that were good."""
    is_cut = scene.as_of < part.spans[-1][1]
    ends = [min(b, scene.as_of) for a, b in part.spans if a < scene.as_of]
    until = max(ends) if is_cut and ends else None
    scope = part.version.terms["scope"]
    return good_share(Sampled(sums, scene.case.document, scope, scene.period, scene.tz, until))


def lost_in(scene: Scene, part: Part, sums: Sums) -> Fraction:
    """What of the eligible time is lost: downtime, or as much of it as there were bad samples among all."""
    policy = policy_of(part.objective)
    if not is_sampled(part.objective):
        return Fraction(sums.down("figure", policy))
    figure = sampled_share(scene, part, sums)
    return Fraction(0) if figure is None else (1 - figure) * sums.eligible(policy)


def burn_of(scene: Scene, part: Part, target: Fraction, budget: Fraction) -> Plain:
    """Alerts and the course of a part that is not over (S-44, S-45)."""
    policy = policy_of(part.objective)

    def spent(length: int) -> tuple[Fraction, int]:
        sums = _cut(scene, length).sums(part, part.pieces, scene.as_of, scene.as_of - length)
        return lost_in(scene, part, sums), sums.eligible(policy)

    found: list[Plain] = []
    for urgency, factor, long, short in ALERTS:
        rates = []
        for length in (long, short):
            down, eligible = spent(length)
            if eligible > 0 and target < 1:
                rates.append(Fraction(down, eligible) / (1 - target))
        if len(rates) == 2 and min(rates) >= factor:
            found.append(
                {"urgency": urgency, "long": long, "short": short, "rate": ratio(rates[0])}
            )
    sums = scene.sums(part, part.pieces, scene.as_of)
    used = lost_in(scene, part, sums)
    down, eligible = spent(6 * HOUR)
    course, at = "on_track", None
    if used > budget:
        course = "irrecoverable"
    elif down > 0 and eligible > 0:
        now = min(scene.as_of, part.spans[-1][1])
        at = now + (budget - used) / Fraction(down, eligible) // 1
        is_fast = target >= 1 or Fraction(down, eligible) > 1 - target
        course = "at_risk" if is_fast else "on_track"
        if at < part.spans[-1][1]:
            course = "will_breach"
    return {"alerts": found, "course": course, "exhausted_at": at}


def _cut(scene: Scene, length: int) -> Scene:
    """The scene with a cut at the beginning of the last so much time."""
    at = scene.as_of - length
    found: list[Bit] = []
    for bit in scene.bits:
        if bit.from_us < at < bit.to_us:
            found += [replace(bit, to_us=at), replace(bit, from_us=at)]
        else:
            found.append(bit)
    return replace(scene, bits=found)
