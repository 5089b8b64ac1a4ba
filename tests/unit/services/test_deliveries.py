"""The outbox: at least once, in order, with an end; and what people can do about dead letters."""

import random
from dataclasses import replace
from fractions import Fraction
from typing import Final

import pytest

from controller.clock import LedgerClock
from controller.core.notices import DeliveryState
from controller.errors import BadInput, NotFound
from controller.ports.custody import Actor
from controller.ports.deliveries import DeliveryQuery, Outcome
from controller.services.notify.deliveries import Outbox
from tests.fakes.telling import DELIVERED
from tests.unit.services.outbox_scene import SECOND, Scene, channel
from vedette.shared.limits import NOTIFY_ATTEMPTS_MAX

FAILED: Final = Outcome(error="chat.example answered 500.")
ANN: Final = Actor("ann")


def fail_until_dead(scene: Scene) -> int:
    """Let everything that is due fail until nothing is; how often that was."""
    attempts = 0
    for _ in range(100):
        parcels = scene.claim()
        attempts += len(parcels)
        scene.outbox.settle({one.number: FAILED for one in parcels})
        if scene.dead():
            return attempts
        scene.now_us += 3600 * SECOND
    raise AssertionError("it never ended")


def test_what_failed_is_tried_again_later_and_later() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    waits = []
    (one,) = scene.deliveries()
    for _ in range(4):
        (parcel,) = scene.claim()
        scene.outbox.settle({parcel.number: FAILED})
        (one,) = scene.deliveries()
        waits.append((one.due_us - scene.now_us) // SECOND)
        assert scene.claim() == []
        scene.now_us = one.due_us
    assert waits == [5, 10, 20, 40]
    assert (one.attempts, one.error) == (4, "chat.example answered 500.")
    assert scene.send() == ["all outage.opened"]


def test_an_end_never_overtakes_its_beginning_and_others_do_not_wait() -> None:
    scene = Scene(channel("all"), channel("other"))
    scene.route("opened", "closed")
    first = {one.channel.id: one for one in scene.claim()}
    assert {one.message.event for one in first.values()} == {"outage.opened"}
    scene.outbox.settle({first["all"].number: FAILED, first["other"].number: DELIVERED})
    scene.route("opened", number=2)
    assert [f"{one.channel.id} {one.message.subject} {one.message.event}" for one in scene.claim()] == [
        "all OUT-2 outage.opened", "other OUT-1 outage.closed", "other OUT-2 outage.opened",
    ]  # fmt: skip


def test_what_was_on_its_way_when_the_controller_ended_is_sent_again() -> None:
    scene = Scene(channel("all"))
    scene.route("opened", "closed")
    (lost,) = scene.claim()
    scene.restart()
    (again,) = scene.claim()
    assert (again.number, again.message) == (lost.number, lost.message)
    scene.outbox.settle({again.number: DELIVERED})
    assert scene.send() == ["all outage.closed"]
    assert [one.attempts for one in scene.deliveries()] == [2, 1]


def test_a_late_word_of_a_former_controller_changes_nothing() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    (parcel,) = scene.claim()
    scene.outbox.settle({parcel.number: DELIVERED})
    scene.outbox.settle({parcel.number: FAILED, 99: DELIVERED})
    assert scene.states() == ["outage.opened delivered"]


def test_after_so_many_attempts_it_is_given_up_and_the_next_has_its_turn(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scene = Scene(channel("all"))
    scene.route("opened", "closed")
    assert fail_until_dead(scene) == NOTIFY_ATTEMPTS_MAX
    assert "notify.dead" in caplog.text
    assert scene.send() == ["all outage.closed"]


def test_a_server_that_wants_no_more_is_not_asked_again() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    scene.send(Outcome(error="It answered 410: it wants no more of these.", is_final=True))
    assert scene.states() == ["outage.opened dead"]


def test_a_server_that_asks_for_time_is_given_it() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    scene.send(Outcome(error="It answered 429.", wait_us=120 * SECOND))
    (one,) = scene.deliveries()
    assert one.due_us == scene.now_us + 120 * SECOND


def test_a_dead_letter_can_be_sent_again_and_says_what_it_comes_after() -> None:
    scene = Scene(channel("all"))
    scene.route("opened", "closed")
    fail_until_dead(scene)
    scene.send()
    (dead,) = scene.dead()
    later = scene.outbox.retry(dead.number, ANN)
    assert [one.event for one in later] == ["outage.closed"]
    assert scene.send() == ["all outage.opened"]
    with pytest.raises(
        BadInput, match="Delivery 1 is delivered, and only a dead one can be sent again"
    ):
        scene.outbox.retry(dead.number, ANN)


def test_what_was_retracted_since_is_not_sent_again() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    fail_until_dead(scene)
    scene.route("retracted")
    assert scene.send() == []
    with pytest.raises(BadInput, match="OUT-1 was retracted since"):
        scene.outbox.retry(1, ANN)
    scene.outbox.drop(1, ANN)


def test_a_dead_letter_can_be_dropped() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    fail_until_dead(scene)
    scene.outbox.drop(1, ANN)
    assert scene.states() == ["outage.opened dropped"]
    assert scene.send() == []
    with pytest.raises(BadInput, match="only a dead one can be dropped"):
        scene.outbox.drop(1, ANN)


def test_what_people_do_stands_in_the_ledger_of_acts() -> None:
    scene = Scene(channel("all"))
    scene.route("opened", "closed")
    fail_until_dead(scene)
    scene.outbox.retry(1, ANN)
    fail_until_dead(scene)
    scene.outbox.drop(1, ANN)
    scene.outbox.trial("all", ANN)
    with scene.storage.transaction() as tx:
        acts = [(act.who, act.action, act.subject) for act in tx.acts(None, 9)]
    assert acts == [
        ("ann", "notify.test", "channel all"),
        ("ann", "notify.drop", "delivery 1"),
        ("ann", "notify.retry", "delivery 1"),
    ]


def test_a_channel_that_left_the_fleet_leaves_dead_letters() -> None:
    scene = Scene(channel("all"))
    scene.route("opened")
    gone = scene.insight.channels.pop("all")
    assert scene.send() == []
    (dead,) = scene.dead()
    assert dead.error == "There is no such channel in the fleet file any more."
    with pytest.raises(BadInput, match="Delivery 1 is for channel all"):
        scene.outbox.retry(dead.number, ANN)
    scene.insight.channels["all"] = gone
    scene.outbox.retry(dead.number, ANN)
    assert scene.send() == ["all outage.opened"]


def test_a_missing_secret_is_a_failed_attempt_that_says_what_to_do() -> None:
    scene = Scene(channel("all"))
    scene.secrets.missing = {"path"}
    scene.route("opened")
    assert scene.claim() == []
    (one,) = scene.deliveries()
    assert (one.state, one.attempts) == (DeliveryState.PENDING, 1)
    assert one.error == "There is no secret path: `vedette secret set path`."
    scene.secrets.missing = set()
    scene.now_us = one.due_us
    (parcel,) = scene.claim()
    assert parcel.values == {"path": "value of path"}
    assert "value of" not in repr(parcel)


def test_what_there_is_not_is_said() -> None:
    scene = Scene(channel("all"))
    with pytest.raises(NotFound, match="There is no delivery 7"):
        scene.outbox.show(7)
    with pytest.raises(NotFound, match=r"There is no channel 'opsy' in the fleet file \(all\)"):
        scene.outbox.trial("opsy", ANN)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_fails_and_ends_each_is_told_in_order_and_nothing_is_lost(seed: int) -> None:
    """A life of crashes, failures and successes by chance: what arrived first arrived in order, all of it."""
    chance = random.Random(seed)
    scene = Scene(channel("a"), channel("b"))
    arrived: dict[tuple[str, str], list[str]] = {}
    story = ["opened", "confirmed", "revised", "closed", "reopened", "closed"]
    ahead = {number: list(story) for number in (1, 2, 3)}
    while any(ahead.values()) or scene.deliveries(states=_UNDONE):
        for number, rest in ahead.items():
            if rest and chance.random() < 0.3:
                scene.happens(rest.pop(0), number)
        if chance.random() < 0.7 or not any(ahead.values()):
            scene.router.route()
        for parcel in scene.claim(chance.randint(0, 2)):
            is_taken = chance.random() < 0.6
            if is_taken:
                told = arrived.setdefault((parcel.channel.id, parcel.message.subject), [])
                event = parcel.message.event.removeprefix("outage.")
                key = f"{event} {parcel.message.key}"
                if key not in told:
                    told.append(key)
            if chance.random() < 0.9:
                scene.outbox.settle({parcel.number: DELIVERED if is_taken else FAILED})
        if chance.random() < 0.1:
            scene.restart()
        elif not any(ahead.values()):
            # What was claimed and not settled waits for the next controller.
            scene.restart()
        scene.now_us += chance.randint(0, 60) * SECOND
    assert sorted(arrived) == [(c, f"OUT-{n}") for c in "ab" for n in (1, 2, 3)]
    assert {tuple(one.split()[0] for one in told) for told in arrived.values()} == {tuple(story)}


_UNDONE: Final = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.HELD)


def test_s21_what_arrives_after_the_clock_was_set_back_is_recorded_later_all_the_same() -> None:
    """A report as of an instant before must not come to tell of it."""
    scene = Scene(channel("all"))
    ledger = LedgerClock(lambda: scene.now_us)
    where = (scene.storage, lambda tx: scene.insight.channels, scene.secrets)
    outbox = Outbox(*where, lambda: scene.now_us, lambda: Fraction(1), ledger)
    scene.route("opened")
    known_us = ledger()
    scene.now_us -= 3600 * SECOND
    with scene.storage.transaction() as tx:
        (waiting,) = tx.deliveries(DeliveryQuery())
        tx.put_delivery(replace(waiting, due_us=scene.now_us))
    (parcel,) = outbox.claim(lambda name: 1)
    outbox.settle({parcel.number: DELIVERED})
    with scene.storage.transaction() as tx:
        (told_us,) = tx.first_delivered_us(["OUT-1"]).values()
    assert told_us > known_us
    assert parcel.message.subject == "OUT-1"
