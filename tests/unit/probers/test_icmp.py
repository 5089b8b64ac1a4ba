"""ICMP probes against loopback; where the system gives no right to them, the sentence that says so."""

import asyncio

import pytest
from icmplib.exceptions import SocketPermissionError

from agent.core.policy import Policy
from agent.core.verdict import verdict
from agent.probers import icmp_socket
from agent.probers.icmp import IcmpProber
from agent.probers.icmp_socket import IcmpSocket, Reply, permission_problem
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.network.stopwatch import monotonic_us
from tests.unit.probers.http_probing import LOOPBACK_ONLY, Run, check_of

LOOPBACK = "127.0.0.1"
PERMITTED = permission_problem() is None


async def run_icmp(
    host: str, *expect: str, within: str = "2s", policy: Policy = LOOPBACK_ONLY, **probe: object
) -> Run:
    plain = {"host": host, "spacing": "1ms", "expect": list(expect)}
    check = check_of("icmp", {**plain, **probe}, within)
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


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_every_variable_can_be_expected(host: str) -> None:
    run = await run_icmp(
        host,
        "sent == 4 && received == 4 && loss == 0.0",
        "rtt_ms.min <= rtt_ms.p50 && rtt_ms.p50 <= rtt_ms.p95 && rtt_ms.p95 <= rtt_ms.max",
        "rtt_ms.avg > 0.0 && rtt_ms.jitter >= 0.0",
        "addr == '127.0.0.1' && ttl > 0 && took_ms >= 3.0",
        count=4,
        family="ipv4",
    )
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


async def test_without_any_right_the_sentence_names_what_to_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Forbidden:
        def __init__(self, *, privileged: bool) -> None:
            raise SocketPermissionError(privileged)

    monkeypatch.setattr(icmp_socket, "_Packets4", Forbidden)
    run = await run_icmp(LOOPBACK)
    assert (run.outcome, run.kind) == ("agent_error", "no_permission")
    for word in ("CAP_NET_RAW", "sysctl -w net.ipv4.ping_group_range"):
        assert word in (run.verdict.detail or "")


@pytest.fixture
def socket_or_sentence() -> str | None:
    return permission_problem()


async def test_replies_that_are_not_ours_are_passed_over(socket_or_sentence: str | None) -> None:
    if socket_or_sentence is not None:
        with pytest.raises(Fault, match="ping_group_range"):
            IcmpSocket(4, monotonic_us)
        return
    sock = IcmpSocket(4, monotonic_us)
    got: list[Reply] = []
    sequence, _ = sock.send(LOOPBACK, 56, got.append)
    expected = sock._expected[sequence]
    ours = sock._packets.packet(sock._id, sequence, expected.payload)
    reply = bytes(20 if sock._packets.is_privileged else 0) + b"\x00" + ours[1:]
    sock._deliver(reply, [], "127.0.0.9")
    sock._deliver(reply[:-1] + b"x", [], LOOPBACK)
    sock._deliver(reply[:6], [], LOOPBACK)
    sock._deliver(b"", [], LOOPBACK)
    assert got == []
    sock._deliver(reply, [], LOOPBACK)
    sock._deliver(reply, [], LOOPBACK)
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
