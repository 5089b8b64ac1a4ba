"""What follows from several periods (S-50): the right to terminate, what is earned back, the cap of a year.

Records are about one period each, so that they can be recomputed from its evidence alone; this is computed
from records of periods that follow one another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from controller.core.sla.money.credits import EarnBack
from controller.core.sla.money.money import exact_text, rounded
from controller.core.sla.terms.contracts import Termination

Record = Mapping[str, Any]
_UNJUDGED: Final = ("insufficient_evidence", "no_eligible_time")


@dataclass(frozen=True, slots=True)
class Past:
    """A period of a contract, its end, and its records. `is_over`: the facts reach to its end."""

    label: str
    ends_us: int
    is_over: bool
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Link:
    """A period in a chain: attainment of all its segments together, and whether it is below the bound.

    `share` is None where the period is not judged, which breaks a chain: a right needs evidence.
    """

    label: str
    ends_us: int
    share: Fraction | None
    is_below: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """The periods that run up to the last one. The right arises at the end of the one that completes it."""

    objective: str
    terms: Termination
    links: tuple[Link, ...]

    @property
    def count(self) -> int:
        """How many periods running, up to the last, are below the bound."""
        count = 0
        for link in reversed(self.links):
            if not link.is_below:
                break
            count += 1
        return count

    @property
    def arose_us(self) -> int | None:
        """When the right arose, if the last periods make a chain; None if they do not."""
        count = self.count
        if count < self.terms.periods:
            return None
        return self.links[len(self.links) - count + self.terms.periods - 1].ends_us

    @property
    def plain(self) -> dict[str, Any]:
        """As it stands in a document."""
        return {
            "objective": self.objective,
            "below": self.terms.below,
            "periods": self.terms.periods,
            "count": self.count,
            "arose_at": self.arose_us,
            "chain": [
                {
                    "label": one.label,
                    "attainment": None if one.share is None else _ratio(one.share),
                    "below": one.is_below,
                }
                for one in self.links
            ],
        }


def chains(terms: Termination, objectives: Iterable[str], pasts: Sequence[Past]) -> list[Chain]:
    """The chain of each objective that the right is about, from periods one after another.

    A period that is not over is no link yet, whatever it has come to so far.
    """
    over = [one for one in pasts if one.is_over]
    names = [terms.objective] if terms.objective is not None else list(objectives)
    return [Chain(name, terms, tuple(_link(terms, name, one) for one in over)) for name in names]


def _link(terms: Termination, objective: str, past: Past) -> Link:
    share = attained(objective, past.records)
    return Link(past.label, past.ends_us, share, share is not None and share < terms.below_share)


def attained(objective: str, records: Iterable[Record]) -> Fraction | None:
    """Attainment of an objective over all segments of a period; None where one of them is not judged."""
    own = [one for one in records if one["objective"] == objective]
    if not own or any(one["verdict"] == "insufficient_evidence" for one in own):
        return None
    judged = [one for one in own if one["verdict"] not in _UNJUDGED]
    shares = [(_share(one), Fraction(one["eligible"])) for one in judged]
    weight = sum((each for _, each in shares), Fraction(0))
    if not weight:
        return None
    return sum((share * each for share, each in shares), Fraction(0)) / weight


def _share(record: Record) -> Fraction:
    found = record["attainment"]
    return Fraction(found["num"], found["den"])


@dataclass(frozen=True, slots=True)
class EarnedBack:
    """What became of a part of the pool that was taken: given back, lost for good, or still open."""

    standing: str
    steps: tuple[str, ...]


def earned_back(terms: EarnBack, objective: str, later: Sequence[Past]) -> EarnedBack:
    """Whether what an objective lost is earned back by the periods after it, in order.

    It has to be met in each of the next `terms.periods`; one that is missed, or not judged, ends it.
    """
    steps: list[str] = []
    for number, past in enumerate(later[: terms.periods], 1):
        if not past.is_over:
            break
        verdicts = {one["verdict"] for one in past.records if one["objective"] == objective}
        is_met = verdicts == {"met"}
        said = "met" if is_met else ", ".join(sorted(verdicts)) or "not agreed on"
        steps.append(
            f"{past.label}: {objective} {said.replace('_', ' ')}, period {number} of {terms.periods}"
        )
        if not is_met:
            return EarnedBack("lost", (*steps, "what was taken is not given back"))
    if len(steps) == terms.periods:
        return EarnedBack("earned_back", (*steps, "what was taken is given back"))
    return EarnedBack("open", (*steps, f"{terms.periods - len(steps)} more to be met"))


@dataclass(frozen=True, slots=True)
class Capped:
    """An amount under the cap of a year, and how that came about."""

    amount: Fraction
    steps: tuple[str, ...]


def capped_by_year(
    cap: str, amount: Fraction, earlier: Sequence[tuple[str, Fraction]], currency: str
) -> Capped:
    """`amount` as far as what was credited for earlier periods of the same year leaves some of the cap."""
    before = sum((each for _, each in earlier), Fraction(0))
    left = max(Fraction(cap) - before, Fraction(0))
    named = ", ".join(f"{label} {exact_text(each)}" for label, each in earlier if each) or "nothing"
    steps = [
        f"cap of the year {cap} {currency}; credited in it before: {named}; left {exact_text(left)}"
    ]
    if amount <= left:
        return Capped(amount, tuple(steps))
    shown = Fraction(rounded(left, currency))
    steps.append(f"capped to what is left of the year: {exact_text(shown)} {currency}")
    return Capped(shown, tuple(steps))


def credited_in(records: Iterable[Record]) -> Fraction:
    """The money that the records of a period credit, as it is shown."""
    return sum(
        (Fraction(one["credits"]["amount"]) for one in records if one["credits"]), Fraction(0)
    )


def _ratio(share: Fraction) -> dict[str, int]:
    return {"num": share.numerator, "den": share.denominator}
