"""Macros are bounded before they are evaluated: nesting is refused, and so is more input than can be visited."""

import pytest

from vedette.shared.expectations import BadExpectation, compiled
from vedette.shared.limits import (
    EXPECTATION_ELEMENTS_MAX,
    MACRO_COPIED_ELEMENTS_MAX,
    MACRO_ELEMENTS_MAX,
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("json.a.all(x, json.b.exists(y, y == x))", "exists stands inside all"),
        ("json.a.map(x, json.a.map(y, x + y)).size() > 0", "map stands inside map"),
        ("json.a.map(x, x + x).map(x, x + x).size() > 0", "map stands beside another macro"),
        (r"r'\' == body || json.a.all(x, json.a.all(y, r'\' == x))", "all stands inside all"),
        ('"""\'""" == body || json.a.all(x, json.a.all(y, x == "\'"))', "all stands inside all"),
        ("[json.a.map(x, [x, x])][0].all(x, true)", "map stands beside another macro"),
    ],
)
def test_what_grows_without_measure_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(BadExpectation, match=reason) as refused:
        compiled(text, "http")
    assert refused.value.column > 1


@pytest.mark.parametrize(
    "text",
    [
        "json.a.all(x, x > 0) && json.b.exists(x, x == 1)",
        "json.a.filter(x, x.s != 'ok').size() == 0",
        "json.a.filter(x, x > 0).all(x, x < 9)",
        "json.a.all(x, x != '.map(y, .all(')",
        "json.a.map(x, x.n).size() > 0",
    ],
)
def test_macros_beside_each_other_are_taken(text: str) -> None:
    compiled(text, "http")


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("json[0] == 0", EXPECTATION_ELEMENTS_MAX),
        ("json.all(x, x == 0)", MACRO_ELEMENTS_MAX),
        ("json.map(x, x).size() > 0", MACRO_COPIED_ELEMENTS_MAX),
        ("json.filter(x, x == 0).size() > 0", MACRO_COPIED_ELEMENTS_MAX),
        ("json.all(x, string(x).matches('0'))", MACRO_COPIED_ELEMENTS_MAX),
    ],
)
def test_elements_are_counted_before_they_are_visited(text: str, most: int) -> None:
    cost = compiled(text, "http").cost
    assert not cost.is_too_large({"json": [0] * (most - 1)})
    assert cost.is_too_large({"json": [0] * most})
    assert cost.is_too_large({"json": {"a": [[0]] * most}})


def test_every_use_of_a_variable_counts_and_long_texts_do() -> None:
    cost = compiled("(json + json + json).map(x, x).size() > 0", "http").cost
    assert cost.is_too_large({"json": [0] * (MACRO_COPIED_ELEMENTS_MAX // 2)})
    cost = compiled("json.all(x, body.contains('a'))", "http").cost
    assert cost.is_too_large({"json": [0], "body": "x" * 1_000_000})
