"""Reminders of deadlines of claims (S-50): a week and a day before the last day, once each."""

from collections.abc import Sequence
from typing import Final

from controller.core.instants import instant_text
from controller.core.sla.claims.claims import Claim, ClaimState
from controller.core.sla.claims.deadlines import Deadline, reminder_due, reminders
from controller.core.sla.notices.notices import SlaNotice
from controller.core.wording import Level

CLAIM_DUE: Final = "claim.due"


def due_notice(
    contract: str, label: str, tz: str, deadline: Deadline, claims: Sequence[Claim], now_us: int
) -> SlaNotice | None:
    """What is to be told of the last day to claim for a period that is over and was breached.

    Nothing, once a claim for it was submitted: `claims` are those for the period that stand.
    """
    due = reminder_due(deadline, tz, now_us)
    if due is None or any(one.state is not ClaimState.DRAFT for one in claims):
        return None
    drafts = [one.handle for one in claims]
    left = "the last day" if due.days == 1 else f"{due.days} days left"
    what = (
        f"{', '.join(drafts)} is a draft: hand it over, then `vedette claim submit {drafts[0]}`."
        if drafts
        else f"There is no claim yet: `vedette claim create --contract {contract} --period {label} -o FOLDER`."
    )
    return SlaNotice(
        contract=contract,
        event=CLAIM_DUE,
        series=f"{label}/{CLAIM_DUE}",
        title=f"{left} to claim for {label}",
        lines=[
            f"{label} was breached, and the last day to claim for it is {deadline.last_day} ({tz}),",
            f"which ends at {instant_text(deadline.ends_us)}.",
            what,
        ],
        level=Level.WARNING,
        facts={
            "contract": contract,
            "period": label,
            "last_day": deadline.last_day.isoformat(),
            "deadline": deadline.ends_us,
            "days": due.days,
            "claims": drafts,
        },
        ordinal=reminders(deadline, tz).index(due) + 1,
    )
