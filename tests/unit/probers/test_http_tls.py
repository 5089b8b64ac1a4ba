"""HTTP probes over TLS: trust, names, facts, and what is not TLS."""

import asyncio
import ssl
import time

import pytest
import trustme

from agent.probers.http import HttpProber
from agent.probers.network.admission import Admission
from agent.runtime.clock import SystemClock
from agent.runtime.executor import run_once
from tests.fakes.tcp_target import answering, response, silent, target
from tests.unit.probers.http_probing import LOOPBACK_ONLY, check_of, run_http
from tests.unit.probers.tls_serving import pem, served


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def test_self_signed_is_refused_by_default_and_still_shown(authority: trustme.CA) -> None:
    async with target(answering(response(b"ok")), served(authority)) as server:
        run = await run_http(server.url(scheme="https", host="localhost"))
    assert (run.outcome, run.kind) == ("down", "tls_verify_failed")
    assert list(run.seen.phases or {}) == ["resolve", "connect", "tls"]
    assert len(run.seen.facts["tls"]["sha256"]) == 64


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_it_is_accepted_with_its_authority(authority: trustme.CA, version: str) -> None:
    async with target(answering(response(b"ok")), served(authority, version=version)) as server:
        run = await run_http(
            server.url(scheme="https", host="localhost"),
            "tls.verified && tls.days_left > 29 && tls.days_left < 31",
            "tls.san == ['localhost'] && size(tls.sha256) == 64 && tls.issuer != ''",
            f"tls.version == '{version.replace('_', '.')}' && tls.cipher != ''",
            "phases.tls_ms > 0.0",
            tls={"ca": pem(authority)},
        )
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == [
        "resolve", "connect", "tls", "send", "first_byte", "transfer",
    ]  # fmt: skip


async def test_it_is_accepted_without_verification(authority: trustme.CA) -> None:
    async with target(answering(response(b"ok")), served(authority, name="other")) as server:
        url = server.url(scheme="https")
        run = await run_http(url, "!tls.verified && status == 200", tls={"verify": False})
    assert run.outcome == "up", run.verdict.detail


@pytest.mark.parametrize(
    ("name", "days", "said"),
    [
        pytest.param("localhost", -1, "expired", id="an expired certificate"),
        pytest.param("other.example", 30, "localhost", id="another name"),
    ],
)
async def test_a_bad_certificate_is_refused(
    authority: trustme.CA, name: str, days: int, said: str
) -> None:
    async with target(answering(response()), served(authority, name, days)) as server:
        url = server.url(scheme="https", host="localhost")
        run = await run_http(url, tls={"ca": pem(authority)})
    assert (run.outcome, run.kind) == ("down", "tls_verify_failed")
    assert said in (run.verdict.detail or "")


async def test_an_expired_certificate_still_gives_its_days(authority: trustme.CA) -> None:
    async with target(answering(response()), served(authority, days=-3)) as server:
        url = server.url(scheme="https", host="localhost")
        run = await run_http(url, "tls.days_left > 14", tls={"verify": False})
    assert run.kind == "expectation_failed"
    assert "tls.days_left is -3" in (run.verdict.detail or "")


async def test_server_name_may_be_set(authority: trustme.CA) -> None:
    async with target(answering(response()), served(authority, "shop.example")) as server:
        url = server.url(scheme="https")
        run = await run_http(url, tls={"server_name": "shop.example", "ca": pem(authority)})
        assert b"Host: 127.0.0.1:" in server.heads[0]
    assert run.outcome == "up", run.verdict.detail


async def test_tls_settings_mean_nothing_to_plain_http() -> None:
    async with target(answering(response())) as server:
        run = await run_http(server.url(), tls={"verify": False, "server_name": "x.example"})
        missing = await run_http(server.url(), "tls.days_left > 14")
    assert run.outcome == "up"
    assert missing.verdict.detail == "tls.days_left > 14: tls not reached"


async def test_redirect_from_plain_to_tls_works(authority: trustme.CA) -> None:
    async with target(answering(response(b"ok")), served(authority)) as secure:
        location = secure.url(scheme="https", host="localhost")
        away = response(status="301 Moved", headers=(f"Location: {location}",))
        async with target(answering(away)) as server:
            run = await run_http(server.url(), "size(hops) == 2", tls={"ca": pem(authority)})
    assert run.outcome == "up", run.verdict.detail


async def test_tls_to_a_plain_server_says_so() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with target(plain) as server:
        run = await run_http(server.url(scheme="https"))
    assert (run.outcome, run.kind) == ("down", "tls_handshake_failed")
    assert "does not speak TLS" in (run.verdict.detail or "")


async def test_plain_to_a_tls_server_says_so(authority: trustme.CA) -> None:
    async with target(answering(response()), served(authority)) as server:
        run = await run_http(server.url())
    # Such a server answers with an alert, or closes without a word; the alert has its own test.
    assert run.outcome == "down"
    assert run.kind in ("protocol_error", "connection_lost")


async def test_a_handshake_without_end_times_out() -> None:
    async with target(silent) as server:
        run = await run_http(server.url(scheme="https"), within="200ms")
    assert (run.outcome, run.kind) == ("down", "tls_timeout")


async def test_closing_in_the_handshake_is_a_failed_handshake() -> None:
    async def closing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async with target(closing) as server:
        run = await run_http(server.url(scheme="https"))
    assert (run.outcome, run.kind) == ("down", "tls_handshake_failed")


async def test_a_ca_that_cannot_be_read_is_the_checks_fault() -> None:
    async with target(silent) as server:
        run = await run_http(
            server.url(scheme="https"),
            tls={"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
        )
    assert (run.outcome, run.kind) == ("agent_error", "unrunnable")


async def test_reading_the_systems_trust_keeps_nobody_waiting_and_is_no_phase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tens of milliseconds, once for a policy; on a busy machine many more."""

    def slowly(context: ssl.SSLContext, purpose: object) -> None:
        time.sleep(0.3)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", slowly)

    async def closing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with target(closing) as server:
        check = check_of(
            "http",
            {
                "url": server.url(scheme="https"),
                "tls": {"max_version": "TLSv1.3", "min_version": "TLSv1.3"},
            },
            within="250ms",
        )
        prober = HttpProber(Admission(LOOPBACK_ONLY))
        run = asyncio.create_task(run_once(check, prober, SystemClock()))
        turns = 0
        while not run.done():
            turns += 1
            await asyncio.sleep(0.01)
        finding = await run
    assert finding.kind == "tls_handshake_failed", finding.detail
    assert turns > 10
    assert finding.took_us < 250_000
