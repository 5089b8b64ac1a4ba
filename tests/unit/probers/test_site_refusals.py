"""What no spelling, mapping, resolver, proxy or port gets past, in any prober: refused at connect, as agent_error."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from agent.core.policy import Policy
from agent.core.terms import PortRange, Terms
from agent.ports import Observation, Prober
from agent.probers.anchors import NetworkAnchors
from agent.probers.network.admission import Admission
from agent.probers.network.fault import Fault
from agent.probers.registry import probers_of
from vedette.shared.anchors import Anchor, encode_anchor
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.probes import Family

# Every one of them leads to 127.0.0.1 or to a metadata address, whatever it looks like.
SPELLINGS = [
    "127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "0x7f000001", "127.0.1",
    "localhost", "0.0.0.0", "169.254.169.254", "0xa9fea9fe",
]  # fmt: skip
MAPPINGS = [
    "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:0:7f00:1:0:0:8000:1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "::127.0.0.1", "fd00:ec2::254",
    "fe80::a9fe:a9fe", "100.100.100.200", "168.63.129.16", "192.0.0.192", "10.1.2.3", "100.64.0.1",
]  # fmt: skip


def probe_of(kind: str, host: str) -> dict[str, Any]:
    bracketed = f"[{host}]" if ":" in host else host
    probes: dict[str, dict[str, Any]] = {
        "http": {"url": f"http://{bracketed}:9/"},
        "tcp": {"host": host, "port": 9},
        "icmp": {"host": host, "count": 1},
        "dns": {"name": "a.example", "servers": [bracketed]},
    }
    return probes[kind]


async def probed(probers: Mapping[str, Prober], kind: str, probe: dict[str, Any]) -> Observation:
    check = msgspec.convert({"id": "c", "service": "s", "timeout": "2s", kind: probe}, Check)
    return await probers[kind].probe(check)


@pytest.mark.parametrize("kind", ["http", "tcp", "icmp", "dns"])
@pytest.mark.parametrize("host", [*SPELLINGS, *MAPPINGS])
async def test_no_spelling_of_an_inner_address_is_probed(kind: str, host: str) -> None:
    seen = await probed(probers_of(Policy()), kind, probe_of(kind, host))
    assert seen.is_agent_fault
    if seen.kind != Failure.POLICY_REFUSED:
        # Not even a request can be made of it.
        assert seen.kind == Failure.UNRUNNABLE, seen.detail
        assert "Invalid IPv4 address: '0177.0.0.1'" in (seen.detail or "")


@pytest.mark.parametrize("kind", ["http", "tcp", "dns"])
async def test_no_port_is_reached_that_the_site_has_not_allowed(kind: str) -> None:
    policy = Policy.of(["127.0.0.0/8"], terms=Terms(ports_allowed=(PortRange(80, 443),)))
    probe = probe_of(kind, "127.0.0.1")
    if kind == "dns":
        probe = {**probe, "servers": ["127.0.0.1:9"]}
    seen = await probed(probers_of(policy), kind, probe)
    assert seen.kind == Failure.POLICY_PORT
    assert "port 9 is none of those that this site allows (80-443)" in (seen.detail or "")


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"url": "http://shop.example/", "resolver": ["127.0.0.1"]}, id="resolver"),
        pytest.param({"url": "http://shop.example/", "proxy": "http://127.1:3128"}, id="proxy"),
        pytest.param(
            {"url": "http://0x7f.1/", "proxy": "http://192.0.2.1:3128"}, id="target of a proxy"
        ),
    ],
)
async def test_what_a_check_puts_between_is_judged_too(more: dict[str, Any]) -> None:
    seen = await probed(probers_of(Policy()), "http", more)
    assert seen.kind == Failure.POLICY_REFUSED, seen.detail


@pytest.mark.parametrize("kind", ["http", "tcp", "icmp", "dns"])
async def test_another_policy_holds_for_probers_that_are_running(kind: str) -> None:
    admission = Admission(Policy.of(["127.0.0.0/8"]))
    probers = probers_of(admission)
    probe = probe_of(kind, "127.0.0.1")
    check = msgspec.convert({"id": "c", "service": "s", "timeout": "1s", kind: probe}, Check)
    first = await probers[kind].probe(check)
    assert first.kind != Failure.POLICY_REFUSED
    admission.policy = Policy()
    assert (await probers[kind].probe(check)).kind == Failure.POLICY_REFUSED


async def test_one_connection_too_many_to_an_address_is_refused() -> None:
    left = 1

    def meter(address: str) -> str | None:
        nonlocal left
        left -= 1
        return None if left >= 0 else "this site reaches one address 1/s at most"

    admission = Admission(Policy.of(["127.0.0.0/8"]), meter=meter)
    assert list(await admission.addresses("127.0.0.1", Family.ANY, 10**6)) == ["127.0.0.1"]
    with pytest.raises(Fault, match="reaches one address 1/s at most") as caught:
        await admission.addresses("localhost", Family.IPV4, 10**6)
    assert caught.value.kind is Failure.POLICY_RATE


async def test_an_anchor_is_no_way_around_the_policy_but_the_controller_is_spoken_to() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    inner = {"tcp": {"host": "127.0.0.1", "port": port}}
    targets = [encode_anchor(msgspec.convert(inner, Anchor)), b"no anchor", json.dumps({}).encode()]
    anchors = NetworkAnchors(probers_of(Policy()), ("127.0.0.1", port))
    answers = await anchors.ask(targets)
    assert [(a.kind, a.says_nothing) for a in answers] == [
        (Failure.POLICY_REFUSED, True),
        (Failure.UNRUNNABLE, True),
        (Failure.UNRUNNABLE, True),
        (None, False),
    ]
    server.close()
    open_site = NetworkAnchors(probers_of(Policy.of(["127.0.0.0/8"])), ("127.0.0.1", port))
    answers = await open_site.ask(targets[:1])
    assert [(a.kind, a.family, a.says_nothing) for a in answers] == [
        (Failure.CONNECT_REFUSED, "ipv4", False),
        (Failure.CONNECT_REFUSED, "any", False),
    ]
