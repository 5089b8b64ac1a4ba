"""Runs: results of one agent that say the same one after another, and which of them made it certain (S-6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from controller.core.labels import Label, Said
from controller.core.samples import Sample
from vedette.shared.result import Outcome


@dataclass(frozen=True, slots=True)
class Run:
    """Successes, or failures, of one agent without another or a silence between them.

    `certain` is the result from which on it counted, all of it from its first: None while it does not.
    `is_after_silence`: what came before it is too old to be gone on from. `is_older` and `goes_on`: it may
    reach back before what was read, or on after it, so that there are `count` of them at least.
    """

    region: str
    agent: str
    is_down: bool
    from_us: int
    to_us: int
    count: int
    certain: Sample | None
    is_after_silence: bool
    is_older: bool = False
    goes_on: bool = False


def runs(
    said: Sequence[Said],
    freshness_us: int,
    *,
    is_cut_before: bool = False,
    is_cut_after: bool = False,
) -> list[Run]:
    """The runs of one agent's judged samples, in order of time.

    `is_cut_before`, `is_cut_after`: there may be samples before and after these.
    """
    found: list[Run] = []
    start = 0
    for index in range(1, len(said) + 1):
        if index == len(said) or _parts(said[index - 1], said[index], freshness_us):
            found.append(_run(said, start, index, freshness_us))
            start = index
    if found and is_cut_before:
        found[0] = replace(found[0], is_older=True)
    if found and is_cut_after:
        found[-1] = replace(found[-1], goes_on=True)
    return found


def _parts(one: Said, other: Said, freshness_us: int) -> bool:
    """They are of different runs."""
    return _is_silent(one, other, freshness_us) or _is_down(one) is not _is_down(other)


def _is_silent(one: Said, other: Said, freshness_us: int) -> bool:
    return other.sample.at_us - one.sample.at_us >= freshness_us


def _is_down(one: Said) -> bool:
    return one.sample.outcome is Outcome.DOWN


def _run(said: Sequence[Said], start: int, end: int, freshness_us: int) -> Run:
    own = said[start:end]
    first, last = own[0], own[-1]
    is_down = _is_down(first)
    says_so = (first.label is Label.DOWN) is is_down and first.label is not Label.NONE
    # What counts from the first is certain where the sample of that instant had come.
    certain = next((one.sample for one in own if one.sample.at_us >= first.confirmed_us), None)
    return Run(
        region=first.sample.region,
        agent=first.sample.agent,
        is_down=is_down,
        from_us=first.sample.at_us,
        to_us=last.sample.at_us,
        count=len(own),
        certain=certain if says_so else None,
        is_after_silence=start > 0 and _is_silent(said[start - 1], first, freshness_us),
    )
