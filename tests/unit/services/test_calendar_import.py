"""Importing calendars: again and again, with changes, within what may still be declared."""

from collections.abc import Sequence
from typing import Any

import pytest

from controller.errors import BadInput
from controller.services.contracts.calendar_import import (
    CalendarAsked,
    CalendarEvent,
    CalendarImport,
)
from controller.services.contracts.exclusion_ledger import Occurrence
from controller.services.contracts.exclusions import Asked, Exclusions
from controller.services.contracts.terms import Terms
from tests.unit.services.conftest import FLEET, SECOND, START, World
from tests.unit.services.test_exclusions import ADA, BO, CONTRACT, DAY, HOUR

TEMPLATE = Asked("scheduled", 0, 0, "work.ics", services=("shop",))


def event(
    day: int, *, uid: str = "patch", hours: int = 2, moved: int = 0, **more: Any
) -> CalendarEvent:
    """The occurrence of that day from START, moved by so many hours."""
    from_us = START + day * DAY + moved * HOUR
    return CalendarEvent(
        Occurrence(uid, f"day {day}"), from_us, from_us + hours * HOUR, "Patch", **more
    )


class Calendars:
    """A world into which calendars are imported."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.fleets.apply(FLEET + CONTRACT, "fleet.yaml", "ada")
        terms = Terms()
        self.exclusions = Exclusions(world.storage, terms, lambda: world.now_us)
        self._calendars = CalendarImport(world.storage, terms, lambda: world.now_us)

    def take(
        self,
        *events: CalendarEvent,
        is_dry: bool = False,
        template: Asked = TEMPLATE,
        uids: Sequence[str] = (),
    ) -> list[tuple[str, str, str]]:
        known = frozenset({one.occurrence.uid for one in events} | set(uids))
        now_us = self.world.now_us
        asked = CalendarAsked(template, events, known, now_us, now_us + 366 * DAY)
        done = self._calendars.run(asked, ADA, is_dry=is_dry)
        return [(one.step, one.id, one.replaces or one.why) for one in done]

    def live(self) -> list[tuple[str, int]]:
        """Id and day of every exclusion that was not withdrawn."""
        return [
            (v.declaration.exclusion.id, (v.declaration.exclusion.interval.from_us - START) // DAY)
            for v in self.exclusions.list()
            if v.declaration.withdrawn_us is None
        ]


@pytest.fixture
def calendars(world: World) -> Calendars:
    return Calendars(world)


def test_a_second_import_changes_nothing(calendars: Calendars) -> None:
    dry = calendars.take(event(2), event(9), is_dry=True)
    assert calendars.live() == []
    first = calendars.take(event(2), event(9))
    assert first == dry
    assert [step for step, _, _ in first] == ["declare", "declare"]
    again = calendars.take(event(2), event(9))
    assert again == [("keep", name, "") for _, name, _ in first]
    assert [day for _, day in calendars.live()] == [2, 9]
    (view, _) = calendars.exclusions.list()
    own = view.declaration
    assert (own.source, own.exclusion.by, own.exclusion.reason) == ("calendar", "ada", "Patch")
    assert view.effects[0].status == "applied"


def test_a_changed_occurrence_replaces_what_was_declared(calendars: Calendars) -> None:
    ((_, old, _),) = calendars.take(event(2))
    assert calendars.take(event(2, moved=3)) == [("replace", f"{old}-2", old)]
    assert calendars.take(event(2, moved=4)) == [("replace", f"{old}-3", f"{old}-2")]
    assert [name for name, _ in calendars.live()] == [f"{old}-3"]
    gone = calendars.exclusions.show(old)
    assert gone.entries[-1].text == f"replaced by {old}-2"
    assert gone.effects[0].status == "withdrawn"


def test_what_is_cancelled_or_gone_is_withdrawn_and_may_come_back(calendars: Calendars) -> None:
    ids = [name for _, name, _ in calendars.take(event(2), event(3), event(4))]
    assert calendars.take(event(2, is_cancelled=True), event(4)) == [
        ("withdraw", ids[0], "cancelled in the calendar"),
        ("keep", ids[2], ""),
        ("withdraw", ids[1], "no longer in the calendar"),
    ]
    assert calendars.take(event(2, is_cancelled=True), event(4)) == [
        ("skip", ids[0], "cancelled"), ("keep", ids[2], ""),
    ]  # fmt: skip
    assert calendars.take(event(2), event(4))[0] == ("declare", f"{ids[0]}-2", "")


def test_an_event_that_the_file_does_not_name_at_all_is_left(calendars: Calendars) -> None:
    calendars.take(event(2), event(3, uid="other"))
    assert [step for step, _, _ in calendars.take(event(2))] == ["keep"]
    assert [step for step, _, _ in calendars.take(event(2), uids=["other"])] == ["keep", "withdraw"]


def test_what_has_begun_is_history(calendars: Calendars) -> None:
    ((_, name, _),) = calendars.take(event(2))
    calendars.world.now_us = START + 2 * DAY
    assert calendars.take(event(2, moved=-1)) == [
        ("keep", name, "has begun: what changed is not taken over")
    ]
    assert calendars.take(event(2, is_cancelled=True)) == [
        ("skip", name, "has begun: withdraw it by command")
    ]
    assert calendars.take(uids=["patch"]) == []
    assert calendars.take(event(1)) == [("skip", "", "began before it was declared")]
    assert [one for one, _ in calendars.live()] == [name]
    fault = Asked("customer_fault", 0, 0, "x", services=("shop",))
    assert calendars.take(event(1, uid="theirs"), template=fault)[0][0] == "declare"


def test_one_that_a_person_withdrew_is_not_brought_back(calendars: Calendars) -> None:
    ((_, name, _),) = calendars.take(event(2))
    calendars.exclusions.withdraw(name, "not ours", BO)
    assert calendars.take(event(2)) == [("keep", name, "withdrawn by command")]
    assert calendars.take(event(2, moved=1)) == [("declare", f"{name}-2", "")]


def test_scopes_are_imported_beside_one_another(calendars: Calendars) -> None:
    everything = Asked("scheduled", 0, 0, "x", is_for_all=True)
    one = Asked("scheduled", 0, 0, "x", checks=("shop-home",))
    for template in (TEMPLATE, everything, one):
        assert calendars.take(event(2), template=template)[0][0] == "declare"
        assert calendars.take(event(2), template=template)[0][0] == "keep"
    assert len(calendars.live()) == 3


def test_an_import_is_whole_or_not_at_all(calendars: Calendars) -> None:
    for events, problem in (
        ([event(2), event(2)], "Expected each occurrence once, found one of 'patch' again"),
        ([event(2), event(3, hours=-1)], "to: expected an instant after `from`"),
        ([event(2), event(3, uid="")], "Expected a UID of 1 to 255 characters, found ''"),
        ([event(day) for day in range(2, 1003)], "at most 1000 occurrences, found 1001"),
    ):
        with pytest.raises(BadInput, match=problem):
            calendars.take(*events)
    assert calendars.live() == []


def test_a_full_import_takes_no_time_that_anybody_notices(calendars: Calendars) -> None:
    many = [event(2 + number % 300, uid=f"u{number}") for number in range(1000)]
    assert {step for step, _, _ in calendars.take(*many)} == {"declare"}
    assert {step for step, _, _ in calendars.take(*many)} == {"keep"}
    assert len(calendars.live()) == 1000
    calendars.world.now_us += SECOND
    assert len(calendars.exclusions.list(START)) == 1000
