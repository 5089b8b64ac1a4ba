"""HTTP probes and what they demand of TLS: pins, versions, client certificates, and ends without a goodbye."""

import asyncio
import os
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.probers.network.tls import TlsPolicy, context_of
from tests.fakes.tcp_target import LOOPBACK, Script, answering, head_of, response, target
from tests.unit.probers.http_probing import run_http
from tests.unit.probers.tls_serving import pem, served


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def leaf(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("localhost")


def serving(leaf: trustme.LeafCert, version: str = "TLSv1_3") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion[version]
    leaf.configure_cert(context)
    return context


def pins_of(leaf: trustme.LeafCert) -> dict[str, str]:
    found = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    key = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    whole = found.public_bytes(Encoding.DER)
    return {"cert": f"cert:{sha256(whole).hexdigest()}", "spki": f"spki:{sha256(key).hexdigest()}"}


OTHER_PIN = f"cert:{'0' * 64}"


@pytest.mark.parametrize("kind", ["cert", "spki"])
@pytest.mark.parametrize("verify", [True, False])
async def test_a_pinned_certificate_is_taken(
    authority: trustme.CA, leaf: trustme.LeafCert, kind: str, *, verify: bool
) -> None:
    trust = {"ca": pem(authority)} if verify else {"verify": False}
    async with target(answering(response()), serving(leaf)) as server:
        url = server.url(scheme="https", host="localhost")
        run = await run_http(url, tls={"pins": [OTHER_PIN, pins_of(leaf)[kind]], **trust})
        assert run.outcome == "up", run.verdict.detail
        run = await run_http(url, tls={"pins": [OTHER_PIN], **trust})
        assert len(server.heads) == 1
    assert (run.outcome, run.kind) == ("down", "tls_verify_failed")
    assert pins_of(leaf)["cert"] in (run.verdict.detail or "")
    assert list(run.seen.phases or {}) == ["resolve", "connect", "tls"]
    assert run.seen.facts["tls"]["sha256"] == pins_of(leaf)["cert"].removeprefix("cert:")


async def test_pins_are_of_the_checks_own_host(
    authority: trustme.CA, leaf: trustme.LeafCert
) -> None:
    elsewhere = served(authority, "127.0.0.1")
    async with target(answering(response(b"there")), elsewhere) as other:
        away = response(status="302 Found", headers=(f"Location: {other.url(scheme='https')}",))
        async with target(answering(away), serving(leaf)) as server:
            run = await run_http(
                server.url(scheme="https", host="localhost"),
                "body == 'there'",
                tls={"ca": pem(authority), "pins": [pins_of(leaf)["spki"]]},
            )
    assert run.outcome == "up", run.verdict.detail


@pytest.mark.parametrize(
    ("served_version", "demands", "kind"),
    [
        pytest.param("TLSv1_2", {"min_version": "TLSv1.3"}, "tls_handshake_failed", id="too old"),
        pytest.param("TLSv1_3", {"min_version": "TLSv1.3"}, None, id="new enough"),
        pytest.param("TLSv1_2", {"min_version": "TLSv1.2"}, None, id="old enough"),
        pytest.param("TLSv1_3", {"max_version": "TLSv1.2"}, None, id="the older of two"),
    ],
)
async def test_versions_are_bounds(
    authority: trustme.CA, leaf: trustme.LeafCert, served_version: str, demands: dict[str, str], kind: str | None
) -> None:  # fmt: skip
    async with target(answering(response()), serving(leaf, served_version)) as server:
        url = server.url(scheme="https", host="localhost")
        run = await run_http(url, tls={"ca": pem(authority), **demands})
    assert run.kind == kind, run.verdict.detail


def asking(authority: trustme.CA, leaf: trustme.LeafCert) -> ssl.SSLContext:
    """A server that wants to know who comes."""
    context = serving(leaf, "TLSv1_2")  # where the refusal is part of the handshake
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    return context


def client_of(authority: trustme.CA) -> dict[str, str]:
    mine = authority.issue_cert("agent.example")
    return {
        "certificate": mine.cert_chain_pems[0].bytes().decode(),
        "key": mine.private_key_pem.bytes().decode(),
    }


async def test_a_client_certificate_is_shown(authority: trustme.CA, leaf: trustme.LeafCert) -> None:
    async with target(answering(response()), asking(authority, leaf)) as server:
        url = server.url(scheme="https", host="localhost")
        run = await run_http(url, tls={"ca": pem(authority), "client": client_of(authority)})
        assert run.outcome == "up", run.verdict.detail
        run = await run_http(url, tls={"ca": pem(authority)})
    assert run.kind == "tls_handshake_failed"
    assert list(run.seen.phases or {}) == ["resolve", "connect", "tls"]


async def test_a_client_certificate_is_shown_to_nobody_else(
    authority: trustme.CA, leaf: trustme.LeafCert
) -> None:
    context = asking(authority, leaf)
    context.verify_mode = ssl.CERT_OPTIONAL
    shown: list[object] = []

    async def watching(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        shown.append(writer.get_extra_info("ssl_object").getpeercert())
        writer.write(response())

    async with target(watching, context) as other:
        away = response(
            status="302 Found",
            headers=(f"Location: {other.url(scheme='https', host='localhost')}",),
        )
        async with target(answering(away)) as server:
            tls = {"ca": pem(authority), "client": client_of(authority)}
            run = await run_http(server.url(), tls=tls)
            assert run.outcome == "up", run.verdict.detail
            await run_http(other.url(scheme="https", host="localhost"), tls=tls)
    assert not shown[0]
    assert shown[1]


def test_checks_of_one_policy_share_a_context() -> None:
    one, two = TlsPolicy(min_version="TLSv1.3"), TlsPolicy(min_version="TLSv1.3")
    assert context_of(one) is context_of(two)
    assert context_of(one) is not context_of(TlsPolicy())


def cut_off(*parts: bytes) -> Script:
    """Answers and cuts the connection without TLS's own goodbye."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader, writer)
        for part in parts:
            writer.write(part)
        await writer.drain()
        inner = writer.transport._ssl_protocol._transport  # type: ignore[attr-defined] # below TLS
        inner.write_eof()

    return script


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(response(b"ok"), None, id="after a whole answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nok", None, id="where closing ends the body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "truncated", id="in the body"
        ),
        pytest.param(b"HTTP/1.1 200", "truncated", id="in the head"),
        pytest.param(b"", "connection_lost", id="before the answer"),
    ],
)
async def test_a_connection_that_ends_without_goodbye(
    leaf: trustme.LeafCert, version: str, answer: bytes, kind: str | None
) -> None:
    async with target(cut_off(answer), serving(leaf, version)) as server:
        url = server.url(scheme="https", host="localhost")
        run = await run_http(url, tls={"verify": False})
    assert run.kind == kind, run.verdict.detail


@asynccontextmanager
async def renegotiating(leaf: trustme.LeafCert, folder: Path) -> AsyncIterator[int]:
    """A server that wants to agree anew before it answers, made of `openssl s_server` and what it is told."""
    pair = folder / "server.pem"
    pair.write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    process = await asyncio.create_subprocess_exec(
        "openssl", "s_server", "-accept", f"{LOOPBACK}:0", "-cert", str(pair), "-tls1_2",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    lines = process.stdout

    async def answer() -> None:
        assert process.stdin is not None
        await lines.readuntil(b"GET / HTTP/1.1")
        process.stdin.write(b"R\n")
        await lines.readuntil(b"SSL_do_handshake")
        process.stdin.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\n")
        await process.stdin.drain()

    try:
        await lines.readuntil(b"ACCEPT ")
        port = int((await lines.readline()).rsplit(b":", 1)[1])
        answering_it = asyncio.create_task(answer())
        yield port
        answering_it.cancel()
    finally:
        process.kill()
        await process.wait()


async def test_a_new_agreement_in_the_middle_is_declined(
    leaf: trustme.LeafCert, tmp_path: Path
) -> None:
    """The server asks, is told no, and gives up: no second handshake, and no waiting for one."""
    async with renegotiating(leaf, tmp_path) as port:
        run = await run_http(f"https://{LOOPBACK}:{port}/", within="10s", tls={"verify": False})
    assert (run.outcome, run.kind) == ("down", "connection_lost"), run.verdict.detail
    assert run.seen.took_us < 5_000_000


async def test_a_certificate_that_is_wanted_after_the_handshake_is_no_lost_connection(
    authority: trustme.CA, leaf: trustme.LeafCert
) -> None:
    """TLS 1.3: the client's handshake is complete before the server says that it wants a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_3

    def refuse(listener: socket.socket) -> None:
        plain, _ = listener.accept()
        with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as tls:
            with suppress(ssl.SSLError):
                tls.do_handshake()
            os.read(tls.fileno(), 65536)  # what is left unread would reset the connection

    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        refusing = asyncio.create_task(asyncio.to_thread(refuse, listener))
        tls = {"ca": pem(authority)}
        run = await run_http(f"https://localhost:{port}/", family="ipv4", tls=tls)
        await refusing
    assert (run.outcome, run.kind) == ("down", "tls_handshake_failed"), run.verdict.detail
    assert "certificate required" in (run.verdict.detail or "")
