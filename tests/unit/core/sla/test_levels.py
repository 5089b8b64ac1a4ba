"""S-49: what underpins a contract, what that comes to, and promises that it cannot carry."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.fleet import Fleet, read_fleet
from controller.core.forewarnings import forewarnings
from controller.core.instants import instant
from controller.core.sla.terms.levels import Composite, _standing_in, composite, shortfalls
from vedette.shared.documents import BadDocument
from vedette.shared.limits import PROBLEMS_SHOWN_MAX

NOW = instant("2026-06-15T00:00:00Z")
HEAD = """\
version: 1
regions: [{id: fra}]
services: [{id: shop}]
checks:
  - {id: web, service: shop, http: {url: "http://web.example/"}}
  - {id: spare, service: shop, http: {url: "http://spare.example/"}}
  - {id: third, service: shop, http: {url: "http://third.example/"}}
  - {id: dns, service: shop, http: {url: "http://dns.example/"}}
contracts:
"""


def contract(name: str, scope: str, target: str, *more: str) -> str:
    clauses = ", ".join(
        [
            f"id: {name}", f"scope: {{{scope}}}", *more,
            *([] if any("effective_from" in one for one in more) else ["effective_from: 0"]),
            f'objectives: [{{id: a, target: "{target}"}}]', "acknowledge_unmeasurable: true",
        ]
    )  # fmt: skip
    return f"  - {{{clauses}}}\n"


def under(name: str, scope: str, target: str, parent: str = "acme") -> str:
    return contract(name, scope, target, "level: underpinning", f"parent: {parent}")


def fleet(*contracts: str) -> Fleet:
    return read_fleet((HEAD + "".join(contracts)).encode(), "fleet.yaml")


def warned(*contracts: str, at: int = NOW) -> list[str]:
    return [one.text for one in forewarnings(fleet(*contracts), at)]


HOSTING, DNS = under("hosting", "checks: [web]", "99.9"), under("names", "checks: [dns]", "99.9")


def test_s49_a_promise_above_the_composite_is_warned_of_with_the_sum() -> None:
    (text,) = warned(contract("acme", "checks: [web]", "99.9"), HOSTING, DNS)
    assert text == (
        "acme promises 99.9 % (a), which is more than what underpins it gives at best, if failures are"
        " independent: hosting 99.9 % x names 99.9 % = 99.8001 %"
    )
    assert warned(contract("acme", "checks: [web]", "99.8001"), HOSTING, DNS) == [], (
        "as much is no more"
    )
    assert warned(contract("acme", "checks: [web]", "99.800101"), HOSTING, DNS)


@pytest.mark.parametrize(
    ("scope", "below", "share", "total"),
    [
        pytest.param(
            "series: [web, dns]", [HOSTING, DNS], "0.998001",
            "hosting 99.9 % x names 99.9 % = 99.8001 %", id="in series they multiply",
        ),
        pytest.param(
            "parallel: [web, spare]",
            [under("hosting", "checks: [web]", "99"), under("backup", "checks: [spare]", "99")],
            "0.9999",
            "(1 - (1 - hosting 99 %) x (1 - backup 99 %)) = 99.99 %", id="in parallel their failures do",
        ),
        pytest.param(
            "k_of_n: {k: 2, of: [web, spare, third]}",
            [under(n, f"checks: [{c}]", "99") for n, c in (("h1", "web"), ("h2", "spare"), ("h3", "third"))],
            "0.999702",
            "(2 of h1 99 %, h2 99 %, h3 99 %) = 99.9702 %", id="two of three",
        ),
        pytest.param(
            "parallel: [web, spare]",
            [
                under("hosting", "checks: [web]", "99"), under("backup", "checks: [spare]", "99"),
                under("power", "checks: [spare]", "99.9"), DNS,
            ],
            "0.9988902099",
            "(1 - (1 - hosting 99 %) x (1 - backup 99 % x power 99.9 %)) x names 99.9 % = 99.88902099 %",
            id="what is needed besides multiplies",
        ),
        pytest.param(
            'weighted: {web: "0.75", dns: "0.25"}', [under("hosting", "checks: [web]", "99")], "0.9925",
            "(0.75 x hosting 99 % + 0.25 x 100 %) = 99.25 %", id="weighted, each has its part",
        ),
        pytest.param(
            "series: [web, dns]", [HOSTING], "0.999", "hosting 99.9 %",
            id="what nothing is promised of does not fail",
        ),
        pytest.param(
            "parallel: [web, spare]", [HOSTING], "1", "100 %", id="nor can one of two be missed"
        ),
        pytest.param(
            "checks: [web]", [under("all", "series: [web, dns]", "99.5")], "0.995",
            "all 99.5 %", id="one that is about more than a member is needed",
        ),
    ],
)  # fmt: skip
def test_s49_what_underpins_a_contract_comes_together_as_its_scope_says(
    scope: str, below: list[str], share: str, total: str
) -> None:
    file = fleet(contract("acme", scope, "90"), *below)
    contracts = [one.first for one in file.contracts.values() if one.first.parent]
    assert composite(file.contracts["acme"].scope, contracts) == Composite(Fraction(share), total)


@given(st.lists(st.fractions(0, 1), min_size=1, max_size=6), st.data())
def test_s49_k_of_n_is_the_sum_over_all_ways_to_be_up(
    shares: list[Fraction], data: st.DataObject
) -> None:
    least = data.draw(st.integers(1, len(shares)))
    expected = Fraction(0)
    for up in itertools.product((True, False), repeat=len(shares)):
        if sum(up) >= least:
            chance = Fraction(1)
            for is_up, share in zip(up, shares, strict=True):
                chance *= share if is_up else 1 - share
            expected += chance
    assert _standing_in([Composite(one, "") for one in shares], least).share == expected


def test_s49_each_level_is_judged_by_what_is_right_below_it() -> None:
    texts = warned(
        contract("acme", "checks: [web]", "99.9"),
        contract("ops", "checks: [web]", "99.95", "level: internal", "parent: acme"),
        under("hosting", "checks: [web]", "99.9", "ops"),
    )
    assert [text.split(" (")[0] for text in texts] == ["ops promises 99.95 %"]


def test_s49_an_amendment_that_will_break_a_promise_is_warned_of_before() -> None:
    later = "  - {id: hosting, effective_from: '2026-07-01T00:00:00Z', objectives: [{id: a, target: \"99\"}]}\n"
    acme = contract("acme", "checks: [web]", "99.9")
    (text,) = warned(acme, HOSTING, later)
    assert text.startswith("acme promises 99.9 % (a) from 2026-07-01T00:00:00Z on, which is more")
    (text,) = warned(acme, HOSTING, later, at=instant("2026-07-02T00:00:00Z"))
    assert text.startswith("acme promises 99.9 % (a), which is more")
    not_yet = under("hosting", "checks: [web]", "99").replace(
        "effective_from: 0", "effective_from: '2026-07-01T00:00:00Z'"
    )
    assert warned(acme, not_yet)[0].startswith(
        "acme promises 99.9 % (a) from 2026-07-01T00:00:00Z on"
    )


def test_s49_what_promises_no_availability_says_nothing_of_it() -> None:
    file = fleet(contract("acme", "checks: [web]", "99.9"))
    assert shortfalls(file.contracts, NOW) == []


@pytest.mark.parametrize(
    ("contracts", "problem"),
    [
        pytest.param(
            [contract("acme", "checks: [web]", "99"), under("hosting", "checks: [web]", "99", "acne")],
            "fleet.yaml:11: contracts[1].parent: expected a contract of this file (acme), found 'acne'",
            id="a parent that there is not",
        ),
        pytest.param(
            [contract("acme", "checks: [web]", "99", "parent: hosting"),
             contract("hosting", "checks: [web]", "99", "level: underpinning")],
            "fleet.yaml:10: contracts[0].parent: expected a customer contract: the contract that supports names"
            " the one it supports, found 'hosting', which is underpinning",
            id="the wrong way round",
        ),
        pytest.param(
            [contract("b", "checks: [web]", "99", "parent: c"), contract("c", "checks: [web]", "99", "parent: b")],
            "fleet.yaml:11: contracts[1].parent: expected parents that do not lead back to themselves, found b -> c -> b",
            id="a circle",
        ),
        pytest.param(
            [contract("b", "checks: [web]", "99", "parent: b")],
            "contracts[0].parent: expected parents that do not lead back to themselves, found b -> b",
            id="itself",
        ),
        pytest.param(
            [contract("acme", "checks: [web]", "99"), HOSTING,
             "  - {id: hosting, effective_from: '2026-07-01T00:00:00Z', parent: null}\n"],
            "contracts[2].parent: expected the parent of the contract as it was",
            id="another parent by amendment",
        ),
        pytest.param(
            [contract("acme", "checks: [web]", "99"), contract("b", "checks: [web]", "99", "level: provider")],
            "contracts[1].level: expected one of customer, internal, underpinning, found 'provider'",
            id="a level that there is not",
        ),
    ],
)  # fmt: skip
def test_s49_a_parent_that_cannot_be_is_refused_with_its_line(
    contracts: list[str], problem: str
) -> None:
    with pytest.raises(BadDocument) as caught:
        fleet(*contracts)
    said = [str(one) for one in caught.value.problems]
    assert any(problem in one for one in said), said


OFFICE = 'service_hours: {weekly: {mon: ["08:00-18:00"], tue: ["08:00-18:00"]}}'


@pytest.mark.parametrize(
    ("own", "other", "texts"),
    [
        pytest.param([], [], [], id="always, both"),
        pytest.param([OFFICE], [], [], id="more than is needed"),
        pytest.param([OFFICE], [OFFICE], [], id="the same hours"),
        pytest.param(
            [], [OFFICE],
            ["acme promises 672 hours of service in the next 28 days, and hosting, which underpins it, nothing for 592 of them"],
            id="less",
        ),
    ],
)  # fmt: skip
def test_s49_hours_that_are_not_underpinned_are_warned_of(
    own: list[str], other: list[str], texts: list[str]
) -> None:
    below = contract(
        "hosting", "checks: [web]", "99", "level: underpinning", "parent: acme", *other
    )
    assert warned(contract("acme", "checks: [web]", "99", *own), below) == texts


def test_s49_times_that_are_shorter_than_those_of_whoever_supports_are_warned_of() -> None:
    def timed(name: str, scope: str, *objectives: str, more: str = "") -> str:
        return (
            f"  - {{id: {name}, scope: {{{scope}}}, effective_from: 0, {more}"
            f"objectives: [{', '.join(f'{{id: o{n}, {one}}}' for n, one in enumerate(objectives))}]}}\n"
        )

    acme = timed(
        "acme", "checks: [web]",
        "metric: acknowledge, severity: [P1, P2], target: 15m", "metric: resolve, severity: P1, target: 4h",
    )  # fmt: skip
    hosting = timed(
        "hosting", "checks: [web]",
        "metric: acknowledge, severity: [P2, P3], target: 30m", "metric: resolve, severity: P1, target: 4h",
        "metric: resolve, severity: P2, target: 8h",
        more="level: underpinning, parent: acme, ",
    )  # fmt: skip
    assert warned(acme, hosting) == [
        "acme promises to acknowledge P2 within 15m, and hosting, which underpins it, within 30m"
    ]


def test_s52_a_grade_that_nobody_is_told_of_is_warned_of() -> None:
    grades = 'grades: [{below: "95", action: warn}, {below: "90", action: legal}]'
    notify = 'notify: [{id: ops, url: "x://y", on: [grade.legal]}, {id: dns, url: "x://y", on: [grade.warn], checks: [dns]}]\n'
    (text,) = warned(contract("acme", "checks: [web]", "99", grades), notify)
    assert text == (
        "acme below 95 %: nobody is told of grade.warn; a channel under notify may choose it with `on`, or the"
        " grade may name one with `notify`"
    )
    named = grades.replace("action: warn", "action: warn, notify: ops")
    assert warned(contract("acme", "checks: [web]", "99", named), notify) == []


def test_s49_many_warnings_are_cut_and_counted() -> None:
    pairs = [
        contract(f"k{n}", "checks: [web]", "99.9") + under(f"u{n}", "checks: [web]", "99", f"k{n}")
        for n in range(PROBLEMS_SHOWN_MAX + 3)
    ]
    texts = warned(*pairs)
    assert len(texts) == PROBLEMS_SHOWN_MAX + 1
    assert texts[-1] == "there are 3 warnings more"
