"""The records of a contract over a period, as plain data: what is compared with those of the program."""

from dataclasses import dataclass, replace
from fractions import Fraction

from tests.property.sla_oracle.calendar import DAY, MINUTE, day_of, period
from tests.property.sla_oracle.money import Loss, cost, credit, days, shown
from tests.property.sla_oracle.painting import (
    Bit,
    bits,
    carry,
    count,
    covers,
    edges_of,
    members,
    paint,
    take,
)
from tests.property.sla_oracle.sums import NAMES, Sums, denominator, policy_of
from tests.property.sla_oracle.terms import (
    Part,
    Piece,
    Plain,
    Version,
    instant,
    micros,
    parts,
    share,
    versions,
)

HOUR = 60 * MINUTE
WINDOWS = {"5m": 5 * MINUTE, "1h": HOUR, "1d": DAY, "7d": 7 * DAY}
POLICIES = ("exclude", "as_up", "as_down", "carry")
ALERTS = (
    ("page", Fraction("14.4"), HOUR, 5 * MINUTE), ("page", Fraction(6), 6 * HOUR, 30 * MINUTE),
    ("ticket", Fraction(3), DAY, 2 * HOUR), ("ticket", Fraction(1), 3 * DAY, 6 * HOUR),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What records are computed from: plain data, a label of a period, and up to when facts count."""

    fleet: Plain
    document: Plain
    contract: str
    label: str
    as_of: int | None = None


@dataclass(frozen=True)
class Given:
    """What a period was credited so far: money as shown, and days."""

    money: Fraction = Fraction(0)
    days: int = 0


@dataclass(frozen=True)
class Scene:
    """A case with its period found and its bits painted for one version."""

    case: Case
    held: list[Version]
    period: tuple[int, int]
    as_of: int
    bits: list[Bit]
    said: Plain

    @property
    def tz(self) -> str:
        """The zone of the contract."""
        return str(self.held[0].terms["period"].get("tz", "UTC"))

    def sums(self, part: Part, pieces: tuple[Piece, ...], until: int, since: int = 0) -> Sums:
        """Pieces of a part, summed up from an instant until another."""
        spans = sorted(span for piece in pieces for span in piece.spans)
        cut = [(max(a, since), min(b, until)) for a, b in spans]
        cut = [one for one in cut if one[0] < one[1]]
        own = [bit for bit in self.bits if bit.lies_in(cut)]
        length = denominator(cut, part.version.terms, self.period, self.held[0].from_us)
        if since:
            length = sum(b - a for a, b in cut)
        clauses = part.version.terms.get("exclusions", {})
        return Sums(own, clauses, part.objective, length)


def records(case: Case) -> list[Plain]:
    """A record for each objective and each part of the period."""
    contracts = [one for one in case.fleet["contracts"] if one["id"] == case.contract]
    when = period(case.label, contracts[0]["period"].get("tz", "UTC"))
    held = versions(case.fleet, case.contract, when)
    as_of = when[1] if case.as_of is None else case.as_of
    names = dict.fromkeys(one["id"] for c in contracts for one in c.get("objectives", ()))
    found: list[Plain] = []
    spent = Given()
    for name in names:
        listed = parts(held, name)
        scenes = [_scene(case, held, when, as_of, part, listed) for part in listed]
        shares = [
            s.sums(p, p.pieces, when[1]).eligible("as_up")
            for s, p in zip(scenes, listed, strict=True)
        ]
        for scene, part, own in zip(scenes, listed, shares, strict=True):
            if part.spans[0][0] >= as_of and part is not listed[0]:
                continue
            fee_share = Fraction(own, sum(shares)) if sum(shares) else Fraction(0)
            record, worth = _record(scene, part, fee_share, spent)
            found.append(record)
            spent = Given(spent.money + worth.money, spent.days + worth.days)
    return found


def _scene(
    case: Case, held: list[Version], when: tuple[int, int], as_of: int, part: Part, listed: list[Part]
) -> Scene:  # fmt: skip
    terms, scope = part.version.terms, part.version.terms["scope"]
    # Facts are cut where somebody asks as of an instant within the period.
    known_us = as_of if as_of < when[1] else 1 << 61
    painted = bits(case.document, scope, edges_of(case.fleet, held, listed, when), known_us)
    tz = terms["period"].get("tz", "UTC")
    checks = {one["id"]: one for one in case.fleet["checks"]}
    weight = checks[members(scope)[0][0]].get("quorum", {}).get("partial_weight", "0")
    count(painted, part.version, counts_partial=weight == "1")
    said = part.objective.get("unknown", "exclude")
    longest = micros(said[6:-1]) if said.startswith("carry") else None
    painted = carry(painted, longest, when[0])
    inside = [bit for bit in painted if when[0] <= bit.from_us and bit.to_us <= when[1]]
    in_force = held[0].from_us, when[1]
    paint(inside, part.version, in_force, tz)
    own = [
        one
        for one in case.fleet.get("exclusions", [])
        if covers(one, case.fleet, scope) and instant(one["from"]) < when[1] and instant(one["to"]) > when[0]
    ]  # fmt: skip
    taken, states = take(inside, own, terms.get("exclusions", {}))
    return Scene(case, held, when, as_of, taken, states)


def _target(scene: Scene, part: Part) -> tuple[Fraction, str]:
    """The target and how it is written; of several pieces the mean by eligible time (S-32)."""
    plain = share(part.pieces[0].target)
    if len(part.pieces) == 1:
        return plain, part.pieces[0].target
    policy = policy_of(part.objective)
    each = [
        (share(p.target), scene.sums(part, (p,), scene.as_of).eligible(policy)) for p in part.pieces
    ]
    total = sum(eligible for _, eligible in each)
    found = sum((t * e for t, e in each), Fraction(0)) / total if total else plain
    digits = str(int(found * 10**11)).rjust(12, "0")
    return found, f"{int(digits[:-9])}.{digits[-9:]}".rstrip("0").rstrip(".")


def percent(figure: Fraction | None, target: str) -> str | None:
    """A share cut to three decimals or as many as the target has (S-42)."""
    if figure is None:
        return None
    digits = max(3, len(target.split(".")[1]) if "." in target else 0)
    text = str(int(figure * 100 * 10**digits)).rjust(digits + 1, "0")
    return text[:-digits] + "." + text[-digits:]


def ratio(figure: Fraction | None) -> Plain | None:
    """A share as it stands in a record."""
    return None if figure is None else {"num": figure.numerator, "den": figure.denominator}


def _given(terms: Plain, loss: Loss, spent: Given) -> tuple[Given, Plain]:
    """What a breach is worth, in money or in days, and how it stands in a record."""
    if "extension" in terms:
        added = days(terms["extension"], loss, spent.days)
        return Given(days=added), {"amount": "0", "currency": None, "days": added}
    amount = credit(terms, loss, spent.money)
    currency = terms["currency"]
    return Given(amount), {"amount": shown(amount, currency), "currency": currency}


def _record(scene: Scene, part: Part, fee_share: Fraction, spent: Given) -> tuple[Plain, Given]:
    sums, whole = (scene.sums(part, part.pieces, end) for end in (scene.as_of, scene.period[1]))
    policy = policy_of(part.objective)
    target, text = _target(scene, part)
    figure, down = sums.attainment("figure", policy), sums.down("figure", policy)
    budget = (1 - target) * whole.eligible(policy, unknown=sums.unknown(policy))
    outages = _outages(scene, part, sums)
    terms, hull = part.version.terms, (part.spans[0][0], part.spans[-1][1])
    is_breached = sums.standing("figure", target) == "breached"
    worth, money = Given(), None
    if "credits" in terms:
        days_lost = [(day_of(start, scene.tz), downtime) for start, _, downtime in outages]
        loss = Loss(
            part.objective["id"], figure, is_breached, down, fee_share, days_lost, sums.counted("figure"), scene.tz
        )  # fmt: skip
        worth, money = _given(terms["credits"], loss, spent)
    lengths = [end - start for start, end, _ in outages if end is not None]
    count = len(outages)
    eligible = sums.eligible(policy)
    ends = [min(b, scene.as_of) for a, b in part.spans if a < scene.as_of]
    to_us = max(ends, default=hull[0])
    return {
        "contract": scene.case.contract, "revision": part.version.number, "objective": part.objective["id"],
        "period": {"from": hull[0], "to": to_us, "ends": hull[1]},
        "target": text,
        **{name.lower(): sums.verdict(name) for name in NAMES},
        "excluded": sums.excluded, "out_of_schedule": sums.out_of_schedule,
        "eligible": eligible, "downtime": down,
        "downtime_min": sums.down("low", policy), "downtime_max": sums.down("high", policy),
        "attainment": ratio(figure), "attainment_shown": percent(figure, text),
        "coverage": ratio(sums.coverage),
        "verdict": sums.standing("figure", target),
        "robustness": "robust" if sums.is_robust(target) else "marginal",
        "budget": budget // 1, "budget_left": (budget - down) // 1,
        "variants": {
            p: {"attainment": ratio(sums.attainment("figure", p)), "attainment_shown": percent(sums.attainment("figure", p), text)}
            for p in POLICIES
        },
        "outages": count,
        "mttr": sum(lengths) // len(lengths) if lengths else None,
        "mtbf": max(eligible - down, 0) // count if count else None,
        "mtbsi": eligible // count if count else None,
        "worst": _worst(sums),
        "burn": None if to_us >= hull[1] or not ends else _burn(scene, part, target, budget),
        "exclusions": [
            {"id": one["id"], "status": scene.said[one["id"]], "applied": _applied(sums, one["id"])}
            for one in scene.case.fleet["exclusions"]
            if one["id"] in scene.said and instant(one["from"]) < hull[1] and instant(one["to"]) > hull[0]
        ],
        "credits": money,
        "cost": None if "cost" not in terms else cost(
            terms["cost"], sums.counted("figure"), sums.total(lambda _: True), scene.tz
        ),
        "grades": [g["action"] for g in terms.get("grades", ()) if figure is not None and figure < share(g["below"])],
    }, worth  # fmt: skip


def _applied(sums: Sums, name: str) -> int:
    """What an exclusion took: of everything, or of downtime only."""
    own = [bit for bit in sums.bits if bit.taker is not None and bit.taker["id"] == name]
    return sum(b.length for b in own if sums.is_wholly_dropped(b) or sums.is_forgiven(b))


def _outages(scene: Scene, part: Part, sums: Sums) -> list[tuple[int, int | None, int]]:
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


def _worst(sums: Sums) -> Plain:
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


def _burn(scene: Scene, part: Part, target: Fraction, budget: Fraction) -> Plain:
    """Alerts and the course of a part that is not over (S-44, S-45)."""
    policy = policy_of(part.objective)

    def spent(length: int) -> tuple[int, int]:
        sums = _cut(scene, length).sums(part, part.pieces, scene.as_of, scene.as_of - length)
        return sums.down("figure", policy), sums.eligible(policy)

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
    used = sums.down("figure", policy)
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
