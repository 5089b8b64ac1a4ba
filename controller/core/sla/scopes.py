"""What a contract is about: one check, or several as one composite (S-49)."""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from vedette.shared.definitions import Check, Id
from vedette.shared.probes import Finding, Part

Members = Annotated[list[Id], Meta(max_length=1000)]
_WEIGHTS: Final = ("0", "1")


class KOfN(Part, frozen=True, kw_only=True):
    """Up while `k` of the checks are."""

    k: Annotated[int, Meta(ge=1)]
    of: Members


class Scope(Part, frozen=True, kw_only=True):
    """One of these. Several `checks` are a series: a service that needs all of them."""

    checks: Members = msgspec.field(default_factory=list)
    series: Members = msgspec.field(default_factory=list)
    parallel: Members = msgspec.field(default_factory=list)
    k_of_n: KOfN | None = None

    @property
    def members(self) -> list[str]:
        """The checks that it is about."""
        of = self.k_of_n.of if self.k_of_n else []
        return self.checks or self.series or self.parallel or of

    @property
    def needed(self) -> int:
        """How many of its members have to be up."""
        if self.k_of_n is not None:
            return self.k_of_n.k
        return 1 if self.parallel else len(self.members)

    def findings(self, checks: Mapping[str, Check]) -> list[Finding]:
        """What is wrong with it among the checks of its file."""
        said = [name for name in ("checks", "series", "parallel", "k_of_n") if getattr(self, name)]
        if len(said) != 1 or not self.members:
            expected = "one of checks, series, parallel and k_of_n, with at least one check"
            return [((), expected, " and ".join(said) or "none of them")]
        path: tuple[str, ...] = ("k_of_n", "of") if self.k_of_n else (said[0],)
        found: list[Finding] = []
        for place, name in enumerate(self.members):
            if name not in checks:
                found.append(((*path, place), "a check of this file", repr(name)))
            if name in self.members[:place]:
                found.append(((*path, place), "each check once", f"{name!r} again"))
        if self.k_of_n is not None and self.k_of_n.k > len(self.members):
            expected = f"at most as many as there are checks ({len(self.members)})"
            found.append((("k_of_n", "k"), expected, str(self.k_of_n.k)))
        weights = {n: checks[n].quorum.partial_weight for n in self.members if n in checks}
        for place, name in enumerate(self.members):
            if weights.get(name, "0") not in _WEIGHTS:
                expected = "a check whose partial_weight is 0 or 1: no other is computed into a contract yet"
                found.append(((*path, place), expected, weights[name]))
        if len(set(weights.values())) > 1:
            expected = (
                "checks of one partial_weight: PARTIAL time of the composite counts, or does not"
            )
            found.append((path, expected, ", ".join(f"{n}: {w}" for n, w in weights.items())))
        return found
