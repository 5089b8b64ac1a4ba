"""Laws P1 and P2 of a controller as a state machine: whatever befalls it, it says what the oracle says."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.property.machine import MINUTE, REGIONS, SECOND, Machine

regions = st.sampled_from(REGIONS)
outcomes = st.sampled_from(["up", "down", "degraded", "agent_error"])
minutes_back = st.sampled_from([0, 1, 3, 20, 100])


class ControllerMachine(RuleBasedStateMachine):
    """Each rule is one thing that happens; after each, what is stored and told is compared."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = Machine()
        self.machine.calm(180)
        self.machine.evaluator.settle()

    @rule(minutes=st.sampled_from([1, 5, 40]), is_settled=st.booleans())
    def all_is_well(self, minutes: int, *, is_settled: bool) -> None:
        self.machine.calm(minutes)
        if is_settled:
            self.machine.evaluator.settle()

    @rule(minutes=st.sampled_from([1, 4]), failing=st.sets(regions, min_size=1))
    def some_fail(self, minutes: int, failing: set[str]) -> None:
        machine = self.machine
        for _ in range(minutes):
            machine.now_us += MINUTE
            for region in REGIONS:
                machine.give(
                    machine.written(
                        region, "e", machine.now_us, outcome="down" if region in failing else "up"
                    )
                )

    @rule(region=regions, outcome=outcomes, back=minutes_back, count=st.integers(1, 3))
    def results_come_late(self, region: str, outcome: str, back: int, count: int) -> None:
        machine = self.machine
        for place in range(count):
            at_us = machine.now_us - (back + count - place) * MINUTE + 7 * SECOND
            machine.give(machine.written(region, "late", at_us, outcome=outcome))

    @rule(region=regions, is_good=st.booleans(), back=minutes_back)
    def an_anchor_round_comes(self, region: str, *, is_good: bool, back: int) -> None:
        at_us = self.machine.now_us - back * MINUTE - 11 * SECOND
        ok = 3 if is_good else 0
        self.machine.give(self.machine.written(region, "e", at_us, ok=ok, total=3))

    @rule(region=regions, offset=st.sampled_from([-30, 30, 61, None]))
    def a_clock_is_wrong(self, region: str, offset: int | None) -> None:
        machine = self.machine
        offset_us = None if offset is None else offset * SECOND
        clock: dict[str, Any] = {"offset": offset_us, "error": 1000}
        at_us = machine.now_us + (offset_us or 0)
        machine.give(machine.written(region, "e", at_us, outcome="down", clock=clock))

    @precondition(lambda self: self.machine.sent)
    @rule(back=st.integers(1, 300))
    def a_line_comes_again(self, back: int) -> None:
        sent = self.machine.sent
        self.machine.give(sent[-min(back, len(sent))])

    @precondition(lambda self: self.machine.sent)
    @rule(back=st.integers(1, 300), outcome=outcomes)
    def a_line_is_contradicted(self, back: int, outcome: str) -> None:
        sent = self.machine.sent
        one = sent[-min(back, len(sent))]
        if one.stream != "@anchors":
            data = {**one.data, "outcome": outcome, "note": "other bytes"}
            self.machine.give(type(one)(one.region, one.epoch, one.stream, one.seq, data))

    @rule(region=regions, outcome=outcomes)
    def a_commit_fails_first(self, region: str, outcome: str) -> None:
        machine = self.machine
        machine.now_us += MINUTE
        one = machine.written(region, "e", machine.now_us, outcome=outcome)
        machine.give_to_a_full_disk(one)

    @rule(name=st.sampled_from(["majority", "any", "all"]), fail_after=st.integers(1, 2))
    def another_quorum_is_applied(self, name: str, fail_after: int) -> None:
        self.machine.now_us += SECOND
        self.machine.configure(name, fail_after)

    @rule(minutes=st.sampled_from([1, 3, 200]))
    def time_passes(self, minutes: int) -> None:
        self.machine.now_us += minutes * MINUTE
        self.machine.evaluator.advance(self.machine.now_us)

    @rule()
    def what_is_behind_is_judged(self) -> None:
        self.machine.evaluator.catch_up(self.machine.now_us)

    @rule(is_rebuilt=st.booleans())
    def the_controller_crashes(self, *, is_rebuilt: bool) -> None:
        self.machine.crash(is_rebuilt=is_rebuilt)

    @invariant()
    def what_is_told_is_what_the_oracle_says(self) -> None:
        assert self.machine.told_otherwise() == []

    def teardown(self) -> None:
        try:
            assert self.machine.stored_otherwise() == []
        finally:
            self.machine.end()


TestControllerMachine = ControllerMachine.TestCase
TestControllerMachine.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
