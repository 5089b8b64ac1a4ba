"""Routing: who is told of what, once, in order; held, suppressed, called off, caught up."""

from dataclasses import replace
from typing import Final

import msgspec
import pytest

from controller.core.channels import Choice
from controller.core.wording import Message
from controller.ports.deliveries import Outcome
from controller.ports.incidents import Explained
from controller.ports.postings import Notice, NoticeKind
from tests.fakes.telling import DELIVERED
from tests.unit.services.outbox_scene import SECOND, START, Scene, channel
from vedette.shared.limits import NOTIFY_EVENTS_AT_ONCE_MAX, NOTIFY_HELD_AT_ONCE_MAX

ENDS: Final[tuple[Choice, ...]] = ("outage.opened", "outage.closed")


def message(scene: Scene, event: str) -> Message:
    (one,) = [d for d in scene.deliveries() if d.event == event]
    return msgspec.json.decode(one.message, type=Message)


def test_every_channel_is_told_what_it_chose_in_order() -> None:
    scene = Scene(channel("all"), channel("ends", ENDS), channel("dns", services=["dns"]))
    scene.route("opened", "confirmed", "revised", "closed", "reopened")
    assert scene.send() == [
        "all outage.opened", "ends outage.opened", "all outage.confirmed", "ends outage.closed",
        "all outage.revised", "all outage.closed", "all outage.reopened",
    ]  # fmt: skip


def test_an_event_is_told_once_however_often_it_is_looked_at() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    for _ in range(3):
        scene.router.route()
        scene.restart()
        scene.router.route()
    assert scene.states() == ["outage.opened pending"]


def test_what_was_before_the_first_start_is_not_news() -> None:
    scene = Scene(channel("all"), begins=False)
    scene.happens("opened")
    notice(scene)
    scene.router.begin()
    scene.router.route()
    assert scene.states() == []
    scene.route("closed", "reopened")
    scene.restart()
    scene.router.begin()
    scene.router.route()
    assert scene.send() == ["all outage.reopened"]


def test_a_retraction_reaches_whoever_was_told_and_nobody_else() -> None:
    scene = Scene(channel("told"), channel("fails"), channel("filtered", severities=["P1"]))
    scene.route("opened")
    for parcel in scene.claim():
        outcome = {"told": DELIVERED, "fails": Outcome(error="It answered 500.")}
        scene.outbox.settle({parcel.number: outcome[parcel.channel.id]})
    scene.insight.channels["late"] = channel("late")
    scene.route("retracted")
    retractions = [d.channel for d in scene.deliveries() if d.event == "outage.retracted"]
    assert retractions == ["told", "fails"], "what was tried may have arrived"


def test_what_was_retracted_before_it_was_sent_is_not_sent_at_all() -> None:
    scene = Scene(channel("all"))
    scene.route("opened", "confirmed", "retracted")
    assert scene.send() == []
    assert scene.states() == ["outage.opened suppressed", "outage.confirmed suppressed"]
    assert {d.reason for d in scene.deliveries()} == {"It was retracted before it was sent."}


def test_an_outage_that_became_part_of_another_says_of_which() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    scene.send()
    scene.happens("retracted", absorbed_by=7)
    scene.router.route()
    assert message(scene, "outage.retracted").title == "[OUT-1] home: part of OUT-7 now"


@pytest.mark.parametrize("grade", ["P1", "P3"])
def test_a_channel_is_told_when_an_outage_comes_within_its_filters(grade: str) -> None:
    scene = Scene(channel("grave", ENDS, severities=["P1"]))
    scene.route("opened")
    scene.insight.grade = grade
    scene.route("revised")
    scene.insight.grade = "P2"
    scene.route("closed")
    told = ["outage.opened pending", "outage.closed pending"] if grade == "P1" else []
    assert scene.states() == told


# --- S-16


def test_s16_what_another_outage_explains_is_held_and_told_if_it_outlasts_that() -> None:
    scene = Scene(channel("all"))
    scene.insight.explanations[1] = Explained(9, "shop depends on dns")
    scene.route("opened", "confirmed")
    assert scene.states() == ["outage.opened held", "outage.confirmed suppressed"]
    assert scene.deliveries()[0].reason == "OUT-9 explains it: shop depends on dns."
    scene.pass_seconds(600)
    assert scene.send() == []
    scene.insight.explanations.clear()
    scene.pass_seconds(10)
    assert scene.send() == ["all outage.opened"]
    scene.route("closed")
    assert scene.send() == ["all outage.closed"]


def test_s16_what_ends_with_what_explains_it_is_never_told_and_shows_why() -> None:
    scene = Scene(channel("all"))
    scene.insight.explanations[1] = Explained(9, "shop depends on dns")
    scene.route("opened", "closed")
    scene.insight.explanations.clear()
    scene.pass_seconds(600)
    assert scene.send() == []
    opened, closed = scene.deliveries()
    assert opened.reason == (
        "It was over before it was told: OUT-9 explains it: shop depends on dns."
    )
    assert closed.reason == "This channel was not told of the outage."


def test_s16_however_much_is_held_all_of_it_is_looked_at_in_turn() -> None:
    scene = Scene(channel("all"))
    count = 2 * NOTIFY_HELD_AT_ONCE_MAX + 1
    for number in range(1, count + 1):
        scene.insight.explanations[number] = Explained(999, "shop depends on dns")
        scene.happens("opened", number)
    while scene.router.route():
        pass
    scene.insight.explanations.clear()
    for _ in range(4):
        scene.pass_seconds(10)
    assert len(scene.send()) == count


def test_s16_a_retraction_of_what_is_held_is_told_to_nobody() -> None:
    scene = Scene(channel("all"))
    scene.insight.explanations[1] = Explained(9, "shop depends on dns")
    scene.route("opened", "retracted")
    scene.pass_seconds(600)
    assert scene.send() == []


# --- S-18


def test_s18_while_flapping_one_message_says_so_and_one_that_it_ended() -> None:
    scene = Scene(channel("all"), channel("dns", services=["dns"]))
    scene.route("opened", "closed")
    assert len(scene.send()) == 2
    scene.insight.flaps = {"home"}
    for number in (2, 3, 4):
        scene.route("opened", "closed", number=number)
    scene.pass_seconds(60)
    assert scene.send() == ["all check.flapping"]
    scene.insight.flaps = set()
    scene.pass_seconds(60)
    assert scene.send() == ["all check.steady"]
    scene.pass_seconds(60)
    assert scene.send() == []
    assert message(scene, "check.steady").text.startswith("Service: shop\nNo outage of it is open.")


def test_s18_afterwards_every_channel_is_told_how_what_it_knew_of_ended() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    scene.send()
    scene.insight.flaps = {"home"}
    scene.route("closed", "reopened", "closed")
    scene.route("opened", number=2)
    assert scene.send() == ["all check.flapping"]
    scene.insight.flaps, scene.insight.open = set(), {"home": "OUT-2"}
    scene.pass_seconds(60)
    sent = scene.send()
    assert sorted(sent) == ["all check.steady", "all outage.closed", "all outage.opened"]
    assert "It is down: OUT-2." in message(scene, "check.steady").text
    closed = [d for d in scene.deliveries(subject="OUT-1") if d.event == "outage.closed"]
    assert [d.state.value for d in closed] == ["suppressed", "delivered"]


def test_s18_flapping_is_remembered_over_a_restart() -> None:
    scene = Scene(channel("all"))
    scene.insight.flaps = {"home"}
    scene.route("opened")
    scene.restart()
    scene.route("closed", "reopened")
    assert scene.send() == ["all check.flapping"]


def test_s18_a_check_that_flaps_anew_is_told_of_anew() -> None:
    scene = Scene(channel("all"))
    for number in (1, 2):
        scene.insight.flaps = {"home"}
        scene.route("opened", "closed", number=number)
        scene.insight.flaps = set()
        scene.pass_seconds(60)
    assert scene.send() == [
        "all check.flapping", "all check.steady", "all check.flapping", "all check.steady",
    ]  # fmt: skip


def test_s18_however_many_flap_each_is_looked_at_in_turn() -> None:
    scene = Scene(channel("all"))
    count = NOTIFY_HELD_AT_ONCE_MAX + 1
    scene.insight.flaps = {f"c{number}" for number in range(count)}
    for number in range(count):
        scene.happens("opened", number + 1, check=f"c{number}")
    while scene.router.route():
        pass
    assert scene.send() == ["all check.flapping"] * count
    scene.insight.flaps = set()
    for _ in range(3):
        scene.pass_seconds(10)
    assert scene.send().count("all check.steady") == count


# --- agents


def notice(scene: Scene, number: int = 0, to_us: int | None = None) -> None:
    with scene.storage.transaction() as tx:
        detail = "Agent fra-1 reports no more; region fra gives no evidence."
        tx.put_notice(
            Notice("fra-1", "fra", NoticeKind.SILENT, START, detail, to_us=to_us, number=number)
        )


def test_a_silent_agent_is_one_message_and_its_end_another() -> None:
    scene = Scene(channel("all"), channel("ends", ENDS))
    notice(scene)
    for _ in range(3):
        scene.router.route()
    assert scene.send() == ["all agent.silent"]
    notice(scene, 1, START + 90 * SECOND)
    for _ in range(3):
        scene.router.route()
    assert scene.send() == ["all agent.heard"]
    assert "fra gives no evidence" in message(scene, "agent.silent").text
    notice(scene)
    scene.router.route()
    assert scene.send() == ["all agent.silent"]


# --- odd ledgers


def test_an_event_that_cannot_be_read_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(channel("all"))
    scene.happens("opened", 1)
    scene.happens("opened", 2)
    with scene.storage.transaction() as tx:
        events = list(tx.events_after(0, 10))
    with scene.storage.transaction() as tx:
        tx.put_event(replace(events[0], number=3, revision=1, body=b"{damaged"))
    scene.happens("opened", 4)
    scene.router.route()
    subjects = [d.subject for d in scene.deliveries()]
    assert subjects == ["OUT-1", "OUT-2", "OUT-4"]
    assert "notify.unreadable" in caplog.text


def test_a_long_ledger_is_read_in_parts() -> None:
    scene = Scene(channel("all"))
    for number in range(1, 2 * NOTIFY_EVENTS_AT_ONCE_MAX + 2):
        scene.happens("opened", number)
    assert [scene.router.route() for _ in range(3)] == [True, True, False]
    assert len(scene.deliveries()) == 2 * NOTIFY_EVENTS_AT_ONCE_MAX + 1
