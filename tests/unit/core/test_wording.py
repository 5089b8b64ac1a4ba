"""What messages say: handle first, bounds with every figure, the same reference in all of them."""

from typing import Any

import msgspec
import pytest

from controller.core.channels import EventName
from controller.core.wording import (
    Level,
    OutageFacts,
    OutageNews,
    agent_message,
    flapping_message,
    outage_facts,
    outage_message,
    spoken,
    steady_message,
    trial_message,
)

SECOND = 1_000_000
START = 1_767_225_600 * SECOND


def news(event: EventName, **more: Any) -> OutageNews:
    facts = {
        "id": "c" * 64, "check": "shop-home", "started_us": START, "until_us": START + 725 * SECOND,
        "ended_us": START + 725 * SECOND, "confirmed_us": START, "downtime_us": 600 * SECOND,
        "downtime_us_min": 540 * SECOND, "downtime_us_max": 700 * SECOND + 1, "unknown_us": 0,
        "regions": ["fra", "nyc"], "kinds": [("connection_refused", 9), ("bad_status", 1)],
    }  # fmt: skip
    outage = {key: more.pop(key) for key in list(more) if key in OutageFacts.__struct_fields__}
    head: dict[str, Any] = {
        "handle": "OUT-12", "revision": 3, "sequence": 42, "recorded_us": START, "service": "shop",
        "severity": "P1",
    }  # fmt: skip
    return OutageNews(event=event, outage=OutageFacts(**{**facts, **outage}), **{**head, **more})


def test_an_opening_in_full() -> None:
    message = outage_message(news(EventName.OPENED, ended_us=None), "ops/outage/42")
    assert message.title == "[OUT-12] P1 shop-home is down"
    assert message.text == (
        "Service: shop\n"
        "Check: shop-home\n"
        "Severity: P1\n"
        "Started: 2026-01-01T00:00:00Z\n"
        "Ended: not yet\n"
        "Down for: 10m (between 9m and 11m 41s)\n"
        "Regions: fra, nyc\n"
        "Failures: connection_refused, bad_status\n"
        "\n"
        "Reference: OUT-12 | ops/outage/42"
    )
    assert (message.subject, message.key, message.level) == (
        "OUT-12",
        "ops/outage/42",
        Level.FAILURE,
    )
    assert message.facts["outage"] == {
        "id": "c" * 64, "check": "shop-home", "started_us": START, "until_us": START + 725 * SECOND,
        "ended_us": None, "confirmed_us": START, "downtime_us": 600 * SECOND,
        "downtime_us_min": 540 * SECOND, "downtime_us_max": 700 * SECOND + 1, "unknown_us": 0,
        "regions": ["fra", "nyc"], "kinds": ["connection_refused", "bad_status"], "transients": 0,
        "region": None, "scope": "global", "handle": "OUT-12", "revision": 3, "service": "shop",
        "severity": "P1", "absorbed_by": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("told", "title", "level"),
    [
        (news(EventName.CONFIRMED), "P1 shop-home is down, by every reading of the evidence", "failure"),
        (news(EventName.REVISED), "P1 shop-home: outage revised by late evidence", "warning"),
        (news(EventName.CLOSED), "shop-home is up again after 12m 5s", "success"),
        (news(EventName.REOPENED), "P1 shop-home is down again", "failure"),
        (news(EventName.RETRACTED), "shop-home was not down after all", "success"),
        (news(EventName.RETRACTED, absorbed_by="OUT-9"), "shop-home: part of OUT-9 now", "success"),
        (news(EventName.OPENED, region="fra", severity="P3", ended_us=None), "P3 shop-home in fra is down", "failure"),
        (news(EventName.OPENED, severity="", ended_us=None), "shop-home is down", "failure"),
        (news(EventName.OPENED), "P1 shop-home was down for 12m 5s, which is learnt now", "failure"),
    ],
)  # fmt: skip
def test_every_title_begins_with_the_handle(told: OutageNews, title: str, level: str) -> None:
    message = outage_message(told, "k")
    assert message.title == f"[OUT-12] {title}"
    assert message.level.value == level
    assert message.text.endswith("Reference: OUT-12 | k")


def test_a_retraction_says_why() -> None:
    gone = outage_message(news(EventName.RETRACTED), "k").text
    assert "Later evidence shows that it was none. What stands above is what was believed." in gone
    into = outage_message(news(EventName.RETRACTED, absorbed_by="OUT-9"), "k").text
    assert "Later evidence made it a part of OUT-9." in into


def test_a_figure_that_is_certain_has_no_bounds() -> None:
    down = dict.fromkeys(("downtime_us", "downtime_us_min", "downtime_us_max"), 60 * SECOND)
    assert "Down for: 1m\n" in outage_message(news(EventName.CLOSED, **down), "k").text


def test_flapping_is_said_with_its_score_and_its_end_with_how_it_stands() -> None:
    begun = flapping_message("home", "shop", key="k", at_us=START, score="43 %")
    assert begun.title == "[home] home is flapping"
    assert "(flap score 43 %)" in begun.text
    up = steady_message("home", "shop", key="k", at_us=START, open_outage=None)
    down = steady_message("home", "shop", key="k", at_us=START, open_outage="OUT-3")
    assert (up.level, down.level) == (Level.SUCCESS, Level.FAILURE)
    assert begun.subject == up.subject == down.subject == "check/home"
    assert down.facts == {"check": {"id": "home", "service": "shop", "open_outage": "OUT-3"}}


def test_an_agent_is_told_of_by_name() -> None:
    message = agent_message(
        EventName.SILENT, "fra-1", "fra", key="k", at_us=START, from_us=START,
        detail="Agent fra-1 reports no more.",
    )  # fmt: skip
    assert message.title == "[fra-1] agent is silent"
    assert "Last heard: 2026-01-01T00:00:00Z" in message.text
    assert message.subject == "agent/fra-1"


def test_a_trial_says_who_asked() -> None:
    message = trial_message("ops", key="k", at_us=START, by="ann")
    assert message.text.startswith("ann asked whether this channel works.")


@pytest.mark.parametrize(
    ("micros", "words"),
    [(0, "0s"), (1, "1s"), (SECOND, "1s"), (60 * SECOND, "1m"), (90_061 * SECOND, "1d 1h 1m 1s")],
)
def test_durations_are_rounded_up_to_seconds(micros: int, words: str) -> None:
    assert spoken(micros) == words


def test_a_body_with_more_in_it_is_read_and_a_damaged_one_is_not() -> None:
    body = msgspec.json.encode({**msgspec.to_builtins(news(EventName.OPENED).outage), "more": 1})
    assert outage_facts(body) == news(EventName.OPENED).outage
    with pytest.raises(ValueError, match="a stored outage is damaged"):
        outage_facts(b'{"id": 5}')
