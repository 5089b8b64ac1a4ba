"""The two listeners: agents with client certificates, people and enrolment without."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import grpc

from controller.config import Address
from controller.errors import Fatal
from controller.rpc.access import AccessServicer
from controller.rpc.agent import AgentServicer
from controller.rpc.agents_listener import SessionServicer
from controller.rpc.backtest import BacktestServicer
from controller.rpc.claim import ClaimServicer
from controller.rpc.dispute import DisputeServicer
from controller.rpc.doctor import DoctorServicer
from controller.rpc.enrol import EnrolServicer
from controller.rpc.evidence import EvidenceServicer
from controller.rpc.exclusion import ExclusionServicer
from controller.rpc.fleet import FleetServicer
from controller.rpc.gate import Gate
from controller.rpc.incident import IncidentServicer
from controller.rpc.notify import NotifyServicer
from controller.rpc.outage import OutageServicer
from controller.rpc.secret import SecretServicer
from controller.rpc.sla import SlaServicer
from controller.rpc.tls import ServerCertificate
from vedette.shared.limits import FLEET_BYTES_MAX, FRAME_BYTES_MAX
from vedette.v1 import (
    access_pb2_grpc,
    backtest_pb2_grpc,
    claim_pb2_grpc,
    dispute_pb2_grpc,
    doctor_pb2_grpc,
    enrol_pb2_grpc,
    evidence_pb2_grpc,
    exclusion_pb2_grpc,
    fleet_pb2_grpc,
    incident_pb2_grpc,
    notify_pb2_grpc,
    outage_pb2_grpc,
    secret_pb2_grpc,
    session_pb2_grpc,
    sla_pb2_grpc,
)

_MARGIN_BYTES: Final = 1024 * 1024
_KEEPALIVE_MS: Final = 30_000
_OPTIONS: Final = (
    # Without this a second controller would silently share the port with the first.
    ("grpc.so_reuseport", 0),
    # Notice peers that vanished without a word, and let them notice us.
    ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)
# Frames over their limit are refused one by one, so that the stream goes on; this is the hard stop.
_AGENT_BYTES_MAX: Final = 4 * FRAME_BYTES_MAX
_PEOPLE_BYTES_MAX: Final = FLEET_BYTES_MAX + _MARGIN_BYTES
_ADDERS: Final[Mapping[type, Callable[[Any, Any], None]]] = {
    EnrolServicer: enrol_pb2_grpc.add_EnrolServiceServicer_to_server,
    AccessServicer: access_pb2_grpc.add_AccessServiceServicer_to_server,
    AgentServicer: access_pb2_grpc.add_AgentServiceServicer_to_server,
    BacktestServicer: backtest_pb2_grpc.add_BacktestServiceServicer_to_server,
    ExclusionServicer: exclusion_pb2_grpc.add_ExclusionServiceServicer_to_server,
    ClaimServicer: claim_pb2_grpc.add_ClaimServiceServicer_to_server,
    DisputeServicer: dispute_pb2_grpc.add_DisputeServiceServicer_to_server,
    FleetServicer: fleet_pb2_grpc.add_FleetServiceServicer_to_server,
    IncidentServicer: incident_pb2_grpc.add_IncidentServiceServicer_to_server,
    NotifyServicer: notify_pb2_grpc.add_NotifyServiceServicer_to_server,
    OutageServicer: outage_pb2_grpc.add_OutageServiceServicer_to_server,
    SecretServicer: secret_pb2_grpc.add_SecretServiceServicer_to_server,
    EvidenceServicer: evidence_pb2_grpc.add_EvidenceServiceServicer_to_server,
    DoctorServicer: doctor_pb2_grpc.add_DoctorServiceServicer_to_server,
    SlaServicer: sla_pb2_grpc.add_SlaServiceServicer_to_server,
}


class Listener:
    """A gRPC server on one address."""

    def __init__(self, server: grpc.aio.Server, address: Address) -> None:
        self._server = server
        self.address = address

    async def start(self) -> None:
        """Serve from now on."""
        await self._server.start()

    async def stop(self, grace_seconds: float) -> None:
        """Take no more calls, and wait so long for those that run."""
        await self._server.stop(grace_seconds)


def agents_listener(
    address: Address, certificate: ServerCertificate, servicer: SessionServicer
) -> Listener:
    """Where agents connect: mutual TLS, SessionService. Fatal if the address cannot be listened on."""
    server = _server(_AGENT_BYTES_MAX)
    session_pb2_grpc.add_SessionServiceServicer_to_server(servicer, server)
    return _bound(server, address, certificate.credentials(asks_for_certificate=True))


def people_listener(
    address: Address,
    certificate: ServerCertificate,
    gate: Gate,
    servicers: Sequence[Any],
) -> Listener:
    """Where people connect and agents enrol: server TLS, tokens. Fatal as above."""
    server = _server(_PEOPLE_BYTES_MAX, interceptors=[gate])
    for servicer in servicers:
        _ADDERS[type(servicer)](servicer, server)
    return _bound(server, address, certificate.credentials(asks_for_certificate=False))


def _server(bytes_max: int, interceptors: Sequence[grpc.aio.ServerInterceptor] = ()) -> Any:
    options = (
        *_OPTIONS,
        ("grpc.max_receive_message_length", bytes_max),
        ("grpc.max_send_message_length", _PEOPLE_BYTES_MAX),
    )
    return grpc.aio.server(options=options, interceptors=interceptors)


def _bound(
    server: grpc.aio.Server, address: Address, credentials: grpc.ServerCredentials
) -> Listener:
    try:
        port = server.add_secure_port(str(address), credentials)
    except RuntimeError as error:
        raise Fatal(
            f"Cannot listen on {address}: the port is in use, or the address is not of this machine."
        ) from error
    return Listener(server, Address(address.host, port))
