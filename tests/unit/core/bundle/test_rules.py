"""Rules that an insider left out or entered afterwards: what agents ran stands in every line, which they signed for."""

import json
from dataclasses import replace

import pytest

from controller.core.bundle.claim_note import ClaimNote, parsed_claim
from controller.core.bundle.recompute import recomputed
from controller.core.bundle.rules import Rules, logged_rules, strange_revisions
from controller.core.bundle.statements import Broken, Holds
from controller.core.bundle.verdicts import verdict_statements
from controller.core.fleet import Fleet, read_fleet
from controller.core.intervals import Interval
from controller.core.policy import Policy, PolicyRevision, always, policy_of
from controller.core.replay import Gathered, Replay, replay, replay_bytes, sorted_out
from tests.unit.core.bundle.made import Files, log_note, made
from tests.unit.services.conftest import FLEET, START, line
from tests.unit.services.report_stage import CONTRACTS, LABEL
from vedette.shared.definitions import canonical_bytes

HOUR = 3_600_000_000
SPAN = Interval(START, START + 10 * HOUR)
STRICT, SOFT = "a" * 64, "b" * 64


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return read_fleet(FLEET, "fleet.yaml")


@pytest.fixture(scope="module")
def soft(fleet: Fleet) -> Policy:
    return replace(policy_of(fleet.checks["shop-home"]), revision=SOFT)


def strict(soft: Policy, from_us: int) -> PolicyRevision:
    return PolicyRevision(from_us, replace(soft, revision=STRICT))


def strange(rules: Rules, ran: dict[str, tuple[int, int]]) -> list[str]:
    by_check = {("shop-home", digest): times for digest, times in ran.items()}
    return list(strange_revisions({"shop-home": rules}, by_check, SPAN))


def test_a_line_tells_which_revision_was_run_and_when() -> None:
    gathered = Gathered()
    gathered.add(line(1, START + 5, rev=STRICT))
    gathered.add(line(2, START + 3, rev=STRICT))
    gathered.add(line(3, START + 9))
    assert gathered.ran == {("shop-home", STRICT): (START + 3, START + 5)}


def test_rules_that_no_line_was_made_by_are_told(soft: Policy) -> None:
    whole = (SPAN.from_us, SPAN.to_us)
    (said,) = strange(Rules(always(soft), None), {SOFT: whole, STRICT: whole})
    assert STRICT[:16] in said
    assert "no leaf in config/ put in force" in said
    # The real rules are shown, too, and other ones were entered as if they had been in force for some hours.
    later = [strict(soft, START - HOUR), PolicyRevision(START + 3 * HOUR, soft)]
    (said,) = strange(Rules(later, START - HOUR), {STRICT: whole})
    assert SOFT[:16] in said
    assert "made no line" in said
    assert not strange(Rules(later, START - HOUR), {STRICT: whole, SOFT: whole})


def test_agents_may_have_new_rules_a_little_later_and_nothing_is_said_of_other_times(
    soft: Policy,
) -> None:
    late = [strict(soft, START - HOUR), PolicyRevision(SPAN.to_us - HOUR // 2, soft)]
    assert not strange(Rules(late, START - HOUR), {STRICT: (SPAN.from_us, SPAN.to_us)})
    before = {STRICT: (START - 2 * HOUR, START - 1), SOFT: (SPAN.from_us, SPAN.to_us)}
    assert not strange(Rules(always(soft), None), before)
    since = START + 5 * HOUR
    old = {STRICT: (START, since - 1), SOFT: (since, SPAN.to_us)}
    assert not strange(Rules([PolicyRevision(since, soft)], since), old)


def test_rules_are_not_entered_after_they_came_into_force(fleet: Fleet) -> None:
    definition = canonical_bytes(fleet.checks["shop-home"])
    claim = _claim()

    def entered(at_us: int) -> Files:
        said = json.dumps({"digest": SOFT, "effective_us": START}, separators=(",", ":"))
        note = log_note(f'vedette.check/v1\ntime {at_us}\nsubject "shop-home"\ndata {said}\n')
        return Files({"config/4.note": note, "config/4.json": definition})

    assert logged_rules(entered(START + 1), claim, fleet)["shop-home"].since_us == START
    with pytest.raises(Broken, match=r"config/4.note: .* was entered .*, not afterwards"):
        logged_rules(entered(START + HOUR), claim, fleet)


def test_verdicts_are_of_the_whole_time_and_as_known_when_it_was_claimed(fleet: Fleet) -> None:
    bundle = made()
    claim = _claim()

    def refused(document: Replay) -> str:
        with pytest.raises(Broken) as error:
            list(verdict_statements(bundle, claim, fleet, document))
        return str(error.value)

    def document(from_us: int, to_us: int, horizon_us: int, *, with_bounds: bool = True) -> Replay:
        return replay(
            fleet, sorted_out(fleet, []), from_us=from_us, to_us=to_us, horizon_us=horizon_us,
            with_bounds=with_bounds,
        )  # fmt: skip

    start, end, known = claim.from_us, claim.to_us, claim.as_of_us
    for one in (document(start + HOUR, end, known), document(start, end - HOUR, known)):
        assert "expected verdicts from" in refused(one)
    assert "expected what was known at" in refused(document(start, end, known - HOUR))
    bare = document(start, end, known, with_bounds=False)
    assert "with the least and the most downtime of shop-dns" in refused(bare)


def test_samples_that_an_objective_counts_are_not_left_out() -> None:
    by_request = CONTRACTS.replace(b'target: "90.0"', b'formula: request, target: "90.0"')
    fleet = read_fleet(FLEET + by_request, "fleet.yaml")
    claim = replace(_claim(), contract="acme", label=LABEL)
    document = replay(
        fleet, sorted_out(fleet, []), from_us=claim.from_us, to_us=claim.to_us, horizon_us=claim.as_of_us,
        with_bounds=True,
    )  # fmt: skip
    bundle = Files({"fleet.yaml": FLEET + by_request, "timeline.json": replay_bytes(document)})
    said = [one.text for one in recomputed(bundle, claim) if one.holds is Holds.FAIL]
    assert any("lacks the samples that objectives of acme count" in one for one in said), said


def _claim() -> ClaimNote:
    text = made().read("claim.note").decode().partition("\n\n")[0] + "\n"
    return replace(
        parsed_claim(text),
        from_us=SPAN.from_us,
        to_us=SPAN.to_us,
        as_of_us=SPAN.to_us + HOUR,
        streams=[],
    )
