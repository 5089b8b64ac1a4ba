"""Agents made for load: enrolled for real, with result lines made beforehand and sent as fast as they are taken."""

import asyncio
import hashlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519

from vedette.shared.identity import organisation_of_uri
from vedette.shared.note import signed_note
from vedette.shared.result import ClockReading, Outcome, ResultLine, Trigger, encode_line
from vedette.shared.seal import (
    ClockState,
    Payload,
    Seal,
    Slots,
    Span,
    StreamName,
    checks_digest,
)
from vedette.v1 import enrol_pb2, enrol_pb2_grpc, session_pb2, session_pb2_grpc

FRAME_LINES = 500
FRAMES_IN_FLIGHT = 64
EPOCH = "0123abcd"
STREAM = "shop"


@dataclass(frozen=True, slots=True)
class LoadAgent:
    """An enrolled identity, and where it connects."""

    name: str
    region: str
    address: str
    credentials: grpc.ChannelCredentials
    origin: str
    evidence: ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal to send once line `last` is acknowledged."""

    last: int
    message: session_pb2.Seal


def enrolled(join_file: Path) -> LoadAgent:
    """A new identity by the join file."""
    join = json.loads(join_file.read_text())
    ca = join["ca_certificate"].encode()
    tls, evidence, sealing = (
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
        x25519.X25519PrivateKey.generate().public_key().public_bytes_raw(),
    )
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .sign(tls, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(csr)
    hashed = digest.finalize()
    with grpc.secure_channel(join["address"], grpc.ssl_channel_credentials(ca)) as channel:
        stub = enrol_pb2_grpc.EnrolServiceStub(channel)
        nonce = stub.Challenge(enrol_pb2.ChallengeRequest(token_id=join["token_id"])).nonce
        answer = stub.Enrol(
            enrol_pb2.EnrolRequest(
                token_id=join["token_id"],
                token_secret=join["token_secret"],
                nonce=nonce,
                csr=csr,
                evidence_key=evidence.public_key().public_bytes_raw(),
                sealing_key=sealing,
                proof=evidence.sign(b"vedette.enrol/v1\n" + nonce + hashed + sealing),
                hostname="load",
            )
        )
    key = tls.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    credentials = grpc.ssl_channel_credentials(ca, key, answer.certificate_chain)
    certificate = x509.load_pem_x509_certificates(answer.certificate_chain)[0]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (uri,) = names.get_values_for_type(x509.UniformResourceIdentifier)
    origin = organisation_of_uri(uri) or ""
    return LoadAgent(
        answer.agent, answer.region, answer.session_address, credentials, origin, evidence
    )


def frames_of(agent: LoadAgent, checks: int, rounds: int, rank: int) -> list[session_pb2.Frame]:
    """`rounds` minutes of `checks` checks of one agent, ending now: what an agent really writes.

    Every check fails for three rounds at a time of its own, so outages open and close all along.
    """
    interval_us = 60_000_000
    start_us = time.time_ns() // 1000 - (rounds + 1) * interval_us
    lines: list[bytes] = []
    for number in range(rounds * checks):
        tick, check = divmod(number, checks)
        is_down = rounds > 8 and 4 <= (tick + check) % rounds < 7
        lines.append(
            encode_line(
                ResultLine(
                    agent=agent.name, epoch=EPOCH, stream=STREAM, seq=number + 1,
                    check=f"check-{check}", region=agent.region, rev="0123456789abcdef", slot=tick,
                    trigger=Trigger.SCHEDULE,
                    at=start_us + tick * interval_us + rank * 20_000_000 + check * 1000,
                    took=12_345 + number * 37 % 20_000, lag=213,
                    clock=ClockReading(offset=-120, error=900),
                    outcome=Outcome.DOWN if is_down else Outcome.UP,
                    kind="connect_refused" if is_down else None, addr="192.0.2.7:443",
                    phases={"resolve": 311, "connect": 1022 + number * 13 % 900, "tls": 4001,
                            "send": 12, "first_byte": 5005 + number * 29 % 4000, "transfer": 90},
                    http={"status": 503 if is_down else 200, "body_size": 512},
                )
            )
        )  # fmt: skip
    return [
        session_pb2.Frame(
            epoch=EPOCH, stream=STREAM, first_seq=first + 1,
            count=len(lines[first : first + FRAME_LINES]),
            lines=b"".join(lines[first : first + FRAME_LINES]),
        )
        for first in range(0, len(lines), FRAME_LINES)
    ]  # fmt: skip


def seals_of(agent: LoadAgent, frames: list[session_pb2.Frame], checks: int) -> list[Sealed]:
    """A seal for every minute of lines, as the agent makes one."""
    seals: list[Sealed] = []
    prev = None
    minute = -(-checks // FRAME_LINES)
    for at in range(0, len(frames), minute):
        part = frames[at : at + minute]
        body = b"".join(frame.lines for frame in part)
        first, last = part[0].first_seq, part[-1].first_seq + part[-1].count - 1
        count, number = last - first + 1, len(seals) + 1
        us = (time.time_ns() // 1000) + number * 60_000_000
        seal = Seal(
            StreamName(agent.origin, agent.name, STREAM, EPOCH), number, prev,
            Payload(first, last, count, hashlib.sha256(body).hexdigest(), len(body)),
            Slots(count, 0), checks_digest([f"{n:064x}" for n in range(checks)]),
            Span(us, us + 60_000_000, number * 10**9, (number + 60) * 10**9),
            ClockState(True, -120, 900, 0),
        )  # fmt: skip
        note = signed_note(seal.text(), seal.name.key_name, agent.evidence)
        prev = hashlib.sha256(note).hexdigest()
        message = session_pb2.Seal(epoch=EPOCH, stream=STREAM, number=number, note=note)
        seals.append(Sealed(last, message))
    return seals


async def sent(
    agent: LoadAgent, frames: list[session_pb2.Frame], seals: Sequence[Sealed] = ()
) -> None:
    """Send every frame over one stream; return when the last line, and the last seal, is acknowledged."""
    room = asyncio.Semaphore(FRAMES_IN_FLIGHT)
    acknowledged = sealed = 0
    total = sum(frame.count for frame in frames)
    waiting = deque(seals)
    finished, moved = asyncio.Event(), asyncio.Event()

    async def requests() -> AsyncIterator[session_pb2.ConnectRequest]:
        yield session_pb2.ConnectRequest(hello=session_pb2.Hello(version="load", epoch=EPOCH))
        for frame in frames:
            await room.acquire()
            yield session_pb2.ConnectRequest(frame=frame)
            while waiting and waiting[0].last <= acknowledged:
                yield session_pb2.ConnectRequest(seal=waiting.popleft().message)
        while waiting:
            while waiting[0].last > acknowledged:
                moved.clear()
                await moved.wait()
            yield session_pb2.ConnectRequest(seal=waiting.popleft().message)
        await finished.wait()

    async with grpc.aio.secure_channel(agent.address, agent.credentials) as channel:
        stream = session_pb2_grpc.SessionServiceStub(channel).Connect(requests())
        async for response in stream:
            if response.HasField("refusal"):
                raise RuntimeError(response.refusal.reason)
            for position in response.ack.durable:
                for _ in range((position.seq - acknowledged + FRAME_LINES - 1) // FRAME_LINES):
                    room.release()
                acknowledged = max(acknowledged, position.seq)
            if response.HasField("seal_refusal"):
                raise RuntimeError(response.seal_refusal.reason)
            sealed += len(response.seal_ack.durable)
            moved.set()
            if acknowledged >= total and sealed == len(seals):
                finished.set()
                return
    raise RuntimeError(f"the stream ended after {acknowledged} of {total} lines")
