"""Macros are bounded before they are evaluated: nesting is refused, and so is more input than can be visited."""

import pytest

from vedette.shared.expectations import BadExpectation, compiled
from vedette.shared.limits import (
    EXPECTATION_ELEMENTS_MAX,
    MACRO_COPIED_ELEMENTS_MAX,
    MACRO_ELEMENTS_MAX,
)
from vedette.shared.macros import WHOLE, size_of


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
    assert share(text, json=[0] * (most - 1)) <= WHOLE
    assert share(text, json=[0] * most) > WHOLE
    assert share(text, json={"a": [[0]] * most}) > WHOLE


def test_every_use_of_a_variable_counts_and_long_texts_do() -> None:
    copied = "(json + json + json).map(x, x).size() > 0"
    assert share(copied, json=[0] * (MACRO_COPIED_ELEMENTS_MAX // 2)) > WHOLE
    assert share("json.all(x, body.contains('a'))", json=[0], body="x" * 1_000_000) > WHOLE


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("body.contains('+ + + +')", True),
        ("body == 'a' + 'b'", True),
        ("size(body + body + body) > 3", True),
        ("size(" + " + ".join(["body"] * 50) + ") > 3", False),
        ("json.all(x, size(" + " + ".join(["x"] * 200) + ") > 3)", False),
    ],
)
def test_texts_are_joined_only_as_often_as_takes_no_time(text: str, is_taken: bool) -> None:
    seen = {"body": "x" * 1024 * 1024, "json": ["x" * 100] * 100}
    assert (share(text, **seen) <= WHOLE) is is_taken


def test_a_text_is_searched_only_as_often_as_takes_no_time() -> None:
    text = "x" * 8 * 1024 * 1024
    assert share("body.contains('a') && !body.contains('b')", body=text) == WHOLE
    assert share("size(string(bytes(body))) > 1", body=text) > WHOLE
    assert share("body == 'x'", body=text) == 0


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("json.s in ['a', 'b', 'c']", True),
        ("json.a == 1 && json.b == 2", True),
        ("size([json.a, json.b]) == 2", True),
        ("size([" + ", ".join(["json.a"] * 50) + "]) == 2", False),
        ("{'a': json.a, 'b': json['a'], 'c': json.a[0], 'd': json}.a == json", True),
        ("size(json.a + json.b + json.c + json.d + json.e + json.f + json.g) > 5", False),
    ],
)
def test_what_is_put_into_lists_is_bounded_as_well(text: str, is_taken: bool) -> None:
    assert (share(text, json=[0] * 10_000) <= WHOLE) is is_taken


def share(text: str, **seen: object) -> int:
    """Thousandths of what one expression may take."""
    cost = compiled(text, "http").cost
    return cost.share({name: size_of(value) for name, value in seen.items()})
