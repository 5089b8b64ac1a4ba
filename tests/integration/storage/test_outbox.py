"""A whole life of the outbox on both databases: routed, sent, lost, given up, repeated."""

from controller.ports.custody import Actor
from controller.ports.deliveries import Outcome
from controller.ports.incidents import Explained
from controller.storage.database import SqlStorage
from tests.unit.services.outbox_scene import SECOND, Scene, channel

FAILED = Outcome(error="chat.example answered 500.")


def test_a_life_of_the_outbox(storage: SqlStorage) -> None:
    scene = Scene(channel("a"), channel("b", severities=["P1"]), storage=storage)
    scene.insight.explanations[2] = Explained(1, "shop depends on dns")
    scene.route("opened", "confirmed")
    scene.route("opened", number=2)
    (lost,) = scene.claim()
    scene.restart()
    assert [one.number for one in scene.claim()] == [lost.number]
    scene.outbox.settle({lost.number: Outcome(error="gone", is_final=True)})
    assert scene.send() == ["a outage.confirmed"]
    scene.outbox.retry(lost.number, Actor("ann"))
    assert scene.send() == ["a outage.opened"]
    scene.insight.explanations.clear()
    scene.pass_seconds(600)
    assert scene.send(FAILED) == ["a outage.opened"]
    scene.route("retracted", number=2)
    scene.route("closed")
    scene.now_us += 3600 * SECOND
    assert sorted(scene.send()) == ["a outage.closed", "a outage.opened", "a outage.retracted"]
    assert scene.states() == [
        "outage.opened delivered", "outage.confirmed delivered", "outage.opened delivered",
        "outage.retracted delivered", "outage.closed delivered",
    ]  # fmt: skip
