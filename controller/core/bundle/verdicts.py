"""Whether the verdicts of a bundle are those that its lines give, judged by the rules that the log has."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

from controller.core.admission import Admitted
from controller.core.bundle.claim_note import ClaimNote, Run
from controller.core.bundle.doubts import Doubt, differing, doubts_of
from controller.core.bundle.layout import RESULTS, TIMELINE, Bundle
from controller.core.bundle.outage import extent_in
from controller.core.bundle.pruned import unrecomputable
from controller.core.bundle.rules import Rules, logged_rules, strange_revisions
from controller.core.bundle.statements import (
    Broken,
    Statement,
    failed,
    incomplete,
    not_checked,
    passed,
)
from controller.core.bundle.streams import lines_of
from controller.core.fleet import Fleet
from controller.core.instants import instant_text
from controller.core.intervals import Interval, difference, union
from controller.core.replay import Gathered, Replay, replay, sorted_out


def verdict_statements(
    bundle: Bundle, claim: ClaimNote, fleet: Fleet, document: Replay
) -> Iterator[Statement]:
    """What holds of the verdicts of the document. Broken where something cannot be read."""
    if not fleet.checks.keys() >= document.checks.keys():
        raise Broken(f"the fleet file lacks a check of {TIMELINE}")
    _require_whole(claim, document)
    if (impossible := unrecomputable(bundle, claim, TIMELINE)) is not None:
        yield impossible
        return
    rules = logged_rules(bundle, claim, fleet)
    gathered = _gathered(bundle, claim)
    again = _again(gathered, claim, fleet, document, rules)
    open_doubts: list[tuple[str, Doubt]] = []
    for name, said in document.checks.items():
        spans = differing(said, again.checks[name], document.start, document.end)
        doubts = list(doubts_of(claim, rules[name]))
        if wrong := difference(spans, union(one.span for one in doubts)):
            yield failed(
                f"{TIMELINE}: the lines give something else on {name} from {instant_text(wrong[0].from_us)}"
                f" to {instant_text(wrong[0].to_us)}."
            )
            return
        open_doubts += [(name, one) for one in doubts if _touches(one, spans)]
    if (
        claim.is_of_outage
        and not open_doubts
        and extent_in(again, claim) != extent_in(document, claim)
    ):
        yield failed(
            f"{TIMELINE} has {claim.label} {extent_in(document, claim)}; the lines give"
            f" {extent_in(again, claim) or 'no outage that begins then'}."
        )
        return
    yield _followed(claim, rules, has_doubts=bool(open_doubts))
    span = Interval(document.start, document.end)
    yield from map(incomplete, strange_revisions(rules, gathered.ran, span))
    for name, doubt in open_doubts:
        text = f"The lines do not give all verdicts on {name} {_when(doubt.span, document)}: {doubt.why}."
        yield not_checked(text) if doubt.is_recent else incomplete(text)


def _require_whole(claim: ClaimNote, document: Replay) -> None:
    """Broken unless the document is about all of the time that is claimed, as known when it was, with bounds."""
    to_us = min(claim.to_us, claim.as_of_us)
    if document.start > claim.from_us or document.end < to_us:
        raise Broken(
            f"{TIMELINE}: expected verdicts from {instant_text(claim.from_us)} to {instant_text(to_us)}, found"
            f" {instant_text(document.start)} to {instant_text(document.end)}"
        )
    if document.horizon != claim.as_of_us:
        raise Broken(
            f"{TIMELINE}: expected what was known at {instant_text(claim.as_of_us)}, found"
            f" {instant_text(document.horizon)}"
        )
    for name, check in document.checks.items():
        bounds = check.intervals_min, check.intervals_max
        if None in bounds or (check.downtime_max and not all(bounds)):
            raise Broken(
                f"{TIMELINE}: expected verdicts with the least and the most downtime of {name}"
            )


def _gathered(bundle: Bundle, claim: ClaimNote) -> Gathered:
    """What the lines say."""
    gathered = Gathered()
    try:
        for part in lines_of(bundle, claim):
            for line in part.splitlines():
                gathered.add(line)
    except ValueError as error:
        raise Broken(f"{RESULTS}: not a result line: {error}") from error
    return gathered


def _again(
    gathered: Gathered, claim: ClaimNote, fleet: Fleet, document: Replay, rules: Mapping[str, Rules]
) -> Replay:
    """The document that the lines give, less those that came after the figures were made."""
    items = _in_time(gathered.items, claim.late)
    revisions = {name: one.revisions for name, one in rules.items()}
    return replay(
        fleet,
        sorted_out(fleet, items, revisions),
        from_us=document.start,
        to_us=document.end,
        horizon_us=document.horizon,
        with_bounds=True,
        with_samples=any(one.samples is not None for one in document.checks.values()),
        revisions=revisions,
    )


def _in_time(items: list[Admitted], late: Sequence[Run]) -> list[Admitted]:
    """Those that had come when the figures were made."""
    if not late:
        return items
    spans: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for run in late:
        spans.setdefault(run.stream, []).append((run.first, run.last + 1))
    by_stream = {stream: union(own) for stream, own in spans.items()}
    return [one for one in items if not _holds(by_stream.get(one[:3], ()), one.seq)]


def _holds(spans: Sequence[Interval], number: int) -> bool:
    """A number lies in one of the spans, which are in order and apart."""
    place = bisect_right(spans, number, key=lambda one: one.from_us)
    return place > 0 and number < spans[place - 1].to_us


def _touches(doubt: Doubt, spans: list[Interval]) -> bool:
    return any(one.from_us < doubt.span.to_us and doubt.span.from_us < one.to_us for one in spans)


def _when(span: Interval, document: Replay) -> str:
    from_us, to_us = max(span.from_us, document.start), min(span.to_us, document.end)
    return f"from {instant_text(from_us)} to {instant_text(to_us)}"


def _followed(claim: ClaimNote, rules: Mapping[str, Rules], *, has_doubts: bool) -> Statement:
    """What holds, in words: by which rules, without which lines, and but for which time."""
    count = sum(len(one.revisions) for one in rules.values() if one.since_us is not None)
    revisions = "one revision" if count == 1 else f"{count} revisions"
    by = f"judged by {revisions} in the log" if count else "judged by the fleet file alone"
    late = sum(one.last - one.first + 1 for one in claim.late)
    less = f", without {late} lines that came later, as the claim says" if late else ""
    also = f", and so is {claim.label}" if claim.is_of_outage and not has_doubts else ""
    but = ", but for the time below" if has_doubts else ""
    return passed(
        f"The verdicts of {TIMELINE} are those that the lines give, {by}{less}{also}{but}."
    )
