"""What breaches are worth, step by step; what downtime cost; and which grades were reached."""

from collections.abc import Iterator

from controller.reporting.blocks import Block, Heading, Listing, Paragraph
from controller.reporting.story.context import Record, Telling


def money(told: Telling) -> Iterator[Block]:
    """Credits with their computation, the cost of downtime, and grades."""
    yield Heading(told.say("part.credits"))
    records = told.report.records
    if all(record.get("credits") is None for record in records):
        has_terms = any(terms.clauses.get("credits") for terms in told.report.contract.terms)
        yield Paragraph(told.say("credits.none" if has_terms else "credits.no_terms"))
    for record in records:
        if record.get("credits") is not None:
            yield from _credit(told, record)
    for record in records:
        if cost := record.get("cost"):
            yield Paragraph(
                told.say(
                    "cost.amount",
                    objective=record["objective"],
                    amount=cost["amount"],
                    currency=cost["currency"],
                    year=cost["a_year"],
                )
            )
            yield Listing(tuple(cost["steps"]), is_numbered=True)
        if grades := record.get("grades"):
            actions = ", ".join(grades)
            yield Paragraph(told.say("grades", objective=record["objective"], actions=actions))
    deadlines = {
        (terms.clauses.get("credits") or {}).get("claim_deadline")
        for terms in told.report.contract.terms
        if _is_judged(told)
    }
    for deadline in sorted(one for one in deadlines if one):
        unit = "months" if deadline.endswith("M") else "days"
        time = told.say(f"deadline.{unit}", n=int(deadline[1:-1]))
        yield Paragraph(told.say("credits.deadline", deadline=time))


def _is_judged(told: Telling) -> bool:
    """The contract is judged by periods of this kind: nothing is claimed for a quarter of months."""
    judged_by: str = told.report.contract.terms[-1].clauses["period"]["kind"]
    return told.report.period.kind == judged_by


def _credit(told: Telling, record: Record) -> Iterator[Block]:
    found = record["credits"]
    name = " ".join(told.objective(record))
    if found.get("days"):
        yield Paragraph(told.say("credits.days", objective=name, days=found["days"]))
    if found.get("currency"):
        amount, currency = found["amount"], found["currency"]
        yield Paragraph(
            told.say("credits.amount", objective=name, amount=amount, currency=currency)
        )
    yield Listing(tuple(found["steps"]), is_numbered=True)
