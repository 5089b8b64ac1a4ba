"""What a channel is told of an event, given what it was told before (S-16, S-18)."""

from typing import Any

import pytest

from controller.core.channels import Channel, EventName
from controller.core.notices import (
    Course,
    Decision,
    DeliveryState,
    News,
    Past,
    Told,
    Withheld,
    caught_up,
    decision,
    is_called_off,
    told,
)

OPENED, CONFIRMED, REVISED = EventName.OPENED, EventName.CONFIRMED, EventName.REVISED
CLOSED, REOPENED, RETRACTED = EventName.CLOSED, EventName.REOPENED, EventName.RETRACTED
SENT, QUEUED = DeliveryState.DELIVERED, DeliveryState.PENDING
KEPT, HELD, DEAD = DeliveryState.SUPPRESSED, DeliveryState.HELD, DeliveryState.DEAD
ALL = Channel(
    id="all",
    url="x://y",
    on=["outage.opened", "outage.confirmed", "outage.revised", "outage.closed", "outage.reopened"],
)
ENDS = Channel(id="ends", url="x://y", on=["outage.opened", "outage.closed"])
GRAVE = Channel(id="grave", url="x://y", on=["outage.opened", "outage.closed"], severities=["P1"])
CLOSINGS = Channel(id="closings", url="x://y", on=["outage.closed"])


def news(event: EventName, **more: Any) -> News:
    facts = {"check": "home", "service": "shop", "scope": "global", "severity": "P2"}
    is_over = event in (CLOSED, RETRACTED)
    return News(event=event, **{**facts, "is_over": is_over, **more})


def send(event: EventName) -> Decision:
    return Decision(Course.SEND, event)


def none(event: EventName) -> Decision:
    return Decision(Course.NONE, event)


def suppress(event: EventName, why: Withheld) -> Decision:
    return Decision(Course.SUPPRESS, event, why)


@pytest.mark.parametrize(
    ("channel", "event", "known", "expected"),
    [
        pytest.param(ALL, news(OPENED), Told.NOTHING, send(OPENED), id="what it chose"),
        pytest.param(ENDS, news(CONFIRMED), Told.TOLD, none(CONFIRMED), id="not what it did not choose"),
        pytest.param(GRAVE, news(OPENED), Told.NOTHING, none(OPENED), id="not what its filters stop"),
        pytest.param(
            GRAVE, news(CLOSED), Told.TOLD, send(CLOSED),
            id="the end of what it was told, whatever the filters say by then",
        ),
        pytest.param(
            GRAVE, news(REVISED, severity="P1"), Told.NOTHING, send(OPENED),
            id="what comes within its filters later is an opening to it",
        ),
        pytest.param(
            ENDS, news(CONFIRMED), Told.NOTHING, send(OPENED),
            id="a channel that is younger than the outage learns of it late",
        ),
        pytest.param(
            ENDS, news(REVISED, is_over=True), Told.NOTHING, none(REVISED),
            id="but not of one that is over",
        ),
        pytest.param(
            ENDS, news(CLOSED), Told.NOTHING, none(CLOSED), id="no end of what was never told"
        ),
        pytest.param(
            CLOSINGS, news(CLOSED), Told.NOTHING, send(CLOSED), id="unless ends are all it wants"
        ),
        pytest.param(ENDS, news(CLOSED), Told.UNSENT, send(CLOSED), id="after what is on its way"),
        pytest.param(ENDS, news(CLOSED), Told.FAILED, send(CLOSED), id="after what failed"),
        pytest.param(ENDS, news(RETRACTED), Told.TOLD, send(RETRACTED), id="s19 whoever was told"),
        pytest.param(ENDS, news(RETRACTED), Told.NOTHING, none(RETRACTED), id="and nobody else"),
        pytest.param(ENDS, news(RETRACTED), Told.WITHHELD, none(RETRACTED), id="nor one that it was kept from"),
        pytest.param(ENDS, news(RETRACTED), Told.UNSENT, none(RETRACTED), id="nor one that can still be spared it"),
        pytest.param(ENDS, news(RETRACTED), Told.FAILED, none(RETRACTED), id="nor one that it never reached"),
        pytest.param(
            ENDS, news(OPENED, is_explained=True), Told.NOTHING,
            Decision(Course.HOLD, OPENED, Withheld.PARENT),
            id="s16 what another outage explains waits for the end of that",
        ),
        pytest.param(
            ENDS, news(OPENED, is_explained=True, is_over=True), Told.NOTHING,
            suppress(OPENED, Withheld.PARENT), id="s16 and is not told once it is over itself",
        ),
        pytest.param(
            ENDS, news(CLOSED, is_explained=True), Told.TOLD, send(CLOSED),
            id="s16 who was told before learns the end",
        ),
        pytest.param(
            ALL, news(CONFIRMED, is_explained=True), Told.HELD,
            suppress(CONFIRMED, Withheld.UNTOLD), id="s16 nothing follows what is held",
        ),
        pytest.param(
            ALL, news(CLOSED), Told.WITHHELD, suppress(CLOSED, Withheld.UNTOLD),
            id="s16 nothing follows what was withheld",
        ),
        pytest.param(
            ALL, news(REOPENED), Told.WITHHELD, send(REOPENED), id="but that it is down again",
        ),
        pytest.param(
            ENDS, news(OPENED, is_flapping=True), Told.NOTHING,
            suppress(OPENED, Withheld.FLAPPING), id="s18 nothing in between",
        ),
        pytest.param(
            ENDS, news(CLOSED, is_flapping=True), Told.TOLD,
            suppress(CLOSED, Withheld.FLAPPING), id="s18 not even the end",
        ),
        pytest.param(
            ENDS, news(RETRACTED, is_flapping=True), Told.TOLD,
            suppress(RETRACTED, Withheld.FLAPPING), id="s18 nor a retraction",
        ),
    ],
)  # fmt: skip
def test_what_is_told(channel: Channel, event: News, known: Told, expected: Decision) -> None:
    assert decision(channel, event, known) == expected


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        ([], Told.NOTHING),
        ([Past(OPENED, KEPT, 0, Withheld.PARENT)], Told.WITHHELD),
        ([Past(OPENED, HELD, 0, Withheld.PARENT)], Told.HELD),
        ([Past(OPENED, QUEUED, 0)], Told.UNSENT),
        ([Past(OPENED, QUEUED, 1)], Told.TOLD),
        ([Past(OPENED, DeliveryState.SENDING, 1)], Told.TOLD),
        ([Past(OPENED, DEAD, 24)], Told.FAILED),
        ([Past(OPENED, DeliveryState.DROPPED, 24)], Told.FAILED),
        ([Past(OPENED, DEAD, 24), Past(CLOSED, SENT, 1)], Told.TOLD),
        ([Past(OPENED, SENT, 1), Past(REVISED, KEPT, 0, Withheld.FLAPPING)], Told.TOLD),
    ],
)
def test_what_a_channel_knows(past: list[Past], expected: Told) -> None:
    assert told(past) is expected


@pytest.mark.parametrize(
    ("event", "one", "expected"),
    [
        pytest.param(RETRACTED, Past(OPENED, QUEUED, 0), True, id="nobody can have heard of it"),
        pytest.param(RETRACTED, Past(OPENED, QUEUED, 1), False, id="somebody may have"),
        pytest.param(RETRACTED, Past(OPENED, HELD, 0), True, id="held and none"),
        pytest.param(CLOSED, Past(OPENED, QUEUED, 0), False, id="it was one, and is told of"),
        pytest.param(CLOSED, Past(OPENED, HELD, 0), True, id="held until it was over"),
        pytest.param(CONFIRMED, Past(OPENED, HELD, 0), False, id="it goes on"),
    ],
)
def test_what_is_called_off(event: EventName, one: Past, expected: bool) -> None:
    assert is_called_off(event, one) is expected


def kept(event: EventName) -> Past:
    return Past(event, KEPT, 0, Withheld.FLAPPING)


@pytest.mark.parametrize(
    ("past", "expected"),
    [
        pytest.param([Past(OPENED, SENT, 1), kept(CLOSED)], 1, id="its end was not told"),
        pytest.param([Past(OPENED, SENT, 1), kept(CLOSED), kept(REOPENED)], None, id="it is as was told"),
        pytest.param(
            [Past(OPENED, SENT, 1), Past(CLOSED, SENT, 1), kept(REOPENED)], 2, id="it is down again"
        ),
        pytest.param([kept(OPENED)], 0, id="it is down, and nobody knows"),
        pytest.param([kept(OPENED), kept(CLOSED)], None, id="it came and went"),
        pytest.param([kept(OPENED), kept(CLOSED), kept(REOPENED)], 2, id="it came, went and is back"),
        pytest.param([Past(OPENED, SENT, 1), kept(RETRACTED)], 1, id="it was none"),
        pytest.param([Past(OPENED, SENT, 1), kept(REVISED)], None, id="what is down stays down"),
    ],
)  # fmt: skip
def test_s18_after_flapping_each_channel_knows_how_it_stands(
    past: list[Past], expected: int | None
) -> None:
    assert caught_up(past) == expected
