"""What two checks can have in common."""

import pytest

from controller.core.fleet import read_fleet
from controller.core.targets import targets_of

CHECKS = [
    ('http: {url: "https://Shop.Example:8443/a?b"}', {"shop.example"}),
    ('http: {url: "http://[2001:DB8:0::1]/"}', {"2001:db8::1"}),
    ('dns: {name: Shop.Example., servers: [192.0.2.53, "ns1.example:5353"]}', {"shop.example", "192.0.2.53", "ns1.example"}),
    ("icmp: {host: shop.example}", {"shop.example"}),
    ("tcp: {host: 192.0.2.1, port: 25}", {"192.0.2.1"}),
]  # fmt: skip


@pytest.mark.parametrize(("probe", "targets"), CHECKS)
def test_targets_are_hosts_in_one_spelling(probe: str, targets: set[str]) -> None:
    text = f"""
version: 1
regions: [{{id: fra}}]
services: [{{id: shop}}]
checks: [{{id: home, service: shop, {probe}}}]
"""
    assert targets_of(read_fleet(text.encode(), "f").checks["home"]) == targets
