"""ICMP probes: statistics over a scripted host, and the real socket on loopback.

Where the system gives no right to ICMP, the claims about loopback become claims about the sentence that says so.
"""

import asyncio
import struct
from collections.abc import Callable, Sequence

import pytest
from icmplib import ICMPv4Socket
from icmplib.exceptions import SocketPermissionError

from agent.core.policy import Policy
from agent.core.verdict import verdict
from agent.probers import icmp, icmp_socket
from agent.probers.icmp import IcmpProber
from agent.probers.icmp_packets import Packets4, Packets6, Saying, queued_error
from agent.probers.icmp_socket import Answer, Echo, IcmpSocket, permission_problem
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import monotonic_us
from tests.fakes.icmp_target import Fate, ScriptedIcmp
from tests.unit.probers.http_probing import LOOPBACK_ONLY, Run, check_of

LOOPBACK = "127.0.0.1"
PERMITTED = permission_problem() is None


async def run_icmp(
    host: str, *expect: str, within: str = "2s", policy: Policy = LOOPBACK_ONLY, **probe: object
) -> Run:
    plain = {"host": host, "spacing": "1ms", "expect": list(expect)}
    check = check_of("icmp", {**plain, **probe}, within)
    assert not check.probe.problems(check.timeout_us)
    prober = IcmpProber(Admission(policy))
    seen = await prober.probe(check)
    await prober.close()
    return Run(seen, verdict(check, seen))


def assert_up_or_not_permitted(run: Run) -> None:
    """The claim where ICMP may be sent; the clear sentence where it may not."""
    if PERMITTED:
        assert run.outcome == "up", run.verdict.detail
    else:
        assert (run.outcome, run.kind) == ("agent_error", "no_permission")
        assert "net.ipv4.ping_group_range" in (run.verdict.detail or "")


Scripted = Callable[[Sequence[Fate]], list[ScriptedIcmp]]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Lets the next probes meet hosts that behave as told; gives the sockets that were opened."""

    def put(fates: Sequence[Fate]) -> list[ScriptedIcmp]:
        opened: list[ScriptedIcmp] = []

        def make(_version: int, clock: Callable[[], int]) -> ScriptedIcmp:
            opened.append(ScriptedIcmp(fates, clock))
            return opened[-1]

        monkeypatch.setattr(icmp, "IcmpSocket", make)
        return opened

    return put


async def test_three_sent_and_two_received_is_a_third_lost(scripted: Scripted) -> None:
    scripted([[1000], [], [3000]])
    run = await run_icmp(
        LOOPBACK,
        "sent == 3 && received == 2 && loss > 0.333 && loss < 0.334",
        "rtt_ms.min == 1.0 && rtt_ms.avg == 2.0 && rtt_ms.max == 3.0 && rtt_ms.jitter == 2.0",
        "ttl == 57 && duplicates == 0",
        within="50ms",
    )
    assert run.outcome == "up", run.verdict.detail
    assert run.seen.facts["rtts"] == [1000, None, 3000]


async def test_fifteen_sent_and_none_received_has_no_times(scripted: Scripted) -> None:
    scripted([[]] * 15)
    run = await run_icmp(LOOPBACK, count=15, within="50ms")
    assert (run.outcome, run.kind) == ("down", "no_reply")
    assert run.seen.variables["loss"] == 1.0
    assert run.seen.facts["rtts"] == [None] * 15
    assert "rtt_ms" not in run.seen.variables
    timed = await run_icmp(LOOPBACK, "rtt_ms.avg < 100.0", count=15, within="50ms")
    assert (timed.outcome, timed.kind) == ("down", "no_reply")


async def test_a_reply_that_comes_twice_counts_once(scripted: Scripted) -> None:
    scripted([[1000, 1500, 1600], [1000]])
    run = await run_icmp(LOOPBACK, "received == 2 && duplicates == 2 && loss == 0.0", count=2)
    assert run.outcome == "up", run.verdict.detail
    assert run.seen.facts["rtts"] == [1000, 1000]
    assert run.seen.facts["duplicates"] == 2


@pytest.mark.parametrize(
    ("saying", "kind"),
    [
        (Saying.UNREACHABLE, "unreachable"),
        (Saying.TOO_BIG, "packet_too_big"),
        (Saying.TTL_EXCEEDED, "ttl_exceeded"),
    ],
)
async def test_what_a_router_says_is_told_at_once(
    scripted: Scripted, saying: Saying, kind: str
) -> None:
    scripted([saying, saying])
    run = await run_icmp(LOOPBACK, count=2, within="60s")
    assert (run.outcome, run.kind) == ("down", kind)
    assert "192.0.2.254" in (run.verdict.detail or "")
    assert run.seen.facts["rtts"] == [None, None]
    assert run.seen.took_us < 10_000_000


async def test_one_reply_outweighs_what_routers_say(scripted: Scripted) -> None:
    scripted([Saying.UNREACHABLE, [1000]])
    run = await run_icmp(LOOPBACK, "received == 1", count=2)
    assert run.outcome == "up", run.verdict.detail
    assert run.seen.facts["errors"] == {"0": {"says": "unreachable", "from": "192.0.2.254"}}


async def test_a_lost_packet_is_waited_for_as_long_as_the_check_says(scripted: Scripted) -> None:
    scripted([[]])
    run = await run_icmp(LOOPBACK, "received == 0", count=1, wait="20ms", within="60s")
    assert run.outcome == "up", run.verdict.detail
    assert 20_000 <= run.seen.took_us < 10_000_000


async def test_size_df_and_ttl_are_asked_for(scripted: Scripted) -> None:
    opened = scripted([[1]])
    await run_icmp(LOOPBACK, count=1, size=1400, dont_fragment=True, ttl=9)
    assert opened[0].sent == [Echo(LOOPBACK, 1400, dont_fragment=True, ttl=9)]


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("127.0.0.1", "ipv4", "127.0.0.1"),
        ("localhost", "ipv4", "127.0.0.1"),
        ("::1", "ipv6", "::1"),
    ],
)
async def test_every_variable_can_be_expected(host: str, family: str, address: str) -> None:
    run = await run_icmp(
        host,
        "sent == 4 && received == 4 && loss == 0.0",
        "rtt_ms.min <= rtt_ms.p50 && rtt_ms.p50 <= rtt_ms.p95 && rtt_ms.p95 <= rtt_ms.max",
        "rtt_ms.avg > 0.0 && rtt_ms.jitter >= 0.0",
        f"addr == '{address}' && ttl > 0 && took_ms >= 3.0",
        count=4,
        family=family,
    )
    if run.kind in ("no_route", "exhausted") and family == "ipv6":
        assert run.outcome == "agent_error"  # a machine without IPv6
    else:
        assert_up_or_not_permitted(run)


async def test_large_packets_that_may_not_be_cut_fit_loopback() -> None:
    run = await run_icmp(LOOPBACK, "received == 2", count=2, size=8972, dont_fragment=True, ttl=1)
    assert_up_or_not_permitted(run)


async def test_probes_at_the_same_time_get_their_own_replies() -> None:
    prober = IcmpProber(Admission(LOOPBACK_ONLY))
    checks = [
        check_of("icmp", {"host": f"127.0.0.{n}", "count": 5, "spacing": "1ms"})
        for n in range(1, 21)
    ]
    runs = [Run(s, verdict(c, s)) for c, s in zip(
        checks, await asyncio.gather(*(prober.probe(c) for c in checks)), strict=True
    )]  # fmt: skip
    await prober.close()
    for run in runs:
        assert_up_or_not_permitted(run)
        assert not PERMITTED or run.seen.variables["received"] == 5


async def test_the_policy_comes_before_the_first_packet() -> None:
    run = await run_icmp(LOOPBACK, policy=Policy())
    assert (run.outcome, run.kind) == ("agent_error", "policy_refused")


async def test_policy_and_rate_are_asked_at_every_run(scripted: Scripted) -> None:
    scripted([[1], [1], [1]])
    reached: list[str] = []

    def meter(address: str) -> str | None:
        reached.append(address)
        return None if len(reached) < 3 else "this site reaches an address 2 times"

    admission = Admission(LOOPBACK_ONLY, meter=meter)
    prober = IcmpProber(admission)
    check = check_of("icmp", {"host": LOOPBACK, "count": 1})
    kinds = [(await prober.probe(check)).kind for _ in range(3)]
    admission.policy = Policy()
    kinds.append((await prober.probe(check)).kind)
    assert kinds == [None, None, "policy_rate", "policy_refused"]
    assert reached == [LOOPBACK] * 3


async def test_without_any_right_the_sentence_names_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Forbidden:
        def __init__(self, *, privileged: bool) -> None:
            raise SocketPermissionError(privileged)

    monkeypatch.setattr(icmp_socket, "Packets4", Forbidden)
    run = await run_icmp(LOOPBACK)
    assert (run.outcome, run.kind) == ("agent_error", "no_permission")
    for word in ("CAP_NET_RAW", "sysctl -w net.ipv4.ping_group_range"):
        assert word in (run.verdict.detail or "")


# --- packets, without a socket: a class of icmplib's whose system socket is never opened


class Raw4(Packets4):
    def _create_socket(self, _type: int) -> None:
        return None


class Raw6(Packets6):
    def _create_socket(self, _type: int) -> None:
        return None


def ipv4(
    icmp_bytes: bytes, target: str = "192.0.2.7", protocol: int = 1, options: int = 0
) -> bytes:
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45 + options, 0, 0, 0, 0, 64, protocol, 0, b"\x7f\0\0\1",
        bytes(int(part) for part in target.split(".")),
    )  # fmt: skip
    return header + b"\0" * options * 4 + icmp_bytes


def test_the_checksum_is_that_of_icmplib() -> None:
    packets = Raw4()
    for data in (b"", b"\x01", b"ab", b"\xff" * 63, bytes(range(256)) * 3):
        assert packets._checksum(data) == ICMPv4Socket._checksum(packets, data)


@pytest.mark.parametrize("options", [0, 2])
def test_a_reply_is_read_with_and_without_ip_options(options: int) -> None:
    request = Raw4().packet(7, 9, b"payload")
    found = Raw4().incoming(ipv4(b"\x00" + request[1:], options=options), "192.0.2.7")
    assert found is not None
    assert (found.saying, found.id, found.sequence, found.echoed) == (
        Saying.REPLY,
        7,
        9,
        b"payload",
    )


@pytest.mark.parametrize(
    ("kind", "code", "saying"),
    [
        (3, 1, Saying.UNREACHABLE),
        (3, 4, Saying.TOO_BIG),
        (11, 0, Saying.TTL_EXCEEDED),
    ],
)
def test_an_error_is_read_with_the_request_that_it_quotes(
    kind: int, code: int, saying: Saying
) -> None:
    quoted = ipv4(Raw4().packet(7, 9, b"payload"))
    error = ipv4(struct.pack("!BBHI", kind, code, 0, 0) + quoted)
    found = Raw4().incoming(error, "192.0.2.254")
    assert found is not None
    assert (found.saying, found.id, found.sequence, found.target) == (saying, 7, 9, "192.0.2.7")
    about_udp = ipv4(
        struct.pack("!BBHI", kind, code, 0, 0) + ipv4(b"\x08" + b"x" * 20, protocol=17)
    )
    assert Raw4().incoming(about_udp, "192.0.2.254") is None


def test_an_ipv6_error_is_read_likewise() -> None:
    request = Raw6().packet(7, 9, b"payload")
    ours, target = bytes(15) + b"\x01", bytes.fromhex("20010db8") + bytes(11) + b"\x07"
    quoted = struct.pack("!IHBB", 0x60000000, len(request), 58, 64) + ours + target + request
    found = Raw6().incoming(struct.pack("!BBHI", 2, 0, 0, 1280) + quoted, "2001:db8::fe")
    assert found is not None
    assert (found.saying, found.id, found.sequence) == (Saying.TOO_BIG, 7, 9)
    assert found.target == "2001:db8::7"


@pytest.mark.parametrize(
    "packet", [b"", b"\x45", ipv4(b""), ipv4(b"\x00" * 7), ipv4(b"\x08" + b"\x00" * 20)]
)
def test_what_is_no_answer_is_none(packet: bytes) -> None:
    assert Raw4().incoming(packet, "192.0.2.7") is None


def test_the_systems_error_queue_is_read() -> None:
    request = Raw4().packet(7, 9, b"payload")
    router = struct.pack("@HH", 2, 0) + bytes([192, 0, 2, 254]) + bytes(8)
    entry = struct.pack("@IBBBBII", 113, 2, 3, 1, 0, 0, 0) + router
    found = queued_error(4, request, entry, "192.0.2.7")
    assert found is not None
    assert (found.saying, found.sequence, found.target) == (Saying.UNREACHABLE, 9, "192.0.2.7")
    assert found.router == "192.0.2.254"
    assert queued_error(4, b"short", entry, "192.0.2.7") is None
    assert queued_error(4, request, struct.pack("@IBBBBII", 0, 1, 0, 0, 0, 0, 0), "x") is None


class Listening:
    def __init__(self) -> None:
        self.got: list[Answer] = []

    def take(self, number: int, answer: Answer) -> None:
        assert number == 3
        self.got.append(answer)


async def test_replies_that_are_not_ours_are_passed_over() -> None:
    if not PERMITTED:
        with pytest.raises(Fault, match="ping_group_range"):
            IcmpSocket(4, monotonic_us)
        return
    sock = IcmpSocket(4, monotonic_us)
    sock._loop.remove_reader(sock._sock.fileno())
    asker = Listening()
    got = asker.got
    sequence, _ = sock.send(Echo(LOOPBACK, 56), asker, 3)
    ours = sock._packets.packet(sock._id, sequence, sock._expected[sequence].payload)

    def deliver(packet: bytes, source: str) -> None:
        header = bytes(20) if sock._is_raw else b""
        incoming = sock._packets.incoming(header + packet, source)
        if incoming is not None:
            sock._deliver(incoming, [], source)

    reply = b"\x00" + ours[1:]
    deliver(reply, "127.0.0.9")
    deliver(reply[:-1] + b"x", LOOPBACK)
    deliver(reply[:6], LOOPBACK)
    deliver(b"\x00" + sock._packets.packet(sock._id, sequence ^ 1, b"v" * 56)[1:], LOOPBACK)
    assert got == []
    deliver(reply, LOOPBACK)
    assert len(got) == 1
    sock.forget(sequence)
    deliver(reply, LOOPBACK)
    assert len(got) == 1
    sock.close()


async def test_a_reply_after_its_time_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IcmpSocket, "_deliver", lambda *_: None)
    run = await run_icmp(LOOPBACK, within="50ms", count=2)
    if PERMITTED:
        assert (run.outcome, run.kind) == ("down", "no_reply")
        assert run.seen.facts["rtts"] == [None, None]
        assert "rtt_ms" not in run.seen.variables
        wanted = await run_icmp(LOOPBACK, "received == 0", within="50ms")
        assert wanted.outcome == "up"
    else:
        assert run.kind == "no_permission"
