"""The agents' listener over real mTLS: who is admitted, and what is said on a stream."""

import datetime as dt
import sqlite3

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from controller.identity.authority import (
    Authority,
    Credential,
    credential_from_pem,
    new_issuing,
    new_root,
)
from controller.identity.roles import Role
from tests.integration.rpc.running import (
    FLEET,
    Running,
    Site,
    Stream,
    connected,
    frame,
    line,
    new_key_and_request,
    now_us,
    refused,
)
from vedette.shared.definitions import decode_check, digest_of
from vedette.shared.limits import FRAME_BYTES_MAX
from vedette.v1 import access_pb2, access_pb2_grpc, fleet_pb2, fleet_pb2_grpc, session_pb2_grpc
from vedette.v1 import session_pb2 as pb


@pytest.fixture
def site(controller: Running) -> Site:
    return controller.enrol(controller.join_token())


def issuing_ca(controller: Running) -> Credential:
    state = controller.state
    certificate, key = (state / "issuing-ca.pem", state / "issuing-ca.key")
    return credential_from_pem(certificate.read_bytes(), key.read_bytes(), "the test")


def signed_by(
    issuer: Credential, key_pem: bytes, *, purposes: list[x509.ObjectIdentifier], uri: str
) -> bytes:
    """A certificate that the issuing CA could make but never does."""
    key = load_pem_private_key(key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False
        )
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return Credential(builder.sign(issuer.key, hashes.SHA256()), key).certificate_pem


def refusal(
    controller: Running, key_pem: bytes | None, chain_pem: bytes | None
) -> tuple[grpc.StatusCode, str]:
    """How a call with these credentials ends."""
    _, csr = new_key_and_request()
    with controller.agents(key_pem, chain_pem) as channel, pytest.raises(grpc.RpcError) as caught:
        session_pb2_grpc.SessionServiceStub(channel).Renew(pb.RenewRequest(csr=csr), timeout=20)
    return refused(caught)


def test_without_a_certificate_there_is_no_connection(controller: Running) -> None:
    assert refusal(controller, None, None)[0] is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_of_another_ca_is_refused(controller: Running) -> None:
    now = dt.datetime.now(dt.UTC)
    root = new_root("acme", now)
    stranger = Authority(root.certificate, new_issuing(root, "acme", now), "acme")
    key_pem, csr = new_key_and_request()
    chain = stranger.agent("fra-1", csr, now).chain_pem
    assert refusal(controller, key_pem, chain)[0] is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "purposes",
    [
        pytest.param([], id="no purpose"),
        pytest.param([ExtendedKeyUsageOID.SERVER_AUTH], id="a server's"),
        pytest.param(
            [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH], id="both purposes"
        ),
    ],
)
def test_a_certificate_for_another_purpose_is_refused(
    controller: Running, site: Site, purposes: list[x509.ObjectIdentifier]
) -> None:
    issuer = issuing_ca(controller)
    uri = f"spiffe://acme/agent/{site.agent}"
    leaf = signed_by(issuer, site.key_pem, purposes=purposes, uri=uri)
    code, _ = refusal(controller, site.key_pem, leaf + issuer.certificate_pem)
    # OpenSSL refuses some of these in the handshake already, which looks like a network fault.
    assert code in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE}


@pytest.mark.parametrize(
    "uri",
    [
        "spiffe://other/agent/fra-1",
        "spiffe://acme/agent/../admin",
        "spiffe://acme/person/fra-1",
        "https://acme/agent/fra-1",
    ],
)
def test_a_certificate_that_names_no_agent_is_refused(controller: Running, uri: str) -> None:
    issuer = issuing_ca(controller)
    key_pem, _ = new_key_and_request()
    leaf = signed_by(issuer, key_pem, purposes=[ExtendedKeyUsageOID.CLIENT_AUTH], uri=uri)
    code, details = refusal(controller, key_pem, leaf + issuer.certificate_pem)
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert "names no agent of acme" in details


def test_a_serial_that_was_never_given_is_refused(controller: Running, site: Site) -> None:
    issuer = issuing_ca(controller)
    uri = f"spiffe://acme/agent/{site.agent}"
    leaf = signed_by(issuer, site.key_pem, purposes=[ExtendedKeyUsageOID.CLIENT_AUTH], uri=uri)
    code, details = refusal(controller, site.key_pem, leaf + issuer.certificate_pem)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "replaced by a newer one" in details


def test_a_renewed_certificate_replaces_the_old_one_on_first_use(
    controller: Running, site: Site
) -> None:
    key_pem, csr = new_key_and_request()
    with controller.agents(site.key_pem, site.chain_pem) as channel:
        answer = session_pb2_grpc.SessionServiceStub(channel).Renew(
            pb.RenewRequest(csr=csr), timeout=20
        )
    renewed = Site(site.agent, site.region, key_pem, answer.certificate_chain)
    with connected(controller, site) as stream:
        assert stream.until("welcome").agent == site.agent
    with connected(controller, renewed) as stream:
        assert stream.until("welcome").agent == site.agent
    code, details = refusal(controller, site.key_pem, site.chain_pem)
    assert code is grpc.StatusCode.PERMISSION_DENIED
    assert "replaced" in details


def test_a_stream_ends_when_its_certificate_is_replaced_meanwhile(
    controller: Running, site: Site
) -> None:
    with connected(controller, site) as stream:
        stream.until("assignment")
        with sqlite3.connect(controller.state / "vedette.db") as database:
            database.execute("UPDATE agent SET active_serial = 'f00' WHERE id = ?", [site.agent])
        database.close()
        stream.send(health=pb.Health())
        with pytest.raises(grpc.RpcError) as caught:
            stream.rest()
    assert refused(caught)[0] is grpc.StatusCode.PERMISSION_DENIED


def test_an_agent_is_welcomed_and_gets_the_checks_of_its_region(
    controller: Running, site: Site
) -> None:
    with connected(controller, site) as stream:
        welcome = stream.until("welcome")
        assignment = stream.until("assignment")
    assert (welcome.agent, welcome.region, list(welcome.durable)) == (site.agent, "fra", [])
    assert [decode_check(check.definition).id for check in assignment.checks] == ["home"]
    assert all(digest_of(check.definition) == check.digest for check in assignment.checks)


def test_a_change_of_the_fleet_reaches_the_agents_that_it_concerns(
    controller: Running, site: Site
) -> None:
    with connected(controller, site) as stream:
        before = stream.until("assignment")
        # A change of a check of another region says nothing to this one; the next change does.
        controller.apply(FLEET.replace(b"name: shop.example", b"name: www.shop.example"))
        controller.apply(
            FLEET.replace(
                b"id: home, service: shop, every: 60s", b"id: home, service: shop, every: 30s"
            )
        )
        after = stream.until("assignment")
        controller.apply(FLEET)
        again = stream.until("assignment")
    assert decode_check(after.checks[0].definition).every == "30s"
    assert again.revision == before.revision


def test_lines_are_acknowledged_and_the_position_is_kept(controller: Running, site: Site) -> None:
    lines = [line(site, seq, at_us=now_us()) for seq in (1, 2, 3)]
    with connected(controller, site) as stream:
        stream.send(frame=frame(lines))
        ack = stream.until("ack")
        assert [(p.epoch, p.stream, p.seq) for p in ack.durable] == [("e1", "shop", 3)]
    with connected(controller, site) as stream:
        durable = stream.until("welcome").durable
    assert [(p.epoch, p.stream, p.seq) for p in durable] == [("e1", "shop", 3)]


def test_a_bad_frame_is_refused_and_the_stream_goes_on(controller: Running, site: Site) -> None:
    good = line(site, 1, at_us=now_us())
    stranger = Site("fra-99", site.region, site.key_pem, site.chain_pem)
    bad = {
        "expected at most": pb.Frame(
            epoch="e1", stream="shop", first_seq=1, count=1, lines=b"x" * (FRAME_BYTES_MAX + 1)
        ),
        "end in a newline": pb.Frame(epoch="e1", stream="shop", first_seq=1, count=1, lines=b"{}"),
        "expected line 1": frame([line(site, 7, at_us=now_us())], 7),
        "expected agent": frame([line(stranger, 1, at_us=now_us())]),
    }
    with connected(controller, site) as stream:
        for reason, one in bad.items():
            stream.send(frame=one)
            assert reason in stream.until("refusal").reason
        stream.send(frame=frame([good]))
        assert stream.until("ack").durable[0].seq == 1


def test_a_gap_names_the_line_to_resend_from(controller: Running, site: Site) -> None:
    with connected(controller, site) as stream:
        stream.send(frame=frame([line(site, 5, at_us=now_us())], 5))
        refusal = stream.until("refusal")
        assert (refusal.stream, refusal.first_seq, refusal.resend_from) == ("shop", 5, 1)
        stream.send(frame=frame([line(site, 5, at_us=now_us())], 5, lost=4))
        assert stream.until("ack").durable[0].seq == 5


def test_everything_that_was_sent_is_answered_before_the_stream_closes(
    controller: Running, site: Site
) -> None:
    with connected(controller, site) as stream:
        for seq in range(1, 201):
            stream.send(frame=frame([line(site, seq, at_us=now_us())], seq))
        stream.close()
        acks = [m.ack for m in stream.rest() if m.HasField("ack")]
    assert acks[-1].durable[0].seq == 200
    assert len(acks) <= 200


def test_the_clock_probe_is_answered_with_both_instants(controller: Running, site: Site) -> None:
    with connected(controller, site) as stream:
        before = now_us()
        stream.send(clock_probe=pb.ClockProbe(agent_sent_us=42))
        reply = stream.until("clock_reply")
    assert reply.agent_sent_us == 42
    assert before <= reply.controller_received_us <= reply.controller_sent_us <= now_us()


def test_a_second_stream_of_an_agent_ends_the_first(controller: Running, site: Site) -> None:
    with connected(controller, site) as first:
        first.until("assignment")
        with connected(controller, site) as second:
            second.until("assignment")
            with pytest.raises(grpc.RpcError) as caught:
                first.rest()
            assert refused(caught) == (
                grpc.StatusCode.UNAVAILABLE, "The agent opened another stream.",
            )  # fmt: skip
            second.send(clock_probe=pb.ClockProbe(agent_sent_us=1))
            second.until("clock_reply")


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        pytest.param({"health": pb.Health()}, "Expected Hello as the first message, found health",
                     id="no hello"),
        pytest.param({"hello": pb.Hello(epoch="no epoch!")}, "Expected an epoch", id="no epoch"),
    ],
)  # fmt: skip
def test_a_stream_begins_with_hello(
    controller: Running, site: Site, first: dict[str, object], sentence: str
) -> None:
    with controller.agents(site.key_pem, site.chain_pem) as channel:
        stream = Stream(channel)
        stream.send(**first)
        with pytest.raises(grpc.RpcError) as caught:
            stream.rest()
        stream.close()
    code, details = refused(caught)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert sentence in details


def test_what_an_agent_says_of_itself_is_listed(controller: Running, site: Site) -> None:
    with connected(controller, site) as stream:
        revision = stream.until("assignment").revision
        stream.send(assignment_ack=pb.AssignmentAck(revision=revision))
        stream.send(health=pb.Health(spool_lines=7, clock_offset_us=-120, clock_error_us=900))
        stream.send(clock_probe=pb.ClockProbe())
        stream.until("clock_reply")  # what was sent before it has been taken
        with controller.people() as channel:
            answer = access_pb2_grpc.AgentServiceStub(channel).ListAgents(
                access_pb2.ListAgentsRequest(), **controller.call(Role.AUDITOR)
            )
    (listed,) = [one for one in answer.agents if one.id == site.agent]
    assert listed.connected
    assert listed.assignment_current
    assert (listed.region, listed.hostname, listed.version) == ("fra", "site.example", "0.1.0")
    assert (listed.spool_lines, listed.clock_offset_us, listed.clock_error_us) == (7, -120, 900)


def test_a_person_can_ask_for_a_probe_now(controller: Running, site: Site) -> None:
    with connected(controller, site) as stream:
        stream.until("assignment")
        with controller.people() as channel:
            answer = fleet_pb2_grpc.FleetServiceStub(channel).ProbeNow(
                fleet_pb2.ProbeNowRequest(check="home"), **controller.call(Role.OPERATOR)
            )
        order = stream.until("probe_now")
    assert site.agent in answer.agents
    assert (list(order.checks), order.trigger) == (["home"], pb.PROBE_TRIGGER_MANUAL)


def test_a_first_failure_makes_the_other_regions_look_at_once(
    controller: Running, site: Site
) -> None:
    elsewhere = controller.enrol(controller.join_token("nyc"))
    with connected(controller, site) as here, connected(controller, elsewhere) as there:
        here.until("assignment")
        there.until("assignment")
        at_us = now_us()
        here.send(frame=frame([
            line(site, 1, at_us=at_us - 1000), line(site, 2, at_us=at_us, outcome="down"),
        ]))  # fmt: skip
        order = there.until("probe_now")
    assert (list(order.checks), order.trigger) == (["home"], pb.PROBE_TRIGGER_CONFIRM)
