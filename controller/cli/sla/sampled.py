"""What a record says of samples, and of the members of a weighted composite, as people read it."""

from collections.abc import Iterator
from typing import Any

from controller.cli.output import length


def sample_lines(record: dict[str, Any]) -> Iterator[str]:
    """What was counted, how long answers took, and what each member adds."""
    yield from _counted(record)
    for check, own in record.get("samples_of", {}).items():
        yield from (f"{check}: {line}" for line in _counted(own))
    for one in record.get("members", ()):
        yield f"{one['check']} weighs {_percent(one['weight'])}: {_percent(one['attainment'])}"


def _counted(said: dict[str, Any]) -> Iterator[str]:
    if "samples" in said:
        yield f"{said['samples']['good']} of {said['samples']['valid']} samples are good"
    if "slices" in said:
        slices = said["slices"]
        yield f"{slices['counted']} slices count, {slices['silent']} had no samples"
    if "days" in said:
        yield f"{said['days']['good']} of {said['days']['counted']} days are good"
    if "percentiles" in said and said["samples"]["valid"]:
        shown = ", ".join(
            f"{name} {_took(said['percentiles'][name])}" for name in ("p50", "p95", "p99")
        )
        yield f"answers took {shown} (to a hundredth; the counts decide)"


def _took(took_us: int | None) -> str:
    return "no answer" if took_us is None else length(took_us)


def _percent(share: dict[str, int] | None) -> str:
    if share is None:
        return "nothing is known"
    hundredths = share["num"] * 10_000 // share["den"]
    return f"{hundredths // 100}.{hundredths % 100:02}%"
