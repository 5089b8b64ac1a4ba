"""TCP probes against real servers on loopback, well-behaved and hostile."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable

import pytest
import trustme

from agent.core.policy import Policy
from agent.core.verdict import verdict
from agent.probers.network.admission import Admission
from agent.probers.tcp import TcpProber
from tests.fakes.mail_target import Talk, ftp, imap, smtp
from tests.fakes.tcp_target import LOOPBACK, Script, silent, target
from tests.unit.probers.http_probing import LOOPBACK_ONLY, Run, check_of

CA = trustme.CA()
CA_PEM = CA.cert_pem.bytes().decode()
TRUST = {"ca": CA_PEM}


def server_tls(*names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(*(names or (LOOPBACK, "localhost"))).configure_cert(context)
    return context


async def run_tcp(
    port: int, *expect: str, within: str = "2s", policy: Policy = LOOPBACK_ONLY, **probe: object
) -> Run:
    plain = {"host": LOOPBACK, "port": port, "expect": list(expect)}
    check = check_of("tcp", {**plain, **probe}, within)
    assert not check.probe.problems(check.timeout_us)
    seen = await TcpProber(Admission(policy)).probe(check)
    return Run(seen, verdict(check, seen))


def saying(*parts: bytes, then_close: bool = False) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if not then_close:
            await reader.read()

    return script


async def ping_pong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Gives a word, and wants it back."""
    writer.write(b"PING abc123\r\n")
    line = await reader.readline()
    writer.write(b"OK welcome\r\n" if line == b"PONG abc123\r\n" else b"ERR\r\n")
    await reader.read()


async def test_an_open_port_is_up_with_its_phases() -> None:
    async with target(silent) as place:
        run = await run_tcp(place.port, "connected && addr == '127.0.0.1'", "took_ms > 0.0")
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve", "connect"]


async def test_without_expectations_a_connection_is_enough() -> None:
    async with target(silent) as place:
        assert (await run_tcp(place.port)).outcome == "up"
    assert (await run_tcp(place.port)).kind == "connect_refused"


async def test_a_port_that_must_be_closed_can_be_expected() -> None:
    async with target(silent) as place:
        open_run = await run_tcp(place.port, "!connected")
    assert (open_run.outcome, open_run.kind) == ("down", "expectation_failed")
    closed = await run_tcp(place.port, "!connected")
    assert (closed.outcome, closed.kind) == ("up", None)


async def test_a_banner_is_read_where_it_is_expected() -> None:
    async with target(saying(b"SSH-2.0-OpenSSH_9.6\r\n")) as place:
        run = await run_tcp(place.port, "banner.startsWith('SSH-2.0')")
    assert run.outcome == "up", run.verdict.detail
    assert run.seen.facts["banner"] == "SSH-2.0-OpenSSH_9.6"


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        pytest.param(silent, "dialogue_timeout", id="silence"),
        pytest.param(saying(then_close=True), "connection_lost", id="a close"),
    ],
)
async def test_a_banner_that_does_not_come(script: Script, kind: str) -> None:
    async with target(script) as place:
        run = await run_tcp(place.port, "banner != ''", within="100ms")
    assert (run.outcome, run.kind) == ("down", kind)


async def test_a_capture_is_sent_back_and_can_be_expected() -> None:
    dialogue = [
        {"expect": r"^PING (?P<word>\w+)$"},
        {"line": "PONG ${word}"},
        {"expect": "^OK (.*)"},
    ]
    async with target(ping_pong) as place:
        run = await run_tcp(
            place.port,
            "captures.word == 'abc123' && captures['1'] == 'welcome'",
            "banner == 'PING abc123'",
            dialogue=dialogue,
        )
    assert run.outcome == "up", run.verdict.detail
    assert [step["do"] for step in run.seen.facts["dialogue"]] == ["expect", "line", "expect"]
    assert run.seen.facts["captures"] == ["1", "word"]
    assert "abc123" not in str({**run.seen.facts, "banner": ""})
    assert list(run.seen.phases or {}) == ["resolve", "connect", "dialogue"]


async def test_bytes_that_are_no_text_are_sent_and_matched() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.readexactly(4)
        for byte in data[::-1]:
            writer.write(bytes([byte]))
            await writer.drain()
        writer.write(b"rest")
        await reader.read()

    async with target(echo) as place:
        run = await run_tcp(
            place.port,
            dialogue=[
                {"hex": "00 ff 0a 80"},
                {"expect_bytes": r"(?s)^\x80\n(.)\x00"},
                {"expect_bytes": "rest$"},
            ],
        )
    assert run.outcome == "up", run.verdict.detail


async def test_a_dollar_sign_is_written_twice() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())

    async with target(echo) as place:
        steps = [{"line": "cost $$5 $x"}, {"expect": r"^cost \$5 \$x$"}]
        assert (await run_tcp(place.port, dialogue=steps)).outcome == "up"


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        pytest.param(silent, "dialogue_timeout", "step 1 expects", id="silence"),
        pytest.param(
            saying(b"554 go away\r\n"), "unexpected_reply", "'554 go away' came", id="another line"
        ),
        pytest.param(
            saying(b"554 bye\r\n", then_close=True), "unexpected_reply", "554 bye", id="and a close"
        ),
        pytest.param(saying(then_close=True), "connection_lost", "step 1", id="a close"),
        pytest.param(
            saying(b"x" * 9000), "reply_too_large", "longer than 8192 bytes", id="no line end"
        ),
        pytest.param(
            saying(b"x" * 9000 + b"\n"), "reply_too_large", "longer than 8192", id="a long line"
        ),
        pytest.param(saying(b"a\n" * 9000), "reply_too_large", "4096 pieces", id="many lines"),
        pytest.param(
            saying(*[b"x" * 4000 + b"\n"] * 80), "reply_too_large", "262144 bytes", id="too much"
        ),
    ],
)
async def test_what_does_not_fit_a_step(script: Script, kind: str, said: str) -> None:
    async with target(script) as place:
        run = await run_tcp(place.port, within="300ms", dialogue=[{"expect": "^220 "}])
    assert (run.outcome, run.kind) == ("down", kind), run.verdict.detail
    assert said in (run.verdict.detail or "")


async def test_a_step_can_have_less_time_than_the_check() -> None:
    async with target(silent) as place:
        run = await run_tcp(
            place.port, within="60s", dialogue=[{"expect": "^220 ", "within": "20ms"}]
        )
    assert run.kind == "dialogue_timeout"
    assert "within 20ms" in (run.verdict.detail or "")


async def test_a_pattern_that_would_hang_others_does_not_hang_us() -> None:
    async with target(saying(b"a" * 4000 + b"!\r\n")) as place:
        run = await run_tcp(place.port, within="500ms", dialogue=[{"expect": r"^(a+)+$"}])
    assert run.kind == "unexpected_reply"


async def test_tls_from_the_first_byte_is_verified() -> None:
    async with target(saying(b"220 hello\r\n"), server_tls()) as place:
        run = await run_tcp(
            place.port,
            "tls.verified && tls.days_left > 1.0 && size(tls.sha256) == 64",
            "'127.0.0.1' in tls.san && tls.version == 'TLSv1.3'",
            "banner == '220 hello'",
            tls=TRUST,
        )
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve", "connect", "tls", "dialogue"]
    assert run.seen.phases is not None
    assert abs(sum(run.seen.phases.values()) - run.seen.took_us) < 1000


async def test_a_stranger_is_refused_unless_verification_is_off() -> None:
    async with target(saying(b"hi\r\n"), server_tls()) as place:
        refused = await run_tcp(place.port, tls={})
        taken = await run_tcp(place.port, "!tls.verified", tls={"verify": False})
        pinned = await run_tcp(place.port, tls={"verify": False, "pins": ["cert:" + "0" * 64]})
    assert (refused.outcome, refused.kind) == ("down", "tls_verify_failed")
    assert refused.seen.facts["tls"]["sha256"]
    assert taken.outcome == "up", taken.verdict.detail
    assert pinned.kind == "tls_verify_failed"


async def test_another_name_is_refused_and_a_chosen_one_accepted() -> None:
    async with target(saying(b"hi\r\n"), server_tls("mail.example")) as place:
        wrong = await run_tcp(place.port, tls=TRUST)
        right = await run_tcp(place.port, tls={"ca": CA_PEM, "server_name": "mail.example"})
    assert wrong.kind == "tls_verify_failed"
    assert right.outcome == "up", right.verdict.detail


async def test_tls_to_a_plain_port_is_a_failed_handshake() -> None:
    async with target(saying(b"220 plain\r\n")) as place:
        run = await run_tcp(place.port, tls=TRUST)
    assert (run.outcome, run.kind) == ("down", "tls_handshake_failed")


Server = Callable[[ssl.SSLContext], Talk]


@pytest.mark.parametrize(
    ("protocol", "server", "then", "banner"),
    [
        pytest.param("smtp", smtp, "250 ", "220-mail.example ESMTP", id="smtp"),
        pytest.param("imap", imap, "a NOOP done", "* OK IMAP4rev1 ready", id="imap"),
        pytest.param("ftp", ftp, "200 fine", "220-Welcome", id="ftp"),
    ],
)
async def test_starttls_leads_to_a_verified_dialogue(
    protocol: str, server: Server, then: str, banner: str
) -> None:
    say = "EHLO me" if protocol == "smtp" else "NOOP"
    talk = server(server_tls())
    async with target(talk.script()) as place:
        run = await run_tcp(
            place.port,
            f"tls.verified && banner == '{banner}'",
            starttls=protocol,
            dialogue=[{"line": say}, {"expect": f"^{then}"}],
            tls=TRUST,
        )
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve", "connect", "starttls", "tls", "dialogue"]


@pytest.mark.parametrize(
    ("protocol", "server", "kind"),
    [
        pytest.param("smtp", smtp(None, EHLO=b"250 plain\r\n"), "starttls_refused", id="not offered"),
        pytest.param("smtp", smtp(None, STARTTLS=b"454 no\r\n"), "starttls_refused", id="refused"),
        pytest.param("imap", imap(None, STARTTLS=b"vedette1 BAD no\r\n"), "starttls_refused", id="imap"),
        pytest.param("ftp", ftp(None, AUTH=b"502 what\r\n"), "starttls_refused", id="ftp"),
        pytest.param("imap", smtp(None), "unexpected_reply", id="another protocol"),
        pytest.param("smtp", Talk(b"554 busy\r\n", {}), "unexpected_reply", id="a refusing greeting"),
        pytest.param("smtp", Talk(b"hello\r\n", {}), "unexpected_reply", id="no code"),
        pytest.param("smtp", Talk(b"", {}), "dialogue_timeout", id="silence"),
        pytest.param("smtp", Talk(b"220-a\r\n" * 5000, {}), "reply_too_large", id="a greeting without end"),
    ],
)  # fmt: skip
async def test_starttls_that_does_not_come_about(protocol: str, server: Talk, kind: str) -> None:
    async with target(server.script()) as place:
        run = await run_tcp(place.port, starttls=protocol, within="300ms")
    assert (run.outcome, run.kind) == ("down", kind), run.verdict.detail


async def test_words_smuggled_in_before_tls_are_refused() -> None:
    talk = smtp(server_tls(), STARTTLS=b"220 go\r\n250 smuggled\r\n")
    async with target(talk.script()) as place:
        run = await run_tcp(place.port, starttls="smtp", tls=TRUST)
    assert (run.outcome, run.kind) == ("down", "protocol_error")


async def test_starttls_can_be_a_step_of_the_dialogue() -> None:
    dialogue: list[object] = [
        {"expect": "^220 "}, {"line": "EHLO me"}, {"expect": "^250 STARTTLS"}, {"line": "STARTTLS"},
        {"expect": "^220 "}, {"starttls": True}, {"line": "QUIT"}, {"expect": "^221 "},
    ]  # fmt: skip
    async with target(smtp(server_tls()).script()) as place:
        run = await run_tcp(place.port, "tls.verified", dialogue=dialogue, tls=TRUST)
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve", "connect", "dialogue", "tls"]


async def test_the_policy_comes_before_the_connection() -> None:
    run = await run_tcp(9, "!connected", policy=Policy())
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")


async def test_a_name_that_does_not_exist_is_not_a_closed_port() -> None:
    run = await run_tcp(9, "!connected", host="nothing.invalid")
    assert run.outcome != "up"


async def longest_stall_us(work: "asyncio.Task[Run]") -> int:
    """The longest time for which the loop did nothing else while `work` ran."""
    longest, last = 0, time.monotonic_ns()
    while not work.done():
        await asyncio.sleep(0)
        now = time.monotonic_ns()
        longest, last = max(longest, now - last), now
    return longest // 1000


async def test_a_dear_pattern_over_much_text_does_not_stop_the_loop() -> None:
    """The dearest kind that is allowed, on text that it nearly matches everywhere."""
    stalls = []
    for _ in range(3):
        async with target(saying(b"a" * 200_000)) as place:
            steps = [{"expect_bytes": "(a?){95}(a|b|ab)*c"}]
            work = asyncio.create_task(run_tcp(place.port, within="1s", dialogue=steps))
            stalls.append(await longest_stall_us(work))
            run = await work
        assert run.kind == "unexpected_reply"
    assert min(stalls) < 100_000


@pytest.mark.parametrize("before", [0, 1, 4000, 8191, 8192, 12_287, 12_288, 100_001])
@pytest.mark.parametrize("pieces", [1 << 20, 5000])
async def test_a_match_is_found_wherever_it_stands(before: int, pieces: int) -> None:
    text = b"a" * before + b"<" + b"b" * 3000 + b">"
    parts = [text[place : place + pieces] for place in range(0, len(text), pieces)]
    async with target(saying(*parts)) as place:
        run = await run_tcp(
            place.port, "size(captures['1']) == 1000", dialogue=[{"expect_bytes": "<(b+)>$"}]
        )
    assert run.outcome == "up", run.verdict.detail


async def test_a_pattern_begins_where_the_text_does_and_not_where_the_window_does() -> None:
    async with target(saying(b"a" * 50_000, then_close=True)) as place:
        run = await run_tcp(place.port, dialogue=[{"expect_bytes": "^a{100}b|[^a]"}])
    assert run.kind == "unexpected_reply"


def asking_who(context: ssl.SSLContext) -> ssl.SSLContext:
    CA.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_of(ca: trustme.CA) -> dict[str, str]:
    shown = ca.issue_cert("agent@example.com")
    return {
        "certificate": shown.cert_chain_pems[0].bytes().decode(),
        "key": shown.private_key_pem.bytes().decode(),
    }


async def test_a_client_certificate_that_is_taken() -> None:
    async with target(silent, tls=asking_who(server_tls())) as place:
        run = await run_tcp(place.port, tls={**TRUST, "client": client_of(CA)})
    assert run.outcome == "up", run.verdict.detail
    assert list(run.seen.phases or {}) == ["resolve", "connect", "tls", "consent"]


async def test_a_close_at_the_sight_of_a_client_certificate_is_noticed() -> None:
    async with target(silent, tls=asking_who(server_tls())) as place:  # asyncio sends no alert
        run = await run_tcp(place.port, tls={**TRUST, "client": client_of(trustme.CA())})
    assert (run.outcome, run.kind) == ("down", "connection_lost")


async def test_a_refused_client_certificate_is_noticed_without_a_dialogue() -> None:
    context = asking_who(server_tls())
    with socket.create_server((LOOPBACK, 0)) as server:

        def refuse() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(ssl.SSLError):
                context.wrap_socket(connection, server_side=True)

        refusing = asyncio.create_task(asyncio.to_thread(refuse))
        port = server.getsockname()[1]
        run = await run_tcp(port, tls={**TRUST, "client": client_of(trustme.CA())})
        await refusing
    assert (run.outcome, run.kind) == ("down", "tls_handshake_failed")
    assert "refuses the client certificate" in (run.verdict.detail or "")
