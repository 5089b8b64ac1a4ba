"""A fleet file as plain data, read without the program: versions of a contract, seasons, lengths, instants."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.property.sla_oracle.calendar import EPOCH, MICROSECOND

UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
TYPES = (
    "suspension", "force_majeure", "customer_fault", "third_party", "scheduled", "emergency",
)  # fmt: skip
Plain = dict[str, Any]


def micros(text: str) -> int:
    """A length such as 90s."""
    number = text.rstrip("mshd")
    return int(number) * UNITS[text[len(number) :]]


def instant(said: str | int) -> int:
    """An instant as a fleet file says it."""
    if isinstance(said, int):
        return said
    return (datetime.fromisoformat(said) - EPOCH) // MICROSECOND


def share(percent: str) -> Fraction:
    """A percentage as a share of 1."""
    return Fraction(percent.rstrip("%")) / 100


@dataclass(frozen=True)
class Version:
    """A version of a contract, written out, with its number and when it is in force."""

    terms: Plain
    number: int
    from_us: int
    to_us: int

    def objective(self, name: str) -> Plain | None:
        """The objective of that name, if it has it."""
        return next((one for one in self.terms["objectives"] if one["id"] == name), None)


def versions(fleet: Plain, name: str, period: tuple[int, int]) -> list[Version]:
    """The versions that are in force within a period, in order (S-32)."""
    said: Plain = {}
    whole: list[Plain] = []
    for item in fleet["contracts"]:
        if item["id"] == name:
            said = {**said, **item}
            whole.append(said)
    found: list[Version] = []
    for place, terms in enumerate(whole):
        from_us = max(instant(terms["effective_from"]), period[0])
        to_us = period[1]
        if place + 1 < len(whole):
            to_us = min(instant(whole[place + 1]["effective_from"]), to_us)
        if from_us < to_us:
            found.append(Version(terms, place + 1, from_us, to_us))
    if found and found[-1].terms.get("amendments", "segmented") == "next_period":
        first = found[0]
        return [Version(first.terms, first.number, first.from_us, period[1])]
    return found


@dataclass(frozen=True)
class Piece:
    """A target and the times over which it was promised."""

    target: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Part:
    """What gets a record of its own: one piece, or several where their targets are blended."""

    version: Version
    objective: Plain
    pieces: tuple[Piece, ...]

    @property
    def spans(self) -> list[tuple[int, int]]:
        """All its times, in order."""
        return sorted(span for piece in self.pieces for span in piece.spans)


def parts(held: list[Version], name: str) -> list[Part]:
    """The parts of a period that are judged by themselves, by when they begin."""
    found: list[Part] = []
    for version in held:
        objective = version.objective(name)
        if objective is None:
            continue
        seasons = [
            (instant(one["from"]), instant(one["to"]), one["target"])
            for one in version.terms.get("overlays", [])
            if one["objective"] == name
        ]
        edges = {version.from_us, version.to_us}
        edges |= {e for s in seasons for e in s[:2] if version.from_us < e < version.to_us}
        line = sorted(edges)
        by_season: dict[int, list[tuple[int, int]]] = {}
        for span in pairwise(line):
            inside = [n for n, s in enumerate(seasons) if s[0] <= span[0] < s[1]]
            by_season.setdefault(inside[0] if inside else -1, []).append(span)
        for season, spans in sorted(by_season.items()):
            target = objective["target"] if season < 0 else seasons[season][2]
            found.append(Part(version, objective, (Piece(target, tuple(spans)),)))
    if found and held[-1].terms.get("amendments") == "blended":
        last = max(found, key=lambda one: one.version.number)
        return [Part(last.version, last.objective, tuple(p for one in found for p in one.pieces))]
    return sorted(found, key=lambda one: (one.spans[0][0], one.spans[-1][1]))
