"""Incidents: outages that belong together, and which may have caused the others (S-16)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core.incidents import (
    Incident,
    Node,
    hangs_on,
    incident_of,
    incidents,
    inherited,
    is_explained,
    shared,
)
from controller.core.intervals import length, union

O1 = Node("o1", "a1", "svcA", 0, 300, 120, frozenset({"h1"}))
O2 = Node("o2", "b1", "svcB", 350, 500, 120, frozenset({"h1"}))
O3 = Node("o3", "b2", "svcB", 560, 700, 120, frozenset({"h2"}))


def _ids(found: list[Incident]) -> list[list[str]]:
    return [[node.id for node in one.nodes] for one in found]


def _with_window(window_us: int, *nodes: Node) -> list[Node]:
    return [
        Node(n.id, n.check, n.service, n.started_us, n.ended_us, window_us, n.targets)
        for n in nodes
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_x61_a_chain_of_shared_things_is_one_incident_in_any_order(order: tuple[int, ...]) -> None:
    nodes = [(O1, O2, O3)[place] for place in order]
    (one,) = incidents(nodes)
    assert _ids([one]) == [["o1", "o2", "o3"]]
    assert one.root is O1
    assert one.kin == {}
    down = [(node.started_us, node.ended_us or 0) for node in one.nodes]
    assert length(union(down)) == 590
    assert length(union([down[1], down[2]])) == 290, "the service's own downtime"
    assert len(incidents(_with_window(30, *nodes))) == 3


def test_x61_outages_as_far_apart_as_the_window_are_joined() -> None:
    assert len(incidents(_with_window(50, O1, O2))) == 1
    assert len(incidents(_with_window(49, O1, O2))) == 2
    assert len(incidents([*_with_window(0, O1), *_with_window(50, O2)])) == 1, "the longer window"


DNS = Node("dns", "zone", "dns", 0, 600, 120, frozenset({"shop.example"}))
HTTP = Node(
    "http", "home", "shop", 20, 640, 120, frozenset({"www.shop.example"}), frozenset({"dns"}), 1
)


def test_x62_what_depends_on_a_service_that_is_down_is_its_child() -> None:
    (one,) = incidents([HTTP, DNS])
    assert one.root is DNS
    assert (one.kin["http"].parent, one.kin["http"].reason) == (DNS, "shop depends on dns")
    assert is_explained(HTTP, DNS, now_us=1000)
    assert (one.started_us, one.ended_us) == (0, 640)


def test_the_root_is_below_though_it_was_seen_later() -> None:
    late = Node("dns", "zone", "dns", 60, 600, 120)
    assert incident_of([HTTP, late]).root is late


def test_what_began_long_before_or_stays_down_long_after_is_told() -> None:
    early = Node("http", "home", "shop", 20, None, 120, frozenset(), frozenset({"dns"}), 1)
    assert is_explained(early, Node("dns", "zone", "dns", 140, None, 120), now_us=10**6)
    assert not is_explained(early, Node("dns", "zone", "dns", 141, None, 120), now_us=10**6)
    over = Node("dns", "zone", "dns", 0, 600, 120)
    assert is_explained(early, over, now_us=720)
    assert not is_explained(early, over, now_us=721)


def test_the_root_is_the_earliest_then_the_shallowest_then_by_id() -> None:
    deep = Node("a", "c1", "s1", 100, 300, 120, frozenset({"h"}), frozenset({"x"}), 2)
    shallow = Node("b", "c2", "s2", 100, 300, 120, frozenset({"h"}))
    again = Node("c", "c3", "s3", 100, 300, 120, frozenset({"h"}))
    assert incident_of([again, deep, shallow]).root is shallow
    assert incident_of([again, Node("z", "c", "s", 99, 300, 120, frozenset({"h"}))]).root.id == "z"


WHOLE = Node("w", "home", "shop", 100, 500, 120)


@pytest.mark.parametrize(
    ("node", "other", "words"),
    [
        pytest.param(
            Node("r", "home", "shop", 80, 520, 120, region="fra"),
            WHOLE,
            "home was down in other regions too",
            id="a region of a check that is down as a whole",
        ),
        pytest.param(WHOLE, Node("r", "home", "shop", 80, 520, 120, region="fra"), "", id="not the reverse"),
        pytest.param(
            Node("h", "x", "web", 100, 500, 120, frozenset(), frozenset({"shop"}), 1),
            Node("r", "home", "shop", 80, 520, 120, region="fra"),
            "",
            id="a region's outage explains none of all regions",
        ),
        pytest.param(
            Node("h", "x", "web", 100, 500, 120, frozenset(), frozenset({"shop"}), 1, "fra"),
            Node("r", "home", "shop", 80, 520, 120, region="fra"),
            "web depends on shop",
            id="but one of the same region",
        ),
        pytest.param(
            Node("h", "x", "web", 100, 500, 120, frozenset(), frozenset({"shop"}), 1, "nyc"),
            Node("r", "home", "shop", 80, 520, 120, region="fra"),
            "",
            id="and none of another",
        ),
        pytest.param(
            Node("h", "x", "web", 500, 600, 120, frozenset(), frozenset({"shop"}), 1),
            WHOLE,
            "",
            id="an ancestor that is up again explains nothing",
        ),
        pytest.param(Node("p", "other", "shop", 90, 500, 120), WHOLE, "", id="peers"),
    ],
)  # fmt: skip
def test_s16_ancestors_are_what_an_outage_may_follow_from(
    node: Node, other: Node, words: str
) -> None:
    assert hangs_on(node, other) == words


def test_the_nearest_ancestor_is_the_parent() -> None:
    db = Node("db", "db", "db", 0, None, 120)
    api = Node("api", "api", "api", 10, None, 120, frozenset(), frozenset({"db"}), 1)
    web = Node("web", "web", "web", 20, None, 120, frozenset(), frozenset({"api", "db"}), 2)
    (one,) = incidents([web, api, db])
    assert {key: kin.parent.id for key, kin in one.kin.items()} == {"api": "db", "web": "api"}
    assert one.root is db


def test_services_that_go_in_circles_still_have_a_candidate() -> None:
    a = Node("a", "a", "a", 0, 100, 120, frozenset(), frozenset({"b"}), 1)
    b = Node("b", "b", "b", 10, 100, 120, frozenset(), frozenset({"a"}), 1)
    assert incident_of([b, a]).root is a


@pytest.mark.parametrize(
    ("old", "new", "heirs"),
    [
        ({1: [1, 2, 3]}, [[1, 2, 3, 4]], {0: 1}),
        ({1: [1], 2: [2, 3]}, [[1, 2, 3]], {0: 2}),
        ({1: [1], 2: [2]}, [[1, 2]], {0: 1}),
        ({7: [1, 2, 3]}, [[1], [2, 3]], {1: 7}),
        ({7: [1, 2]}, [[1], [2]], {0: 7}),
        ({7: [1]}, [[2]], {}),
    ],
)
def test_a_handle_goes_where_most_of_its_outages_go(
    old: dict[int, list[int]], new: list[list[int]], heirs: dict[int, int]
) -> None:
    assert inherited(old, new) == heirs


nodes = st.lists(
    st.builds(
        lambda start, long, **rest: Node(
            started_us=start, ended_us=None if long is None else start + long, **rest
        ),
        start=st.integers(0, 200),
        long=st.one_of(st.none(), st.integers(1, 60)),
        id=st.uuids().map(str),
        check=st.sampled_from(["c1", "c2", "c3"]),
        service=st.sampled_from(["s1", "s2", "s3", "s4", "s5"]),
        window_us=st.sampled_from([0, 5, 30]),
        targets=st.frozensets(st.sampled_from(["h1", "h2", "h3", "h4"]), max_size=2),
        ancestors=st.frozensets(st.sampled_from(["s4", "s5"]), max_size=1),
        region=st.sampled_from(["", "", "fra", "nyc"]),
    ),
    max_size=14,
    unique_by=lambda node: node.id,
)


def _by_hand(known: list[Node]) -> set[frozenset[str]]:
    """Components by looking at every pair."""
    sets = {node.id: {node.id} for node in known}
    for left in known:
        for right in known:
            gap = max(left.started_us, right.started_us) - min(left.until_us, right.until_us)
            if shared(left, right) and gap <= max(left.window_us, right.window_us):
                both = sets[left.id] | sets[right.id]
                for one in both:
                    sets[one] = both
    return {frozenset(own) for own in sets.values()}


@settings(max_examples=400, deadline=None)
@given(nodes, st.randoms(use_true_random=False))
def test_s16_incidents_are_the_components_of_every_pair_in_any_order(
    known: list[Node], random: object
) -> None:
    found = incidents(known)
    assert {frozenset(node.id for node in one.nodes) for one in found} == _by_hand(known)
    shuffled = list(known)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types it as object
    assert incidents(shuffled) == found


@settings(max_examples=200, deadline=None)
@given(nodes)
def test_s16_every_incident_has_one_root_and_every_child_a_parent_in_it(known: list[Node]) -> None:
    for one in incidents(known):
        assert one.root in one.nodes
        assert all(kin.parent in one.nodes for kin in one.kin.values())
        free = [node for node in one.nodes if node.id not in one.kin]
        if free:
            assert one.root.id not in one.kin
            assert one.root.started_us == min(node.started_us for node in free)
