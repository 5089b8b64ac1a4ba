"""A real controller on loopback, in a thread, and machines that want to be its agents."""

import asyncio
import hashlib
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from controller.app import serve
from controller.config import Address, ServeConfig
from controller.identity.roles import Role
from controller.local import create_person_token, initialise
from vedette.shared.result import Outcome, ResultLine, Trigger, encode_line
from vedette.v1 import (
    access_pb2,
    access_pb2_grpc,
    enrol_pb2,
    enrol_pb2_grpc,
    fleet_pb2,
    fleet_pb2_grpc,
    session_pb2_grpc,
)
from vedette.v1 import session_pb2 as pb

SECONDS_MAX = 20.0
DAY_US = 24 * 3600 * 1_000_000
FLEET = b"""version: 1
regions: [{id: fra}, {id: nyc}]
services: [{id: shop}]
checks:
  - {id: home, service: shop, every: 60s, timeout: 5s, http: {url: "https://shop.example/"}}
  - {id: name, service: shop, every: 60s, timeout: 5s, regions: [nyc], dns: {name: shop.example}}
"""


def now_us() -> int:
    """The machine's clock."""
    return time.time_ns() // 1000


def new_key_and_request() -> tuple[bytes, bytes]:
    """(private key PEM, certificate request DER)."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), csr


def refused(caught: pytest.ExceptionInfo[grpc.RpcError]) -> tuple[grpc.StatusCode, str]:
    """(status, sentence) of a call that was refused."""
    # What a sync stub raises is also a Call; the type stubs cannot say so.
    call = cast("grpc.Call", caught.value)
    return call.code(), call.details() or ""


@dataclass
class Site:
    """A machine that enrolled."""

    agent: str
    region: str
    key_pem: bytes
    chain_pem: bytes
    evidence: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)


@dataclass
class Running:
    """A controller that runs, and how to reach it."""

    state: Path
    token: str
    agents_address: str
    people_address: str
    tokens: dict[Role, str] = field(default_factory=dict)

    @property
    def ca_pem(self) -> bytes:
        return (self.state / "ca.pem").read_bytes()

    @contextmanager
    def people(self, ca_pem: bytes | None = None) -> Iterator[grpc.Channel]:
        """A channel to the people's listener."""
        credentials = grpc.ssl_channel_credentials(ca_pem or self.ca_pem)
        with grpc.secure_channel(self.people_address, credentials) as channel:
            yield channel

    @contextmanager
    def agents(self, key_pem: bytes | None, chain_pem: bytes | None) -> Iterator[grpc.Channel]:
        """A channel to the agents' listener."""
        credentials = grpc.ssl_channel_credentials(self.ca_pem, key_pem, chain_pem)
        with grpc.secure_channel(self.agents_address, credentials) as channel:
            yield channel

    def token_of(self, role: Role) -> str:
        """A token of someone with that role."""
        if role not in self.tokens:
            made = Role.AUDITOR if role is Role.COUNTERPARTY else role
            self.tokens[role], _ = create_person_token(
                state=self.state, database_url=None, name=role.value, role=made, ttl_us=DAY_US
            )
            if role is Role.COUNTERPARTY:
                self._as_an_earlier_version_made_it(self.tokens[role].split("_")[1])
        return self.tokens[role]

    def _as_an_earlier_version_made_it(self, token_id: str) -> None:
        """A counterparty's token that names no contract."""
        with sqlite3.connect(self.state / "vedette.db") as database:
            database.execute("UPDATE person_token SET role='counterparty' WHERE id=?", (token_id,))

    def call(self, role: Role | None = Role.ADMIN) -> dict[str, Any]:
        """Arguments of a call: a deadline, and the token of someone with that role."""
        metadata = (("authorization", f"Bearer {self.token_of(role)}"),) if role else ()
        return {"metadata": metadata, "timeout": SECONDS_MAX}

    def apply(self, text: bytes = FLEET) -> fleet_pb2.ApplyResponse:
        """Put a fleet file in force."""
        with self.people() as channel:
            answer: fleet_pb2.ApplyResponse = fleet_pb2_grpc.FleetServiceStub(channel).Apply(
                fleet_pb2.ApplyRequest(fleet=text, file_name="fleet.yaml"), **self.call()
            )
        return answer

    def join_token(
        self, region: str = "fra", ttl_us: int = 600_000_000, *, needs_approval: bool = False
    ) -> Any:
        """What a join file is made of."""
        with self.people() as channel:
            return access_pb2_grpc.AgentServiceStub(channel).CreateJoinToken(
                access_pb2.CreateJoinTokenRequest(
                    region=region, ttl_us=ttl_us, needs_approval=needs_approval
                ),
                **self.call(),
            )

    def enrol(self, token: Any, *, secret: str | None = None) -> Site:
        """Enrol a new machine with a token."""
        key_pem, csr = new_key_and_request()
        evidence, sealing = Ed25519PrivateKey.generate(), b"s" * 32
        with self.people() as channel:
            stub = enrol_pb2_grpc.EnrolServiceStub(channel)
            challenge = stub.Challenge(
                enrol_pb2.ChallengeRequest(token_id=token.token_id), timeout=SECONDS_MAX
            )
            proved = (
                b"vedette.enrol/v1\n" + challenge.nonce + hashlib.sha256(csr).digest() + sealing
            )
            public = evidence.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            answer = stub.Enrol(
                enrol_pb2.EnrolRequest(
                    token_id=token.token_id,
                    token_secret=secret or token.token_secret,
                    nonce=challenge.nonce,
                    csr=csr,
                    evidence_key=public,
                    sealing_key=sealing,
                    proof=evidence.sign(proved),
                    hostname="site.example",
                ),
                timeout=SECONDS_MAX,
            )
        return Site(answer.agent, answer.region, key_pem, answer.certificate_chain, evidence)


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """A controller from `vedette init` to its end, on ports that the system chose."""
    state = folder / "state"
    made = initialise(
        state=state, database_url=None, names=["localhost"], organisation="acme", root_key=None
    )
    ready: queue.Queue[str | BaseException] = queue.Queue()
    handle: dict[str, Any] = {}

    async def main() -> None:
        handle["stop"], handle["loop"] = asyncio.Event(), asyncio.get_running_loop()
        loopback = Address("127.0.0.1", 0)
        config = ServeConfig(state, None, loopback, loopback)
        await serve(config, ready.put, handle["stop"])

    def body() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - handed to the test, which raises it
            ready.put(error)

    thread = threading.Thread(target=body, name="controller")
    thread.start()
    addresses: dict[str, str] = {}
    try:
        for who in ("agents", "people"):
            line = ready.get(timeout=SECONDS_MAX)
            if isinstance(line, BaseException):
                raise line
            assert who in line
            addresses[who] = line.rsplit(" ", 1)[-1]
        yield Running(
            state, made.admin_token, addresses["agents"], addresses["people"],
            {Role.ADMIN: made.admin_token},
        )  # fmt: skip
    finally:
        if "loop" in handle and thread.is_alive():
            handle["loop"].call_soon_threadsafe(handle["stop"].set)
        thread.join(SECONDS_MAX)
    assert not thread.is_alive(), "the controller did not stop"
    if not ready.empty():
        last = ready.get()
        if isinstance(last, BaseException):
            raise last


class Stream:
    """An agent's end of a stream, spoken by hand."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._outgoing: queue.Queue[pb.ConnectRequest | None] = queue.Queue()
        self._incoming = session_pb2_grpc.SessionServiceStub(channel).Connect(
            iter(self._outgoing.get, None), timeout=SECONDS_MAX
        )

    def send(self, **message: Any) -> None:
        """Send one message, named by its field."""
        self._outgoing.put(pb.ConnectRequest(**message))

    def close(self) -> None:
        """Send no more."""
        self._outgoing.put(None)

    def next(self) -> pb.ConnectResponse:
        """The next message, whatever it is."""
        message: pb.ConnectResponse = next(self._incoming)
        return message

    def until(self, kind: str) -> Any:
        """The next message of that kind; others before it are passed over."""
        while (message := self.next()).WhichOneof("message") != kind:
            pass
        return getattr(message, kind)

    def rest_or_refusal(self) -> str:
        """Close, and wait until the controller has too; what it refused with, if it did."""
        self.close()
        try:
            self.rest()
        except grpc.RpcError as error:
            return cast("grpc.Call", error).details() or ""
        return ""

    def rest(self) -> list[pb.ConnectResponse]:
        """Everything until the controller closes the stream."""
        return list(self._incoming)


@contextmanager
def connected(
    controller: Running, site: Site, epoch: str = "e1", *, instance: str = ""
) -> Iterator[Stream]:
    """A stream on which Hello was said."""
    with controller.agents(site.key_pem, site.chain_pem) as channel:
        stream = Stream(channel)
        hello = pb.Hello(version="0.1.0", epoch=epoch, can_probe=["http"], instance=instance)
        stream.send(hello=hello)
        try:
            yield stream
        finally:
            stream.close()


def line(
    site: Site,
    seq: int,
    *,
    epoch: str = "e1",
    at_us: int,
    outcome: str = "up",
    trigger: Trigger = Trigger.SCHEDULE,
    check: str = "home",
) -> bytes:
    """A result line of a check."""
    written = ResultLine(
        agent=site.agent,
        epoch=epoch,
        stream="shop",
        seq=seq,
        check=check,
        region=site.region,
        at=at_us,
        outcome=Outcome(outcome),
        trigger=trigger,
    )
    return encode_line(written)


def frame(lines: list[bytes], first_seq: int = 1, *, epoch: str = "e1", lost: int = 0) -> pb.Frame:
    """A frame of stream `shop`."""
    return pb.Frame(
        epoch=epoch,
        stream="shop",
        first_seq=first_seq,
        count=len(lines),
        lines=b"".join(lines),
        lost=lost,
    )
