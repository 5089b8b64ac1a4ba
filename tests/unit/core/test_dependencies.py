"""Services that hang on one another (S-16)."""

import pytest

from controller.core.dependencies import ancestors, circles, depths
from controller.core.fleet import read_fleet
from vedette.shared.documents import BadDocument

SHOP = {"shop": ["api", "cdn"], "api": ["db", "dns"], "db": ["dns"], "dns": [], "cdn": []}


def test_ancestors_are_everything_below() -> None:
    assert ancestors(SHOP, "shop") == {"api", "cdn", "db", "dns"}
    assert ancestors(SHOP, "dns") == frozenset()
    assert ancestors(SHOP, "unheard") == frozenset()


def test_depth_is_the_longest_way_down() -> None:
    assert depths(SHOP) == {"dns": 0, "cdn": 0, "db": 1, "api": 2, "shop": 3}


def test_a_circle_is_named_in_order_and_cut_open() -> None:
    ring = {"a": ["b"], "b": ["c", "d"], "c": ["a"], "d": []}
    assert circles(ring) == [["a", "b", "c"]]
    assert depths(ring) == {"c": 0, "d": 0, "b": 1, "a": 2}
    assert ancestors(ring, "a") == {"b", "c", "d"}


def test_every_circle_is_named() -> None:
    assert circles({"a": ["a"], "b": ["c"], "c": ["b"], "d": ["a"]}) == [["a"], ["b", "c"]]
    assert circles(SHOP) == []


def test_a_long_chain_is_no_trouble() -> None:
    chain = {f"s{i}": [f"s{i + 1}"] for i in range(5000)}
    assert depths(chain)["s0"] == 5000
    assert len(ancestors(chain, "s0")) == 5000


FILE = b"""version: 1
regions: [{id: fra}]
services:
  - {id: dns, depends_on: [shop]}
  - {id: api, depends_on: [dns]}
  - id: shop
    depends_on:
      - api
      - web
"""


def test_a_file_that_goes_in_circles_is_refused_where_the_circle_closes() -> None:
    with pytest.raises(BadDocument) as caught:
        read_fleet(FILE, "fleet.yaml", is_new=True)
    assert sorted(map(str, caught.value.problems)) == [
        (
            "fleet.yaml:5: services[1].depends_on[0]: expected dependencies that do not lead back to"
            " themselves, found dns -> shop -> api -> dns"
        ),
        (
            "fleet.yaml:9: services[2].depends_on[1]: expected a service of this file (api, dns, shop),"
            " found web"
        ),
    ]


def test_a_file_that_was_in_force_is_still_read() -> None:
    fleet = read_fleet(FILE.replace(b"      - web\n", b""), "fleet.yaml")
    assert fleet.services["dns"].depends_on == ["shop"]
