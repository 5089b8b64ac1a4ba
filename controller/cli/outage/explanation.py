"""The page that explains an outage, for people."""

from typing import Final
from zoneinfo import ZoneInfo

from rich.text import Text

from controller.cli.outage.facts import write_facts
from controller.cli.outage.history import write_event
from controller.cli.outage.page import Page, block, dim, paged, sentence, word
from controller.cli.outage.testimony import write_testimony
from controller.cli.output import length
from vedette.v1 import outage_pb2 as pb

_HOW_TO_READ: Final = (
    "Of each result: when the probe began, its number, what it said as what it counted, and how long"
    " after its time it came. Runs may be longer than what is shown of them:"
)


def write_explanation(answer: pb.GetOutageResponse, zone: ZoneInfo) -> None:
    """Facts, rule, bounds, votes, results, trouble, captures, and how it came to be known."""
    write_facts(answer.outage, zone)
    with paged(zone, answer.from_us, answer.to_us) as page:
        if page.day:
            page.paragraph(dim(f"All times below are of {page.day}."))
        if answer.HasField("skipped"):
            span = f"{page.at(answer.skipped.from_us)} to {page.at(answer.skipped.to_us)}"
            page.paragraph(
                dim(f"Votes and results are shown of its start and its end, not of {span}.")
            )
        page.heading("The rule")
        page.paragraph(answer.rule, 2)
        page.heading("How long")
        _write_bounds(page, answer)
        page.heading("The vote")
        _write_votes(page, answer)
        page.heading("What each region saw")
        shown = f" results are those from {page.at(answer.from_us)} to {page.at(answer.to_us)}."
        page.paragraph(dim(_HOW_TO_READ + shown), 2)
        write_testimony(page, answer)
        _write_left_out(page, answer)
        if answer.troubles:
            page.heading("Agents in trouble")
            _write_troubles(page, answer)
        if answer.captures:
            page.heading("Captured at the failure")
            _write_captures(page, answer)
        page.heading("How it came to be known")
    for event in answer.events:
        write_event(event, zone)


def _write_bounds(page: Page, answer: pb.GetOutageResponse) -> None:
    page.paragraph(answer.bounds, 2)
    with page.rows(4) as table:
        for one in answer.doubts:
            what = "may have been up again" if one.down else "may have been down already"
            table.add_row(
                f"{page.at(one.from_us)} to {page.at(one.to_us)}",
                length(one.to_us - one.from_us),
                sentence(f"{what}: {', '.join(one.regions)}"),
            )


def _write_votes(page: Page, answer: pb.GetOutageResponse) -> None:
    for ballot in answer.ballots:
        lasted = length(ballot.to_us - ballot.from_us)
        head = (f"{page.at(ballot.from_us)}  ", word(ballot.verdict), f" for {lasted}")
        page.paragraph(sentence(*head, dim(_count(ballot))), 2)
        if not ballot.votes:
            continue
        with page.rows(6) as table:
            for vote in ballot.votes:
                table.add_row(
                    sentence(vote.region), word(vote.label), _freshness(page, ballot, vote)
                )


def _count(ballot: pb.Ballot) -> str:
    if not ballot.votes:
        return "  no definition of the check was in force"
    votes = "vote" if ballot.voters == 1 else "votes"
    if not ballot.HasField("needed"):
        return f"  {ballot.voters} {votes}: too few to tell"
    return f"  {ballot.down} of {ballot.voters} {votes} DOWN, {ballot.needed} needed"


def _freshness(page: Page, ballot: pb.Ballot, vote: pb.RegionVote) -> Text:
    """How old what a region says was, or why it said nothing."""
    if not vote.HasField("sample_us"):
        return dim(vote.why)
    age = length(ballot.from_us - vote.sample_us)
    parts = [f"by a result of {page.at(vote.sample_us)}, {age} old"]
    if vote.HasField("confirmed_us"):
        parts.append(f"certain since {page.at(vote.confirmed_us)}")
    return dim(", ".join(parts))


def _write_left_out(page: Page, answer: pb.GetOutageResponse) -> None:
    if answer.samples_left_out:
        text = f"{answer.samples_left_out} results in the middle are not shown."
        page.paragraph(dim(text), 2)


def _write_troubles(page: Page, answer: pb.GetOutageResponse) -> None:
    for one in answer.troubles:
        until = page.at(one.to_us) if one.HasField("to_us") else "now"
        page.paragraph(
            sentence(
                f"{one.region}: {one.agent} from {page.at(one.from_us)} to {until}:"
                f" {one.ok} of {one.total} anchors answered in its worst round, so that its results"
                " do not count"
            ),
            2,
        )


def _write_captures(page: Page, answer: pb.GetOutageResponse) -> None:
    for one in answer.captures:
        of = f" of the failure in line {one.of_seq}" if one.HasField("of_seq") else ""
        line = f"{one.epoch}/{one.stream}/{one.seq}"
        page.paragraph(
            sentence(Text(one.region, style="bold"), f": {one.agent}{of}, in line {line}"), 2
        )
        with page.rows(4) as table:
            for part in one.parts:
                table.add_row(dim(part.title), block(part.lines))
