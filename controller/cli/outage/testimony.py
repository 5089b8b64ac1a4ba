"""What each region saw: the results of its agents, run by run."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TypeVar

from rich.text import Text

from controller.cli.outage.page import Page, dim, sentence, word
from controller.cli.output import length
from vedette.v1 import outage_pb2 as pb

T = TypeVar("T", pb.Run, pb.Sample)

# Of a run that goes on and on, its beginning and its end are shown.
_SHOWN_FIRST = 3
_SHOWN_LAST = 3


def write_testimony(page: Page, answer: pb.GetOutageResponse) -> None:
    """The results of every agent, under the runs that they make."""
    runs = _by_agent(answer.runs)
    samples = _by_agent(answer.samples)
    for place in sorted({*runs, *samples}):
        region, agent = place
        own = samples.get(place, [])
        names = sorted({f"{one.epoch}/{one.stream}" for one in own})
        page.paragraph(
            sentence(Text(region, style="bold"), f": {agent}, lines {', '.join(names)}"), 2
        )
        _write_agent(page, runs.get(place, []), own)


def _by_agent(items: Iterable[T]) -> dict[tuple[str, str], list[T]]:
    found: dict[tuple[str, str], list[T]] = {}
    for item in items:
        found.setdefault((item.region, item.agent), []).append(item)
    return found


def _write_agent(page: Page, runs: Sequence[pb.Run], samples: Sequence[pb.Sample]) -> None:
    def run_of(sample: pb.Sample) -> int:
        if sample.label == "NONE" and (sample.why_not and sample.outcome != "down"):
            return -1
        inside = (n for n, run in enumerate(runs) if run.from_us <= sample.at_us <= run.to_us)
        return next(inside, -1)

    for number, group in groupby(samples, run_of):
        if number >= 0:
            page.paragraph(_run(page, runs[number]), 4)
        own = list(group)
        left_out = len(own) - _SHOWN_FIRST - _SHOWN_LAST
        said = ""
        with page.rows(6) as table:
            for place, sample in enumerate(own):
                if left_out <= 1 or not _SHOWN_FIRST <= place < len(own) - _SHOWN_LAST:
                    table.add_row(*_row(page, sample, said))
                    said = sample.detail
                elif place == _SHOWN_FIRST:
                    table.add_row(dim("..."), dim(f"{left_out} more"), Text(), Text(), Text())


def _run(page: Page, run: pb.Run) -> Text:
    """What a run is, and what made it certain."""
    noun = "failure" if run.down else "success"
    many = noun if run.count == 1 else f"{noun}s" if run.down else f"{noun}es"
    count = f"at least {run.count}" if run.older or run.goes_on else str(run.count)
    parts: list[str | Text] = [word("DOWN" if run.down else "UP"), f"  {count} {many}"]
    if run.count > 1:
        parts.append(f" in a row{_span(page, run)}")
    if run.after_silence:
        parts.append(", after a silence too long to be gone on from")
    return sentence(*parts, _certainty(page, run))


def _span(page: Page, run: pb.Run) -> str:
    """From when until when, as far as it was read."""
    start = "from before" if run.older else f"from {page.at(run.from_us)}"
    return f" {start} to {'after ' if run.goes_on else ''}{page.at(run.to_us)}"


def _certainty(page: Page, run: pb.Run) -> str:
    """Which result made a run count, if that was read."""
    if run.older:
        return ""
    if not run.HasField("certain"):
        return ", not confirmed: the state before it went on"
    if run.certain.at_us == run.from_us:
        return ", counted at once"
    line = f"{run.certain.epoch}/{run.certain.stream}/{run.certain.seq}"
    return f", certain at {page.at(run.certain.at_us)} by line {line}, counted from the first"


def _row(page: Page, sample: pb.Sample, before: str) -> tuple[Text, Text, Text, Text, Text]:
    counts = sample.label if not sample.why_not or sample.label != "NONE" else "not counted"
    return (
        sentence(page.at(sample.at_us)),
        dim(f"{sample.stream}/{sample.seq}"),
        sentence(word(sample.outcome), " as ", word(counts)),
        _came(sample),
        sentence(*_remarks(sample, before)),
    )


def _came(sample: pb.Sample) -> Text:
    """How long after its time a result came."""
    if not sample.HasField("received_us"):
        return dim("no line")
    after_us = sample.received_us - sample.at_us
    text = f"+{length(after_us)}" if after_us >= 0 else f"-{length(-after_us)}"
    return Text(f"{text} LATE", style="yellow") if sample.HasField("late_us") else dim(text)


def _remarks(sample: pb.Sample, before: str) -> list[str | Text]:
    """What is to be said of one result; what it saw not again, if that is what was seen `before`."""
    said = [sample.why_not] if sample.why_not else []
    if sample.trigger not in ("", "schedule"):
        said.append(f"asked to {sample.trigger}")
    if sample.attempts > 1:
        said.append(f"{sample.attempts} attempts")
    detail = "the same" if sample.detail and sample.detail == before else sample.detail
    seen = ": ".join(part for part in (sample.kind, detail) if part)
    said += [seen] if seen else []
    return ["; ".join(said)]
