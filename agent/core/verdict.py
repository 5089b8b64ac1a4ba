"""The verdict: what an observation means for the check (S-4)."""

from typing import Final

import msgspec

from agent.core.assertions import Assertion
from agent.core.evaluation import evaluated
from agent.ports import Observation
from vedette.shared.definitions import Check, micros
from vedette.shared.failure import Failure
from vedette.shared.limits import DETAIL_CHARS_MAX
from vedette.shared.result import Outcome

_FAILED_SHOWN_MAX: Final = 3
_NOT_CONNECTED: Final = frozenset({
    Failure.CONNECT_REFUSED, Failure.CONNECT_TIMEOUT, Failure.UNREACHABLE,
})  # fmt: skip


class Verdict(msgspec.Struct, frozen=True):
    """Outcome, why, and the expectations one by one (none where the probe was not completed)."""

    outcome: Outcome
    kind: str | None = None
    detail: str | None = None
    expectations: tuple[Assertion, ...] = ()


def verdict(check: Check, seen: Observation) -> Verdict:
    """What `seen` means for `check`.

    A probe that was not completed is down, or agent_error where the agent is the reason; expectations
    are then not evaluated, because they would be judged on half of what they are about. The one exception
    is a port that nobody may reach: that it took no connection can be what is expected.
    """
    if seen.kind is not None:
        outcome = Outcome.AGENT_ERROR if seen.is_agent_fault else Outcome.DOWN
        if seen.kind in _NOT_CONNECTED and seen.variables.get("connected") is False:
            assertions = evaluated(check, seen.variables)
            if all(assertion.holds for assertion in assertions):
                return Verdict(Outcome.UP, detail=clipped(seen.detail), expectations=assertions)
        return Verdict(outcome, seen.kind, clipped(seen.detail))
    assertions = evaluated(check, seen.variables)
    failed = [a for a in assertions if not a.holds]
    if failed:
        return Verdict(
            Outcome.DOWN, _kind_of(failed[0], seen), clipped(_explained(failed)), assertions
        )
    limit = check.degraded_over
    if limit is not None and seen.took_us > micros(limit):
        detail = f"took {seen.took_us / 1000:.0f} ms, more than {limit}"
        return Verdict(Outcome.DEGRADED, None, detail, assertions)
    return Verdict(Outcome.UP, expectations=assertions)


def clipped(text: str | None) -> str | None:
    """`text` as one printable line within the bound of a line's detail: parts of it may be a target's."""
    if text is None:
        return None
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return line if len(line) <= DETAIL_CHARS_MAX else f"{line[: DETAIL_CHARS_MAX - 3]}..."


def _kind_of(assertion: Assertion, seen: Observation) -> Failure:
    """The kind of the first failure; a host that never answered is named so whatever was expected."""
    return Failure.NO_REPLY if seen.variables.get("received") == 0 else assertion.kind


def _explained(failed: list[Assertion]) -> str:
    shown = " | ".join(a.explained() for a in failed[:_FAILED_SHOWN_MAX])
    more = len(failed) - _FAILED_SHOWN_MAX
    return f"{shown} | and {more} more" if more > 0 else shown
