"""The life of a claim (S-50): what may follow what, with which amounts, and until when."""

from typing import Any

import msgspec
import pytest

from controller.core.sla.claims.claim_document import claim_document
from controller.core.sla.claims.claims import (
    MOVES,
    Claim,
    ClaimAct,
    ClaimAction,
    ClaimFacts,
    ClaimRefused,
    ClaimState,
    amount_problem,
    folded,
    new_claim,
)

FACTS = ClaimFacts(
    contract="gold", revision=2, title="", party="ACME", level="underpinning", objectives=("a",),
    label="2026-06", from_us=0, to_us=100, tz="UTC", as_of_us=120, amount="100.00", unit="EUR",
    deadline_us=200, last_day="2026-08-31",
)  # fmt: skip


def act(action: str, at_us: int = 150, **more: Any) -> ClaimAct:
    return ClaimAct(ClaimAction(action), at_us, "ada", "admin", "local", **more)


def claimed(*actions: str, **last: Any) -> Claim:
    """A claim after these acts; reasons are given, and `last` stands in the last of them."""
    acts = [act("create")]
    acts += [act(name, reason="because") for name in actions[:-1]]
    acts += [act(name, **{"reason": "because", **last}) for name in actions[-1:]]
    return folded(7, FACTS, acts)


ALLOWED = {
    ("submit",): "submitted",
    ("submit", "accept"): "accepted",
    ("submit", "accept", "settle"): "settled",
    ("submit", "dispute"): "disputed",
    ("submit", "dispute", "accept"): "accepted",
    ("submit", "dispute", "accept", "settle"): "settled",
    ("withdraw",): "withdrawn",
    ("submit", "withdraw"): "withdrawn",
    ("submit", "dispute", "withdraw"): "withdrawn",
    ("supersede",): "superseded",
    ("submit", "supersede"): "superseded",
    ("submit", "dispute", "supersede"): "superseded",
}


@pytest.mark.parametrize(("actions", "state"), ALLOWED.items())
def test_s50_what_may_follow_what(actions: tuple[str, ...], state: str) -> None:
    claim = claimed(*actions)
    assert claim.state == state
    assert [one.action for one in claim.acts] == ["create", *actions]
    assert claim.is_live is (state not in ("withdrawn", "superseded"))


def test_s50_nothing_else_follows() -> None:
    reached = {(): "draft", **ALLOWED}
    for actions, state in reached.items():
        for action in MOVES:
            if (*actions, action.value) in ALLOWED or (state, action) == ("disputed", "settle"):
                continue
            with pytest.raises(ClaimRefused, match=f"CLM-7 is {state}"):
                claimed(*actions).after(act(action, reason="because", amount=None))


def test_s50_a_refusal_says_what_can_be_done() -> None:
    with pytest.raises(
        ClaimRefused, match="CLM-7 is draft: expected submit or withdraw, found settle"
    ):
        claimed().after(act("settle"))
    with pytest.raises(ClaimRefused, match="which is its end"):
        claimed("withdraw").after(act("submit"))


@pytest.mark.parametrize(
    ("actions", "last", "accepted", "settled"),
    [
        (("submit", "accept"), {}, "100.00", None),
        (("submit", "accept"), {"amount": "60"}, "60", None),
        (("submit", "accept", "settle"), {}, "100.00", "100.00"),
        (("submit", "accept", "settle"), {"amount": "99.99"}, "100.00", "99.99"),
        (("submit", "dispute", "settle"), {"amount": "0"}, None, "0"),
        (("submit", "dispute"), {"amount": "10"}, None, None),
    ],
)
def test_s50_amounts(
    actions: tuple[str, ...], last: dict[str, Any], accepted: str | None, settled: str | None
) -> None:
    claim = claimed(*actions, **last)
    assert (claim.accepted, claim.settled) == (accepted, settled)


def test_s50_settling_takes_what_was_accepted() -> None:
    accepted = claimed("submit", "accept", amount="60")
    assert accepted.after(act("settle")).settled == "60"


@pytest.mark.parametrize(
    ("actions", "bad", "said"),
    [
        (("submit",), act("accept", amount="100.01"), "at most the 100.00 EUR"),
        (("submit",), act("dispute"), "Expected a reason to dispute CLM-7"),
        ((), act("withdraw"), "Expected a reason to withdraw CLM-7"),
        ((), act("submit", amount="5"), "Expected no amount to submit"),
        (("submit", "dispute"), act("settle"), "say what was settled on"),
    ],
)
def test_s50_what_is_refused(actions: tuple[str, ...], bad: ClaimAct, said: str) -> None:
    with pytest.raises(ClaimRefused, match=said):
        claimed(*actions).after(bad)


def test_s50_the_deadline_is_the_first_instant_that_is_too_late() -> None:
    in_time = new_claim(1, FACTS, act("create", at_us=199))
    assert in_time.after(act("submit", at_us=199)).state is ClaimState.SUBMITTED
    for at_us in (200, 201):
        with pytest.raises(ClaimRefused, match=r"The last day to submit .* was 2026-08-31 \(UTC\)"):
            in_time.after(act("submit", at_us=at_us))
        with pytest.raises(ClaimRefused, match="The last day to create"):
            new_claim(1, FACTS, act("create", at_us=at_us))


def test_s50_one_reason_for_being_late_suffices() -> None:
    late = new_claim(1, FACTS, act("create", at_us=300, late="they asked for it"))
    assert late.after(act("submit", at_us=301)).late == "they asked for it"
    with pytest.raises(ClaimRefused, match="2026-08-31, is not over: leave --late out"):
        new_claim(1, FACTS, act("create", late="just in case"))
    draft = new_claim(1, FACTS, act("create"))
    assert draft.after(act("submit", at_us=300, late="a holiday")).late == "a holiday"
    endless = msgspec.structs.replace(FACTS, deadline_us=None, last_day=None)
    assert new_claim(1, endless, act("create", at_us=10**18)).late == ""
    with pytest.raises(ClaimRefused, match="which the contract does not name"):
        new_claim(1, endless, act("create", late="why not"))


@pytest.mark.parametrize(
    ("text", "digits", "problem"),
    [
        ("10", 2, None), ("10.50", 2, None), ("0", 0, None), ("10.505", 2, "at most 2 digits"),
        ("1.5", 0, "at most 0 digits"), ("-1", 2, "a decimal amount"), ("", 2, "a decimal amount"),
        ("1e3", 2, "a decimal amount"), ("1.", 2, "at most 2 digits"), ("٣", 2, "a decimal amount"),
        ("1234567890123", 2, "a decimal amount"),
    ],
)  # fmt: skip
def test_s50_what_an_amount_is(text: str, digits: int, problem: str | None) -> None:
    found = amount_problem(text, "EUR", digits)
    assert (found is None) if problem is None else problem in str(found)


def test_a_claim_as_a_document() -> None:
    document = claim_document(claimed("submit", "supersede", by_claim=8))
    assert (document["claim"], document["state"], document["superseded_by"]) == (
        "CLM-7", "superseded", "CLM-8",
    )  # fmt: skip
    assert document["supersedes"] is None
    assert [one["action"] for one in document["history"]] == ["create", "submit", "supersede"]
