"""What a contract is about: one check, or several as one composite (S-49)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from controller.core.sla.money.money import exact_text
from vedette.shared.definitions import Check, Id
from vedette.shared.probes import Finding, Part

Members = Annotated[list[Id], Meta(max_length=1000)]
Weight = Annotated[
    str,
    Meta(pattern=r"^(0|1)(\.[0-9]{1,9})?$", description='a weight in quotes, a share of 1: "0.5"'),
]
_KINDS: Final = ("checks", "series", "parallel", "k_of_n", "weighted")


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
    weighted: Annotated[dict[Id, Weight], Meta(max_length=1000)] = msgspec.field(
        default_factory=dict
    )

    @property
    def members(self) -> list[str]:
        """The checks that it is about."""
        of = self.k_of_n.of if self.k_of_n else []
        return self.checks or self.series or self.parallel or of or list(self.weighted)

    @property
    def weights(self) -> Mapping[str, Fraction]:
        """What each member of a weighted composite weighs; empty for any other."""
        return {name: Fraction(text) for name, text in self.weighted.items()}

    @property
    def pools_samples(self) -> bool:
        """The samples of its members can be counted together, or weighted: it needs all of them."""
        return not self.parallel and self.k_of_n is None

    @property
    def needed(self) -> int:
        """How many of its members have to be up."""
        if self.k_of_n is not None:
            return self.k_of_n.k
        return 1 if self.parallel else len(self.members)

    def findings(self, checks: Mapping[str, Check]) -> list[Finding]:
        """What is wrong with it among the checks of its file."""
        said = [name for name in _KINDS if getattr(self, name)]
        if len(said) != 1 or not self.members:
            expected = f"one of {', '.join(_KINDS[:-1])} and {_KINDS[-1]}, with at least one check"
            return [((), expected, " and ".join(said) or "none of them")]
        path: tuple[str, ...] = ("k_of_n", "of") if self.k_of_n else (said[0],)
        found: list[Finding] = []
        for place, name in enumerate(self.members):
            where = (*path, name if self.weighted else place)
            if name not in checks:
                found.append((where, "a check of this file", repr(name)))
            if name in self.members[:place]:
                found.append((where, "each check once", f"{name!r} again"))
        if self.k_of_n is not None and self.k_of_n.k > len(self.members):
            expected = f"at most as many as there are checks ({len(self.members)})"
            found.append((("k_of_n", "k"), expected, str(self.k_of_n.k)))
        return found + self._weight_findings()

    def _weight_findings(self) -> list[Finding]:
        """What is wrong with the weights of its members."""
        if not self.weighted:
            return []
        found: list[Finding] = []
        for name, text in self.weighted.items():
            if not Fraction(text):
                found.append((("weighted", name), "a weight above 0", repr(text)))
        total = sum(self.weights.values(), Fraction(0))
        if total != 1:
            expected = "weights that sum to exactly 1"
            found.append((("weighted",), expected, exact_text(total)))
        return found
