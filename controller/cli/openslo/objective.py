"""One objective of an SLO as an objective of a contract, where there is an equal."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from controller.cli.openslo.documents import decimal_text, number
from controller.cli.openslo.windows import length_of
from vedette.shared.documents import Path
from vedette.shared.durations import Duration

_SOURCE: Final = "Vedette"
_DECIMALS_MAX: Final = 9
# What our own exports say of how their metric is read.
_OWN: Final = ("min_coverage", "unknown", "empty", "formula", "mode", "n")


class Unmapped(ValueError):
    """No contract says this; `path` is where in the objective it stands."""

    def __init__(self, what: str, *path: str) -> None:
        super().__init__(what)
        self.path: Path = path


def objective_of(
    spec: Mapping[str, Any],
    objective: Mapping[str, Any],
    indicator: Mapping[str, Any],
    source: Mapping[str, Any],
) -> dict[str, Any]:
    """The objective without its id. Unmapped in words if it has no equal."""
    target = {"target": _percent(objective)}
    method = spec["budgetingMethod"]
    own = source.get("spec") if source.get("type") == _SOURCE else None
    ours = {key: own[key] for key in _OWN if key in own} if isinstance(own, dict) else {}
    if "composite" in objective or "indicator" in objective:
        raise Unmapped(
            "a composite is a scope of a contract here: series, parallel, k_of_n or weighted"
        )
    if "thresholdMetric" in indicator:
        return {
            "metric": "latency",
            "threshold": _threshold(method, objective, own),
            **target,
            **ours,
        }
    if "ratioMetric" not in indicator:
        raise Unmapped("its indicator is not among the documents, or says no metric")
    if isinstance(indicator["ratioMetric"], dict) and "raw" in indicator["ratioMetric"]:
        raise Unmapped("a ratio that is computed elsewhere cannot be computed again")
    if method == "Occurrences":
        return {"formula": "request", **target, **ours}
    if "formula" in ours:
        return {**target, **ours}
    sliced = {"formula": "ratio_timeslices"}
    if method == "Timeslices":
        share = number(objective.get("timeSliceTarget"))
        if share is None or not 0 <= share <= 1:
            raise Unmapped("expected a share from 0 to 1", "timeSliceTarget")
        percent = _decimal(share * 100, "timeSliceTarget")
        sliced = {"formula": "timeslices", "slice_target": percent}
    return {**sliced, "slice": _slice(objective), **target, **ours}


def _percent(objective: Mapping[str, Any]) -> str:
    if "target" in objective:
        value = number(objective["target"])
        assert value is not None, "documents are refused where it is none"
        return _decimal(value * 100, "target")
    value = number(objective["targetPercent"])
    assert value is not None, "as above"
    return _decimal(value, "targetPercent")


def _decimal(value: Fraction, where: str) -> str:
    if (value * 10**_DECIMALS_MAX).denominator != 1:
        raise Unmapped(f"a percentage has {_DECIMALS_MAX} decimals at most here", where)
    return decimal_text(value)


def _threshold(method: str, objective: Mapping[str, Any], own: Any) -> str:
    """The longest that is good. The unit of a metric is known of our own only."""
    if method != "Occurrences":
        raise Unmapped(f"a threshold counts samples here, not {method}")
    if not isinstance(own, dict) or own.get("measure") != "seconds":
        raise Unmapped("a threshold on a metric of another source, whose unit is not said")
    if objective.get("op") != "lte":
        raise Unmapped("exactly the threshold is good here: op lte", "op")
    value = number(objective.get("value"))
    if value is None or value <= 0 or (value * 1_000_000).denominator != 1:
        raise Unmapped("expected a time in seconds, of whole microseconds", "value")
    return str(Duration(value * 1_000_000))


def _slice(objective: Mapping[str, Any]) -> str:
    said = objective.get("timeSliceWindow")
    # A plain number counts minutes.
    text = f"{said}m" if isinstance(said, int) and not isinstance(said, bool) else str(said)
    length = length_of(text)
    if length is None:
        raise Unmapped("expected a length such as 5m or 1h", "timeSliceWindow")
    return length
