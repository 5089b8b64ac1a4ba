"""What a round of anchors says: how many answered, of those that can tell something here (S-10)."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from agent.ports import AnchorAnswer

ANY_FAMILY = "any"


@dataclass(frozen=True, slots=True)
class Round:
    """`ok` of `total` anchors answered; the same by address family, and those that did not."""

    ok: int
    total: int
    families: Mapping[str, tuple[int, int]]
    failed: tuple[str, ...]

    @property
    def is_bad(self) -> bool:
        """More than half of the anchors were out of reach."""
        return 2 * (self.total - self.ok) > self.total

    @property
    def facts(self) -> dict[str, Any]:
        """The `anchors` part of the line."""
        facts: dict[str, Any] = {
            family: {"ok": ok, "total": total} for family, (ok, total) in self.families.items()
        }
        return {**facts, "failed": list(self.failed)} if self.failed else facts


def round_of(answers: Sequence[AnchorAnswer], known: Set[str]) -> Round | None:
    """What these answers say, where the families `known` have worked before; None if nothing.

    An anchor that the site's policy or the agent itself kept from being asked says nothing. A family in
    which nothing has ever answered here is not this site's: it counts only as long as none has.
    """
    telling = [answer for answer in answers if not answer.says_nothing]
    working = known | families_of(telling)
    if working:
        telling = [a for a in telling if a.family == ANY_FAMILY or a.family in working]
    if not telling:
        return None
    families: dict[str, tuple[int, int]] = {}
    for answer in telling:
        ok, total = families.get(answer.family, (0, 0))
        families[answer.family] = (ok + (answer.kind is None), total + 1)
    failed = tuple(f"{answer.name}: {answer.kind}" for answer in telling if answer.kind is not None)
    ok = sum(ok for ok, _ in families.values())
    return Round(ok, len(telling), dict(sorted(families.items())), failed)


def families_of(answers: Sequence[AnchorAnswer]) -> Set[str]:
    """The address families in which something answered."""
    return {a.family for a in answers if a.kind is None and a.family != ANY_FAMILY}
