"""Conformance of AgentStore and PersonStore."""

from dataclasses import replace

from controller.ports.agents import AgentRecord, JoinToken
from controller.ports.evidence import Segment
from controller.ports.people import PersonToken
from controller.ports.storage import Storage

AGENT = AgentRecord(
    id="fra-1",
    region="fra",
    hostname="box",
    enrolled_us=1,
    evidence_key=b"\x00" * 32,
    sealing_key=b"\xff" * 32,
    active_serial="0a",
    pending_serial=None,
    certificate_ends_us=2,
)


def test_an_agent_is_replaced_whole(storage: Storage) -> None:
    changed = replace(
        AGENT, pending_serial="0b", seen_us=5, clock_offset_us=-7, spool_lines=3, version="0.2"
    )
    with storage.transaction() as tx:
        tx.put_agent(AGENT)
        assert tx.agent("fra-1") == AGENT
        tx.put_agent(changed)
    with storage.transaction() as tx:
        assert tx.agents() == [changed]
        assert tx.agent("nyc-1") is None


def test_agents_come_by_id(storage: Storage) -> None:
    ids = ["b.1", "b-1", "a", "b_1"]
    with storage.transaction() as tx:
        for agent in ids:
            tx.put_agent(replace(AGENT, id=agent))
        assert [agent.id for agent in tx.agents()] == sorted(ids)


def test_lines_are_counted_from_what_was_appended(storage: Storage) -> None:
    segments = [
        Segment("fra-1", "e1", "shop", 1, 2, b"1\n2\n", 9),
        Segment("fra-1", "e1", "shop", 6, 1, b"6\n", 9, lost=3),
        Segment("fra-1", "e1", "@anchors", 1, 1, b"a\n", 9),
    ]
    with storage.transaction() as tx:
        tx.put_agent(replace(AGENT, lines=100, lost=100))
        tx.append(segments, [], [], [], [])
        assert tx.agent("fra-1") == replace(AGENT, lines=4, lost=3)


def test_a_join_token_serves_once(storage: Storage) -> None:
    token = JoinToken("t1", b"\x01" * 32, "fra", 100, "root")
    with storage.transaction() as tx:
        tx.put_join_token(token)
        assert tx.join_token("t1") == token
        assert tx.join_token("t2") is None
        assert tx.use_join_token("t1", "fra-1")
    with storage.transaction() as tx:
        assert not tx.use_join_token("t1", "fra-2")
        assert not tx.use_join_token("t2", "fra-2")
        assert tx.join_token("t1") == replace(token, used_by="fra-1")


def test_a_persons_token_is_found_by_its_id(storage: Storage) -> None:
    token = PersonToken("p1", b"\x02" * 32, "ada", "admin", 100, 1)
    with storage.transaction() as tx:
        tx.put_person_token(token)
        tx.put_person_token(replace(token, id="p2", revoked_us=7))
    with storage.transaction() as tx:
        assert tx.person_token("p1") == token
        assert tx.person_token("p2") == replace(token, id="p2", revoked_us=7)
        assert tx.person_token("p3") is None
