"""Orders go to the agents that are connected, and to nobody else."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from controller.rpc.sessions import Sessions
from vedette.shared.result import Trigger
from vedette.v1 import session_pb2 as pb


@dataclass(eq=False)
class Stream:
    """Stands for an open session; keeps what it was told to order."""

    agent: str
    region: str
    orders: list[pb.ProbeOrder] = field(default_factory=list)

    def order(self, order: pb.ProbeOrder) -> None:
        self.orders.append(order)


@pytest.fixture
def streams() -> list[Stream]:
    return [Stream("fra-1", "fra"), Stream("fra-2", "fra"), Stream("nyc-1", "nyc")]


@pytest.fixture
async def sessions(streams: list[Stream]) -> Sessions:
    made = Sessions()
    for stream in streams:
        session: Any = stream
        made.open(session)
    return made


async def test_the_regions_are_those_of_open_streams(
    sessions: Sessions, streams: list[Stream]
) -> None:
    gone: Any = streams[0]
    sessions.close(gone)
    assert sessions.regions() == {"fra-2": "fra", "nyc-1": "nyc"}


async def test_an_order_names_checks_and_why(sessions: Sessions, streams: list[Stream]) -> None:
    sessions.order("fra-1", ["home", "name"], Trigger.CONFIRM)
    (order,) = streams[0].orders
    assert (list(order.checks), order.trigger) == (["home", "name"], pb.PROBE_TRIGGER_CONFIRM)
    assert not streams[1].orders
    assert not streams[2].orders


async def test_who_is_not_connected_is_not_asked(sessions: Sessions, streams: list[Stream]) -> None:
    sessions.order("sin-1", ["home"], Trigger.CONFIRM)
    assert not any(stream.orders for stream in streams)


async def test_a_person_asks_every_agent_of_the_regions(
    sessions: Sessions, streams: list[Stream]
) -> None:
    assert sessions.probe(["home"], ["fra", "sin"], Trigger.MANUAL) == ["fra-1", "fra-2"]
    assert [order.trigger for order in streams[1].orders] == [pb.PROBE_TRIGGER_MANUAL]
