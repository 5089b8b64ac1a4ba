"""Laws of routing: whatever happens, and however it is read in parts, the same is told, once, to the right ones."""

from collections import Counter
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.channels import Choice
from controller.core.notices import DeliveryState
from controller.ports.incidents import Explained
from tests.unit.services.outbox_scene import Scene, channel

# What can follow what, as the ledger of outages has it.
AFTER = {
    "": ("opened",),
    "opened": ("confirmed", "revised", "closed", "retracted"),
    "confirmed": ("revised", "closed", "retracted"),
    "revised": ("revised", "closed", "retracted"),
    "closed": ("revised", "reopened", "retracted"),
    "reopened": ("revised", "closed", "retracted"),
    "retracted": (),
}
ENDS: Final[tuple[Choice, ...]] = ("outage.opened", "outage.closed")


@st.composite
def ledgers(draw: st.DrawFn) -> list[tuple[int, str]]:
    """What happens to three outages, one thing after another."""
    last = dict.fromkeys((1, 2, 3), "")
    found: list[tuple[int, str]] = []
    for _ in range(draw(st.integers(1, 14))):
        able = [number for number, kind in last.items() if AFTER[kind]]
        if not able:
            break
        number = draw(st.sampled_from(able))
        last[number] = draw(st.sampled_from(AFTER[last[number]]))
        found.append((number, last[number]))
    return found


def scene(explained: bool) -> Scene:
    made = Scene(channel("all"), channel("ends", ENDS), channel("grave", severities=["P1"]))
    if explained:
        made.insight.explanations[2] = Explained(1, "shop depends on dns")
    return made


@settings(max_examples=15, deadline=None)
@given(ledgers(), st.lists(st.booleans(), min_size=14, max_size=14), st.booleans())
def test_what_is_told_does_not_depend_on_how_the_ledger_is_read(
    ledger: list[tuple[int, str]], pauses: list[bool], explained: bool
) -> None:
    at_once, in_parts = scene(explained), scene(explained)
    for place, (number, kind) in enumerate(ledger):
        at_once.happens(kind, number)
        in_parts.happens(kind, number)
        if pauses[place]:
            in_parts.router.route()
            in_parts.restart()
    at_once.router.route()
    in_parts.router.route()
    told = [
        [(one.key, one.event, one.state, one.why, one.reason) for one in each.deliveries()]
        for each in (at_once, in_parts)
    ]
    assert told[0] == told[1]
    assert all(count == 1 for count in Counter(one.key for one in at_once.deliveries()).values())


@settings(max_examples=15, deadline=None)
@given(ledgers(), st.lists(st.booleans(), min_size=14, max_size=14))
def test_a_retraction_reaches_exactly_who_was_told(
    ledger: list[tuple[int, str]], sends: list[bool]
) -> None:
    made = scene(explained=True)
    for place, (number, kind) in enumerate(ledger):
        made.happens(kind, number)
        made.router.route()
        if sends[place]:
            made.send()
    made.send()
    for number, kind in ledger:
        if kind == "retracted":
            _exactly_who_was_told(made, f"OUT-{number}")


def _exactly_who_was_told(made: Scene, subject: str) -> None:
    about = made.deliveries(subject=subject)
    arrived = [one for one in about if one.state is DeliveryState.DELIVERED]
    told = {one.channel for one in arrived if one.event != "outage.retracted"}
    corrected = {one.channel for one in arrived if one.event == "outage.retracted"}
    assert corrected == told
    for name in told:
        events = [one.event for one in arrived if one.channel == name]
        assert events[-1] == "outage.retracted"
