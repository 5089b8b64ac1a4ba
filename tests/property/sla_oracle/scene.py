"""A case with its period found and its bits painted: what records are made from."""

from dataclasses import dataclass
from fractions import Fraction

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
from tests.property.sla_oracle.sums import Sums, denominator
from tests.property.sla_oracle.terms import (
    Part,
    Piece,
    Plain,
    Version,
    instant,
    micros,
)


@dataclass(frozen=True)
class Case:
    """What records are computed from: plain data, a label of a period, and up to when facts count."""

    fleet: Plain
    document: Plain
    contract: str
    label: str
    as_of: int | None = None


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


def scene_of(
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


def ratio(figure: Fraction | None) -> Plain | None:
    """A share as it stands in a record."""
    return None if figure is None else {"num": figure.numerator, "den": figure.denominator}
