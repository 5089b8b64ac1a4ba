"""Timers (S-47): the clock of people, by its vectors and by its laws."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.instants import instant
from controller.core.intervals import FOREVER_US, Interval, union
from controller.core.severity import Severity
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.figures.timers import Stop, Timer, TimerState, TimerTerms, timers
from controller.core.sla.terms.service_hours import ServiceHours

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
OFFICE = ServiceHours(
    weekly={day: ["08:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
    holidays=["2026-05-01"],
)
DAY = "2026-06-10T"


def terms(
    target_us: int,
    *,
    stop: Stop = Stop.ACK,
    severities: frozenset[Severity] = frozenset({Severity.P1}),
    hours: ServiceHours | None = None,
    from_detection: bool = True,
    reopen_us: int = 0,
) -> TimerTerms:
    return TimerTerms(
        stop,
        severities,
        target_us,
        hours or "always",
        "Europe/Warsaw",
        from_detection,
        reopen_us,
    )


def outage(
    started: str,
    ended: str | None = None,
    *,
    detected: str | None = None,
    acked: str | None = None,
    severity: Severity = Severity.P1,
    pauses: tuple[tuple[str, str | None], ...] = (),
    handle: str = "OUT-4",
    region: str = "",
) -> OutageTimes:
    def at(text: str | None) -> int | None:
        return None if text is None else instant(text)

    return OutageTimes(
        instant(started),
        at(ended),
        detected_us=instant(detected or started),
        acked_us=at(acked),
        handle=handle,
        check="c",
        region=region,
        severity=severity,
        pauses=[Interval(instant(a), FOREVER_US if b is None else instant(b)) for a, b in pauses],
    )


def only(found: list[Timer]) -> Timer:
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("acked", "state"),
    [
        pytest.param("10:15:00Z", TimerState.MET, id="in exactly the time"),
        pytest.param("10:15:00.000001Z", TimerState.BREACHED, id="a microsecond later"),
    ],
)
def test_x42_an_acknowledgement_is_in_time_or_late(acked: str, state: TimerState) -> None:
    one = outage(f"{DAY}09:58:00Z", detected=f"{DAY}10:00:00Z", acked=DAY + acked)
    found = only(timers([one], terms(15 * MINUTE), instant(f"{DAY}12:00:00Z")))
    assert found.state is state
    assert found.due_us == instant(f"{DAY}10:15:00Z")
    assert found.elapsed_us == instant(DAY + acked) - instant(f"{DAY}10:00:00Z")


WEEKEND = outage(
    "2026-03-27T16:30:00+01:00",
    "2026-03-30T10:00:00+02:00",
    severity=Severity.P3,
    pauses=(("2026-03-30T09:00:00+02:00", "2026-03-30T09:30:00+02:00"),),
)


def test_x43_support_hours_pauses_and_a_change_of_clocks() -> None:
    four = terms(4 * HOUR, stop=Stop.END, severities=frozenset({Severity.P3}), hours=OFFICE)
    later = instant("2026-04-01T00:00:00Z")
    found = only(timers([WEEKEND], four, later))
    # 1.5 h on Friday, 2 h on Monday, less half an hour.
    assert (found.elapsed_us, found.state) == (3 * HOUR, TimerState.MET)
    assert found.due_us == instant("2026-03-30T11:00:00+02:00")
    always = terms(4 * HOUR, stop=Stop.END, severities=frozenset({Severity.P3}))
    unpaused = only(timers([WEEKEND._replace(pauses=())], always, later))
    assert unpaused.elapsed_us == 64 * HOUR + 30 * MINUTE
    assert unpaused.state is TimerState.BREACHED


def test_s47_an_end_does_not_stop_a_clock_that_asks_for_a_person() -> None:
    one = outage(f"{DAY}10:00:00Z", f"{DAY}10:05:00Z")
    now_us = instant(f"{DAY}10:20:00Z")
    strict = only(timers([one], terms(15 * MINUTE), now_us))
    assert (strict.state, strict.stopped_us) == (TimerState.BREACHED, None)
    lenient = only(timers([one], terms(15 * MINUTE, stop=Stop.ACK_OR_END), now_us))
    assert (lenient.state, lenient.elapsed_us) == (TimerState.MET, 5 * MINUTE)
    late = one._replace(acked_us=instant(f"{DAY}10:06:00Z"))
    assert only(timers([late], terms(15 * MINUTE), now_us)).elapsed_us == 6 * MINUTE


@pytest.mark.parametrize(
    ("now", "state", "remaining"),
    [
        pytest.param("10:05:00Z", TimerState.RUNNING, 10 * MINUTE, id="it runs"),
        pytest.param("10:15:00Z", TimerState.RUNNING, 0, id="it can be met still"),
        pytest.param("10:15:01Z", TimerState.BREACHED, -SECOND, id="it cannot be met any more"),
    ],
)
def test_s47_a_timer_that_runs_says_what_is_left(
    now: str, state: TimerState, remaining: int
) -> None:
    one = outage(f"{DAY}10:00:00Z", acked=f"{DAY}11:00:00Z")
    found = only(timers([one], terms(15 * MINUTE), instant(DAY + now)))
    assert (found.state, found.remaining_us) == (state, remaining)
    assert (found.stopped_us, found.due_us) == (None, instant(f"{DAY}10:15:00Z"))


def test_s47_nothing_is_said_of_what_was_not_detected_yet() -> None:
    one = outage(f"{DAY}10:00:00Z", detected=f"{DAY}10:02:00Z")
    assert timers([one], terms(15 * MINUTE), instant(f"{DAY}10:01:59Z")) == []
    begun = terms(15 * MINUTE, from_detection=False)
    found = only(timers([one], begun, instant(f"{DAY}10:01:00Z")))
    assert (found.started_us, found.elapsed_us) == (instant(f"{DAY}10:00:00Z"), MINUTE)


def test_s47_the_time_that_is_due_is_found_in_support_hours() -> None:
    # A Thursday evening before a holiday and a weekend.
    one = outage("2026-04-30T17:50:00+02:00")
    found = only(timers([one], terms(15 * MINUTE, hours=OFFICE), instant("2026-05-02T12:00:00Z")))
    assert (found.state, found.remaining_us) == (TimerState.RUNNING, 5 * MINUTE)
    assert found.due_us == instant("2026-05-04T08:05:00+02:00")


def test_s47_a_pause_that_goes_on_leaves_open_when_it_is_due() -> None:
    paused = outage(f"{DAY}10:00:00Z", pauses=((f"{DAY}10:10:00Z", None),))
    now_us = instant(f"{DAY}12:00:00Z")
    found = only(timers([paused], terms(15 * MINUTE), now_us))
    assert (found.state, found.remaining_us, found.due_us) == (TimerState.PAUSED, 5 * MINUTE, None)
    late = outage(f"{DAY}10:00:00Z", pauses=((f"{DAY}10:20:00Z", None),))
    found = only(timers([late], terms(15 * MINUTE), now_us))
    assert (found.state, found.elapsed_us) == (TimerState.BREACHED, 20 * MINUTE)
    assert found.due_us == instant(f"{DAY}10:15:00Z")


def test_s47_a_pause_after_the_clock_stopped_moves_nothing() -> None:
    pause = (f"{DAY}10:10:00Z", f"{DAY}10:30:00Z")
    one = outage(f"{DAY}10:00:00Z", acked=f"{DAY}10:09:00Z", pauses=(pause,))
    found = only(timers([one], terms(15 * MINUTE), instant(f"{DAY}12:00:00Z")))
    assert (found.due_us, found.pauses) == (instant(f"{DAY}10:15:00Z"), [])
    late = one._replace(acked_us=instant(f"{DAY}10:20:00Z"))
    found = only(timers([late], terms(15 * MINUTE), instant(f"{DAY}12:00:00Z")))
    assert found.due_us == instant(f"{DAY}10:35:00Z")
    assert found.pauses == [(instant(f"{DAY}10:10:00Z"), instant(f"{DAY}10:20:00Z"))]


def test_s47_a_pause_ends_with_its_outage() -> None:
    one = outage(f"{DAY}10:00:00Z", f"{DAY}11:00:00Z", pauses=((f"{DAY}10:10:00Z", None),))
    found = only(timers([one], terms(15 * MINUTE), instant(f"{DAY}11:05:00Z")))
    assert (found.state, found.elapsed_us) == (TimerState.RUNNING, 15 * MINUTE)


@pytest.mark.parametrize(
    ("reopen_us", "elapsed"),
    [
        pytest.param(30 * MINUTE, [40 * MINUTE], id="it goes on with its clock"),
        pytest.param(30 * MINUTE - 1, [20 * MINUTE, 20 * MINUTE], id="it is another"),
    ],
)
def test_s47_a_reopening_within_the_window_resumes(reopen_us: int, elapsed: list[int]) -> None:
    first = outage(f"{DAY}10:00:00Z", f"{DAY}10:20:00Z")
    again = outage(f"{DAY}10:50:00Z", f"{DAY}11:10:00Z", handle="OUT-5")
    other = outage(f"{DAY}10:30:00Z", f"{DAY}10:31:00Z", handle="OUT-6", region="a")
    goal = terms(30 * MINUTE, stop=Stop.END, reopen_us=reopen_us)
    found = timers([again, other, first], goal, instant(f"{DAY}12:00:00Z"))
    own = [one for one in found if one.outage != "OUT-6"]
    assert [one.elapsed_us for one in own] == elapsed
    if len(own) == 1:
        assert (own[0].outage, own[0].reopened) == ("OUT-4", ["OUT-5"])
        assert own[0].state is TimerState.BREACHED
        assert own[0].due_us == instant(f"{DAY}11:00:00Z")


def test_s47_who_took_an_outage_on_has_taken_its_reopening_on() -> None:
    first = outage(f"{DAY}10:00:00Z", f"{DAY}10:20:00Z", acked=f"{DAY}10:05:00Z")
    again = outage(f"{DAY}10:30:00Z", handle="OUT-5")
    goal = terms(15 * MINUTE, reopen_us=HOUR)
    found = only(timers([first, again], goal, instant(f"{DAY}12:00:00Z")))
    assert (found.state, found.elapsed_us) == (TimerState.MET, 5 * MINUTE)


def test_s47_only_outages_of_the_severities_have_timers() -> None:
    grave, light = outage(f"{DAY}10:00:00Z"), outage(f"{DAY}10:00:00Z", severity=Severity.P2)
    assert len(timers([grave, light], terms(HOUR), instant(f"{DAY}10:30:00Z"))) == 1


def test_s47_the_clock_stands_still_in_excluded_time() -> None:
    excluded = [Interval(instant(f"{DAY}10:05:00Z"), instant(f"{DAY}10:15:00Z"))]
    one = outage(f"{DAY}10:00:00Z", acked=f"{DAY}10:20:00Z")
    inside = outage(f"{DAY}10:06:00Z", f"{DAY}10:14:00Z", handle="OUT-5", region="a")
    now_us = instant(f"{DAY}12:00:00Z")
    found = only(timers([one, inside], terms(15 * MINUTE), now_us, excluded))
    assert (found.outage, found.elapsed_us) == ("OUT-4", 10 * MINUTE)
    assert found.due_us == instant(f"{DAY}10:25:00Z")


def test_s47_an_outage_that_was_over_before_it_was_known_took_no_time() -> None:
    one = outage(f"{DAY}10:00:00Z", f"{DAY}10:20:00Z", detected=f"{DAY}11:00:00Z")
    found = only(timers([one], terms(MINUTE, stop=Stop.END), instant(f"{DAY}12:00:00Z")))
    assert (found.state, found.elapsed_us) == (TimerState.MET, 0)


INSTANTS = st.integers(instant("2026-03-25T00:00:00Z"), instant("2026-04-05T00:00:00Z"))


@given(
    INSTANTS,
    st.integers(0, 96 * HOUR),
    st.integers(1, 20 * HOUR),
    st.lists(st.tuples(INSTANTS, st.integers(1, 10 * HOUR)), max_size=3),
)
def test_s47_what_stops_by_its_due_time_is_met(
    begun_us: int, took_us: int, target_us: int, pauses: list[tuple[int, int]]
) -> None:
    spans = [Interval(at_us, at_us + length_us) for at_us, length_us in pauses]
    acked_us = begun_us + took_us
    one = OutageTimes(
        begun_us, detected_us=begun_us, acked_us=acked_us, severity=Severity.P1, pauses=spans
    )
    found = only(timers([one], terms(target_us, hours=OFFICE), acked_us))
    assert found.due_us is not None
    assert found.state in (TimerState.MET, TimerState.BREACHED)
    if acked_us <= found.due_us:
        assert found.state is TimerState.MET
    if found.state is TimerState.BREACHED:
        assert acked_us > found.due_us
    # The clock has run for exactly the target when it is due; what was paused later has no part in it.
    before = [span for span in spans if span.from_us < acked_us]
    open_one = one._replace(acked_us=None, pauses=before)
    due = only(timers([open_one], terms(target_us, hours=OFFICE), found.due_us))
    assert due.elapsed_us == target_us


@given(INSTANTS, st.integers(0, 200 * HOUR), st.integers(0, 50 * HOUR))
def test_s47_a_pause_never_adds_time(begun_us: int, took_us: int, paused_us: int) -> None:
    one = OutageTimes(begun_us, begun_us + took_us, begun_us, severity=Severity.P1)
    pause = Interval(begun_us + took_us // 3, begun_us + took_us // 3 + paused_us)
    goal = terms(HOUR, stop=Stop.END, hours=OFFICE)
    with_it, without = (
        only(timers([each], goal, begun_us + took_us))
        for each in (one._replace(pauses=[pause] if paused_us else []), one)
    )
    assert with_it.elapsed_us <= without.elapsed_us <= took_us


MINUTES = st.integers(0, 10 * 24 * 60)
FIRST = instant("2026-03-25T00:00:00Z")
WARSAW = ZoneInfo("Europe/Warsaw")
SPANS = st.lists(st.tuples(MINUTES, st.integers(1, 900)), max_size=3)


@settings(max_examples=25)
@given(MINUTES, st.integers(0, 4000), st.integers(0, 60), SPANS, SPANS)
def test_s47_the_clock_is_what_counting_minutes_gives(
    begun: int,
    lasted: int,
    waited: int,
    pauses: list[tuple[int, int]],
    dropped: list[tuple[int, int]],
) -> None:
    """Minute by minute by the wall clock of Warsaw, over the change of clocks of 29 March 2026."""

    def spans(listed: list[tuple[int, int]]) -> list[Interval]:
        return union((FIRST + a * MINUTE, FIRST + (a + n) * MINUTE) for a, n in listed)

    def runs(minute: int) -> bool:
        at_us = FIRST + minute * MINUTE
        local = datetime.fromtimestamp(at_us // SECOND, WARSAW)
        is_open = local.weekday() < 5 and 8 <= local.hour < 18
        stands = any(a <= at_us < b for a, b in [*spans(pauses), *spans(dropped)])
        return is_open and not stands

    ended = begun + lasted
    one = OutageTimes(
        FIRST + begun * MINUTE,
        FIRST + ended * MINUTE,
        FIRST + (begun + waited) * MINUTE,
        severity=Severity.P1,
        pauses=spans(pauses),
    )
    goal = terms(HOUR, stop=Stop.END, hours=OFFICE)
    found = timers([one], goal, FIRST + max(ended, begun + waited) * MINUTE, spans(dropped))
    counted = sum(map(runs, range(begun + waited, ended)))
    if found:
        assert found[0].elapsed_us == counted * MINUTE
    else:
        covered = [
            a <= FIRST + m * MINUTE < b
            for m in range(begun, max(ended, begun + 1))
            for a, b in spans(dropped)
        ]
        assert any(covered), "only what is excluded has no timer"
