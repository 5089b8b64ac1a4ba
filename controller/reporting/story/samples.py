"""What is counted in samples (S-35, S-37, S-38, S-48), and what each check of a weighted composite adds (S-49)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from controller.reporting.blocks import Align, Block, Cell, Column, Table, cell
from controller.reporting.figures import NOTHING, ceiled, exactly, share
from controller.reporting.story.context import Record, Telling, is_of_samples

_PERCENTILES: Final = ("p50", "p95", "p99")


def samples(told: Telling, record: Record) -> Iterator[Block]:
    """The counts that a record of samples is made from, and the checks of a weighted one."""
    if is_of_samples(record):
        parts = record.get("samples_of") or {"": record}
        rows = [row for check, own in parts.items() for row in _counts(told, check, own)]
        columns = (
            Column(told.say("head.kind"), share=3),
            Column(told.say("head.value"), Align.RIGHT, 2),
        )
        yield Table(told.say("caption.samples"), columns, tuple(rows))
    if record.get("members"):
        yield _members(told, record["members"])


def _counts(told: Telling, check: str, own: Mapping[str, Any]) -> Iterator[tuple[Cell, Cell]]:
    def row(key: str, text: str, *more: str) -> tuple[Cell, Cell]:
        names = (told.say(f"samples.{key}"), *([check] if check else []))
        return cell(*names), cell(text, *more)

    if found := own.get("samples"):
        yield row("valid", str(found["valid"]))
        yield row("good", str(found["good"]))
    if found := own.get("slices"):
        good = found["good"]
        shown = str(good["num"]) if good["den"] == 1 else f"{good['num']}/{good['den']}"
        yield row("slices", str(found["counted"]))
        yield row("silent", str(found["silent"]))
        yield row("slices_good", shown)
    if found := own.get("days"):
        yield row("days", str(found["counted"]))
        yield row("days_good", str(found["good"]))
    if found := own.get("percentiles"):
        for name in _PERCENTILES:
            yield row(name, _length(found.get(name)))
        if at := found.get("at_target"):
            bounds = told.say(
                "samples.within", least=exactly(at["least"]), most=exactly(at["most"])
            )
            verdict = told.texts.word("percentile", str(at["verdict"]))
            yield row("at_target", exactly(at["value"]), bounds, verdict)


def _length(us: int | None) -> str:
    return NOTHING if us is None else exactly(us)


def _members(told: Telling, members: list[Mapping[str, Any]]) -> Table:
    columns = (
        Column(told.say("head.check"), share=3),
        Column(told.say("head.weight"), Align.RIGHT),
        Column(told.say("head.attained"), Align.RIGHT),
        Column(told.say("head.coverage"), Align.RIGHT),
        Column(told.say("head.downtime"), Align.RIGHT, 2),
    )
    rows = (
        (
            cell(one["check"]),
            cell(share(one["weight"])),
            cell(share(one["attainment"])),
            cell(share(one["coverage"])),
            cell(ceiled(one["downtime"])),
        )
        for one in members
    )
    return Table(told.say("caption.members"), columns, tuple(rows))
