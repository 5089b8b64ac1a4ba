"""What a site agrees to probe."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.policy import Policy, network_of, verdict

PUBLIC_ONLY = Policy()


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8", "1.1.1.1", "198.41.0.4", "2001:4860:4860::8888", "2606:4700:4700::1111",
        "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
    ],
)  # fmt: skip
def test_public_addresses_are_admitted(address: str) -> None:
    assert verdict(address, PUBLIC_ONLY) is None


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.255", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("fd12:3456::1", "private"),
        ("fec0::1", "private"),
        ("100.64.0.1", "CGNAT"),
        ("100.127.255.255", "CGNAT"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("192.0.0.192", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("ff02::1", "multicast"),
        ("192.0.2.1", "reserved"),
        ("198.18.0.1", "reserved"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("2001:db8::1", "reserved"),
        ("100::1", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "metadata"),
        ("::127.0.0.1", "loopback"),
        ("2002:7f00:1::1", "loopback"),
        ("2002:a9fe:a9fe::1", "metadata"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b:1::a9fe:a9fe", "metadata"),
        ("2001:0:7f00:1::1", "loopback"),
        ("2a00::5efe:10.0.0.1", "private"),
        ("fe80::5efe:8.8.8.8", "link-local"),
    ],
)
def test_all_others_are_refused_by_default(address: str, why: str) -> None:
    refusal = verdict(address, PUBLIC_ONLY)
    assert refusal is not None
    assert why in refusal


def test_an_allowed_network_is_admitted_in_every_disguise() -> None:
    policy = Policy.of(["10.0.0.0/8"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "2002:a01:203::"):
        assert verdict(address, policy) is None
    assert verdict("192.168.0.1", policy) is not None


def test_denied_is_stronger_than_allowed() -> None:
    policy = Policy.of(["10.0.0.0/8"], ["10.66.0.0/16", "8.8.8.0/24"])
    assert verdict("10.1.0.1", policy) is None
    for address in ("10.66.0.1", "8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808"):
        assert "denies" in (verdict(address, policy) or "")


@pytest.mark.parametrize("wide", ["0.0.0.0/0", "169.254.0.0/16"])
def test_a_wide_network_does_not_open_metadata_addresses(wide: str) -> None:
    assert verdict("169.254.1.1", Policy.of([wide])) is None
    assert "metadata" in (verdict("169.254.169.254", Policy.of([wide])) or "")
    assert verdict("169.254.169.254", Policy.of([wide, "169.254.169.254"])) is None


@pytest.mark.parametrize("text", ["", "ten", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/8/8"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a network such as 10\.0\.0\.0/8"):
        network_of(text)


@given(st.ip_addresses(v=4))
def test_what_is_refused_plain_is_refused_in_every_disguise(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    refused = verdict(str(address), PUBLIC_ONLY) is not None
    for outer in (
        (0xFFFF << 32) | number,
        (0x0064FF9B << 96) | number,
        (0x2002 << 112) | (number << 80) | 1,
    ):
        disguised = str(ipaddress.IPv6Address(outer))
        assert (verdict(disguised, PUBLIC_ONLY) is not None) == refused
