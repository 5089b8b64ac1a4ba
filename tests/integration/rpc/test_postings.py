"""Places, labels, modes, changes to assignments and reports, over real mTLS; agents of an older protocol too."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from controller.identity.roles import Role
from tests.integration.rpc.running import (
    Running,
    Site,
    Stream,
    connected,
    frame,
    line,
    now_us,
    refused,
)
from vedette.shared.anchors import decode_anchor
from vedette.shared.definitions import decode_check
from vedette.v1 import access_pb2, access_pb2_grpc, fleet_pb2, fleet_pb2_grpc
from vedette.v1 import session_pb2 as pb

FLEET = b"""version: 1
regions: [{id: fra}, {id: nyc}, {id: ams}, {id: osl}]
services: [{id: shop}]
anchors:
  - {tcp: {host: 192.0.2.10, port: 443}}
  - {icmp: {host: 192.0.2.11, count: 1}}
  - {dns: {name: example.com, servers: [192.0.2.12]}}
checks:
  - {id: home, service: shop, every: 10s, timeout: 5s, http: {url: "https://shop.example/"}}
  - {id: inner, service: shop, every: 60s, timeout: 5s, agents: {rack: a}, icmp: {host: shop.example}}
"""
NOTHING = hashlib.sha256(b"").hexdigest()


@pytest.fixture(scope="module", autouse=True)
def fleet(controller: Running) -> None:
    assert not controller.apply(FLEET).problems


@pytest.fixture
def site(controller: Running) -> Site:
    return controller.enrol(controller.join_token("fra"))


@contextmanager
def agents(controller: Running) -> Iterator[access_pb2_grpc.AgentServiceStub]:
    with controller.people() as channel:
        yield access_pb2_grpc.AgentServiceStub(channel)


def shown(controller: Running, site: Site) -> access_pb2.GetAgentResponse:
    with agents(controller) as stub:
        return stub.GetAgent(
            access_pb2.GetAgentRequest(agent=site.agent), **controller.call(Role.AUDITOR)
        )


def label(controller: Running, site: Site, *remove: str, **labels: str) -> dict[str, str]:
    with agents(controller) as stub:
        request = access_pb2.LabelAgentRequest(agent=site.agent, set=labels, remove=remove)
        return dict(stub.LabelAgent(request, **controller.call()).labels)


def set_mode(
    controller: Running, site: Site, mode: "access_pb2.AgentMode.ValueType", reason: str = ""
) -> access_pb2.SetAgentModeResponse:
    with agents(controller) as stub:
        request = access_pb2.SetAgentModeRequest(agent=site.agent, mode=mode, reason=reason)
        return stub.SetAgentMode(request, **controller.call(Role.OPERATOR))


@contextmanager
def stream_of(
    controller: Running, site: Site, *, protocol: int = 1, runs: str = "", **hello: Any
) -> Iterator[Stream]:
    """A stream of an agent that speaks this version and runs that revision."""
    with controller.agents(site.key_pem, site.chain_pem) as channel:
        stream = Stream(channel)
        said = pb.Hello(
            version="0.1.0", epoch="e1", can_probe=["http"], protocol=protocol,
            assignment_revision=runs, **hello,
        )  # fmt: skip
        stream.send(hello=said)
        try:
            yield stream
        finally:
            stream.close()


def stored(stream: Stream, assignment: pb.Assignment) -> None:
    stream.send(assignment_ack=pb.AssignmentAck(revision=assignment.revision))
    settled(stream)


def settled(stream: Stream) -> None:
    """What was sent before has been taken."""
    stream.send(clock_probe=pb.ClockProbe())
    stream.until("clock_reply")


def ids(assignment: pb.Assignment) -> list[str]:
    return sorted(decode_check(one.definition).id for one in assignment.checks)


def test_agents_of_a_region_have_places_of_their_own_and_keep_them(controller: Running) -> None:
    sites = [controller.enrol(controller.join_token("ams")) for _ in range(3)]
    places = []
    for one in sites:
        with stream_of(controller, one) as stream:
            places.append(stream.until("assignment").place)
    assert places == [0, 1, 2]
    with agents(controller) as stub:
        stub.RevokeAgent(
            access_pb2.RevokeAgentRequest(agent=sites[0].agent, reason="gone"), **controller.call()
        )
    assert [shown(controller, one).place for one in sites[1:]] == [1, 2]
    late = controller.enrol(controller.join_token("ams"))
    with stream_of(controller, late) as stream:
        assert stream.until("assignment").place == 0


def test_anchors_come_with_the_assignment_at_a_bounded_interval(
    controller: Running, site: Site
) -> None:
    with stream_of(controller, site) as stream:
        anchors = stream.until("assignment").anchors
    assert [decode_anchor(one).host for one in anchors.targets] == [
        "192.0.2.10", "192.0.2.11", "192.0.2.12",
    ]  # fmt: skip
    assert anchors.interval_us == 10_000_000
    assert shown(controller, site).anchors == 3


def test_a_check_goes_to_agents_with_its_labels_as_a_change(
    controller: Running, site: Site
) -> None:
    with stream_of(controller, site, labels={"rack": "a", "bad key": "x"}) as stream:
        first = stream.until("assignment")
        assert (ids(first), first.base) == (["home"], "")
        stored(stream, first)
        # What a site claims selects nothing; what an admin sets does.
        assert dict(shown(controller, site).claimed) == {"rack": "a"}
        assert label(controller, site, rack="a", owner="ops") == {"rack": "a", "owner": "ops"}
        second = stream.until("assignment")
        assert (ids(second), second.base, list(second.removed)) == (["inner"], first.revision, [])
        stored(stream, second)
        assert label(controller, site, "rack") == {"owner": "ops"}
        third = stream.until("assignment")
        assert (ids(third), third.base) == ([], second.revision)
        assert [*third.removed] == [one.digest for one in second.checks]
        assert third.revision == first.revision


def test_an_agent_that_does_not_run_the_base_gets_all_of_it(
    controller: Running, site: Site
) -> None:
    with stream_of(controller, site) as stream:
        first = stream.until("assignment")
        stored(stream, first)
        label(controller, site, rack="a")
        assert stream.until("assignment").base == first.revision
        stream.send(assignment_ack=pb.AssignmentAck(revision="other", needs_whole=True))
        again = stream.until("assignment")
        assert (again.base, ids(again)) == ("", ["home", "inner"])
    with stream_of(controller, site, runs="never made here") as stream:
        assert stream.until("assignment").base == ""


def test_an_agent_of_the_first_protocol_works_with_whole_assignments(
    controller: Running, site: Site
) -> None:
    with connected(controller, site) as stream:
        first = stream.until("assignment")
        stored(stream, first)
        label(controller, site, rack="a")
        second = stream.until("assignment")
        assert (second.base, ids(second)) == ("", ["home", "inner"])
        stored(stream, second)
        stream.send(health=pb.Health(spool_lines=1))
        stream.send(frame=frame([line(site, 1, at_us=now_us())]))
        assert stream.until("ack").durable[0].seq == 1
        found = shown(controller, site)
        assert (found.protocol, found.agent.assignment_current) == (0, True)
        set_mode(controller, site, access_pb2.AGENT_MODE_DRAIN)
        assert ids(stream.until("assignment")) == []


def test_an_agent_that_runs_what_it_should_is_not_sent_it_again(
    controller: Running, site: Site
) -> None:
    with stream_of(controller, site) as stream:
        assignment = stream.until("assignment")
        stored(stream, assignment)
    with stream_of(controller, site, runs=assignment.revision) as stream:
        settled(stream)
        assert shown(controller, site).agent.assignment_current
        stream.close()
        assert all(one.WhichOneof("message") != "assignment" for one in stream.rest())


def test_a_drained_agent_gets_nothing_to_do_and_others_are_named(controller: Running) -> None:
    here, other = (controller.enrol(controller.join_token("osl")) for _ in range(2))
    with stream_of(controller, here) as stream, stream_of(controller, other) as its:
        first = stream.until("assignment")
        stored(stream, first)
        stored(its, its.until("assignment"))
        answer = set_mode(controller, here, access_pb2.AGENT_MODE_DRAIN, "new kernel")
        assert (list(answer.others), answer.connected) == ([other.agent], True)
        empty = stream.until("assignment")
        assert (empty.revision, ids(empty), len(empty.anchors.targets)) == (NOTHING, [], 0)
        stored(stream, empty)
        found = shown(controller, here).agent
        assert (found.mode, found.mode_reason) == (access_pb2.AGENT_MODE_DRAIN, "new kernel")
        assert found.assignment_current
        # The last of a region is said to be the last.
        assert not set_mode(controller, other, access_pb2.AGENT_MODE_PAUSE).others
        assert not set_mode(controller, here, access_pb2.AGENT_MODE_RUN).others
        back = stream.until("assignment")
        assert back.revision == first.revision
        assert ids(back) == ["home"]
    with controller.people() as channel:
        acts = access_pb2_grpc.AccessServiceStub(channel).ListAudit(
            access_pb2.ListAuditRequest(limit=20), **controller.call(Role.AUDITOR)
        )
    done = [(act.action, act.subject, act.detail) for act in acts.acts if act.subject == here.agent]
    assert done[:2] == [
        ("agent.resume", here.agent, ""),
        ("agent.drain", here.agent, "new kernel"),
    ]


def test_what_the_site_refuses_is_shown_and_counted(controller: Running, site: Site) -> None:
    report = pb.SiteReport(
        policy="public addresses; 20/s a target",
        refused={"policy_port": 3, "policy_rate": 4},
        refused_orders=9,
        unrunnable=[pb.Unrunnable(check="home", reason="port 25 is one that this site denies")],
        unrunnable_count=12,
    )
    with stream_of(controller, site) as stream:
        stored(stream, stream.until("assignment"))
        health = pb.Health(
            spool_lines=7, spool_bytes=900, missed_slots=2, clock_offset_us=90_000_000,
            clock_error_us=10, clock_synced=False, clock_steps=1, site=report,
        )  # fmt: skip
        stream.send(health=health)
        settled(stream)
        found = shown(controller, site)
        assert found.policy == "public addresses; 20/s a target"
        assert dict(found.refused) == {"policy_port": 3, "policy_rate": 4}
        assert [(one.check, one.reason) for one in found.unrunnable] == [
            ("home", "port 25 is one that this site denies")
        ]
        assert (found.unrunnable_count, found.refused_orders) == (12, 9)
        assert (found.spool_bytes, found.missed_slots, found.clock_steps) == (900, 2, 1)
        listed = found.agent
        assert (listed.refused, listed.skewed, listed.clock_synced) == (7, True, False)
        # A region whose only agents cannot give evidence says why.
        reasons = region_reasons(controller, "home", "fra")
        assert f"{site.agent} has a skewed clock" in reasons or reasons == ""


def region_reasons(controller: Running, check: str, region: str) -> str:
    with controller.people() as channel:
        answer = fleet_pb2_grpc.FleetServiceStub(channel).ListChecks(
            fleet_pb2.ListChecksRequest(), **controller.call()
        )
    (found,) = [one for one in answer.checks if one.id == check]
    return next(one.reason for one in found.labels if one.region == region)


def test_a_report_that_is_made_to_hurt_is_cut_to_what_is_kept(
    controller: Running, site: Site
) -> None:
    report = pb.SiteReport(
        policy="x\n\x1b[31m" + "y" * 5000,
        refused={f"kind{i}": 2**64 - 1 for i in range(500)},
        unrunnable=[pb.Unrunnable(check="c" * 900, reason="\x00r" * 600) for _ in range(1000)],
        unrunnable_count=2**32 - 1,
    )
    with stream_of(controller, site, labels={f"k{i}": "v" * i for i in range(500)}) as stream:
        stored(stream, stream.until("assignment"))
        stream.send(health=pb.Health(missed_slots=2**64 - 1, clock_steps=2**64 - 1, site=report))
        settled(stream)
    found = shown(controller, site)
    assert len(found.policy) <= 1000
    assert "\x1b" not in found.policy
    assert len(found.refused) == 32
    assert len(found.unrunnable) == 100
    assert all(len(one.check) <= 80 and len(one.reason) <= 500 for one in found.unrunnable)
    assert len(found.claimed) == 32


@pytest.mark.parametrize(
    ("labels", "remove", "sentence"),
    [
        pytest.param({"Rack": "a"}, (), "expected as key an id", id="key"),
        pytest.param({"rack": "a b"}, (), "expected as value 1 to 63 letters", id="value"),
        pytest.param({}, ("rack",), "has no label 'rack'", id="removes none"),
        pytest.param({f"k{i}": "v" for i in range(33)}, (), "at most 32 labels", id="too many"),
    ],
)
def test_a_wrong_label_is_refused_and_named(
    controller: Running, site: Site, labels: dict[str, str], remove: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        label(controller, site, *remove, **labels)
    code, details = refused(caught)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert sentence in details


def test_an_agent_that_is_none_cannot_be_posted(controller: Running) -> None:
    nobody = Site("mars-1", "mars", b"", b"")
    for act in (
        lambda: shown(controller, nobody),
        lambda: label(controller, nobody, rack="a"),
        lambda: set_mode(controller, nobody, access_pb2.AGENT_MODE_DRAIN),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            act()
        assert refused(caught) == (grpc.StatusCode.NOT_FOUND, "There is no agent mars-1.")
    with pytest.raises(grpc.RpcError) as caught:
        set_mode(controller, nobody, access_pb2.AGENT_MODE_UNSPECIFIED)
    assert refused(caught)[0] is grpc.StatusCode.INVALID_ARGUMENT
