"""Evaluating has bounds in sizes, for one expression and for all of a check, whatever a target sends."""

from typing import Any

import pytest

from agent.core.evaluation import evaluated, is_light
from agent.core.matching import Matching
from tests.unit.agent.checks import check_of
from vedette.shared.definitions import Check
from vedette.shared.expectations import BadExpectation, compiled
from vedette.shared.limits import (
    EXPECTATION_ELEMENTS_MAX,
    EXPECTATION_SHARES_MAX,
    MACRO_ELEMENTS_MAX,
    MATCH_STEPS_MAX,
    MATCH_WORK_MAX,
    PATTERN_CHARS_MAX,
)
from vedette.shared.macros import WHOLE
from vedette.shared.patterns import text_pattern_of

MEBI = 1024 * 1024


def expecting(*texts: str) -> Check:
    return check_of(http={"url": "http://x/", "expect": list(texts)})


def reasons(check: Check, **seen: Any) -> list[str | None]:
    return [assertion.reason for assertion in evaluated(check, seen)]


@pytest.mark.parametrize(
    ("text", "body", "holds"),
    [
        ("body.matches('err(or)?')", "an error", True),
        ("body.matches('^an')", "an error", True),
        ("body.matches('^error')", "an error", False),
        ("body.matches('(?i)STRASSE|stra.e')", "Straße", True),
        ("body.matches(r'\\d+ ms')", "took 12 ms", True),
        ("body.matches('\\\\d+ ms')", "took 12 ms", True),
        ('body.matches("a\\"b")', 'a"b', True),
        ("!body.matches('(?s)begin.*end')", "begin\n\nend", False),
        ("matches(body, 'b')", "abc", True),
        ("body . matches ( 'b' )", "abc", True),
        ("body == 'matches(' || body.matches('x')", "matches(", True),
        ("['b', 'c'].exists(p, body.matches(p))", "abc", True),
    ],
)
def test_patterns_match_anywhere_in_a_text(text: str, body: str, holds: bool) -> None:
    (found,) = evaluated(expecting(text), {"body": body})
    assert (found.holds, found.reason) == (holds, None)


def test_a_pattern_over_more_than_can_be_matched_in_time_is_not_begun() -> None:
    pattern = "[ab]*a[ab]{200}Q"
    steps = text_pattern_of(pattern).steps
    check = expecting(f"body.matches('{pattern}')", "status == 200")
    fits, larger = MATCH_WORK_MAX // steps - 1000, MATCH_WORK_MAX // steps + 1000
    assert reasons(check, body="x" * fits, status=200) == [None, None]
    wrong, right = evaluated(check, {"body": "x" * larger, "status": 200})
    assert not wrong.holds
    assert right.holds
    assert wrong.reason is not None
    assert wrong.reason.startswith(f"too large to evaluate: a pattern of {steps} steps over ")


def test_all_patterns_of_a_check_have_one_bound_together() -> None:
    check = expecting(*(f"!body.matches('q{number}')" for number in range(50)))
    found = evaluated(check, {"body": "x" * MEBI})
    steps = text_pattern_of("q10").steps
    held = [assertion.holds for assertion in found]
    assert held == sorted(held, reverse=True)
    assert held.count(True) in range(MATCH_WORK_MAX // (steps * MEBI) - 1, 40)
    assert all(assertion.holds for assertion in evaluated(check, {"body": "x" * 4096}))


def test_all_macros_of_a_check_have_one_bound_together() -> None:
    check = expecting(*(f"json.all(x, x != {number})" for number in range(50)))
    found = reasons(check, json=[-1] * (MACRO_ELEMENTS_MAX - 1))
    most = EXPECTATION_SHARES_MAX // WHOLE
    assert found[:most] == [None] * most
    refused = found[most + 1]
    assert refused is not None
    assert refused.startswith("too large to evaluate after the expectations before it")
    assert reasons(check, json=[-1] * (MACRO_ELEMENTS_MAX // 4)) == [None] * 50


def test_one_that_is_too_large_leaves_the_others_their_share() -> None:
    check = expecting("json[0] == 0", "status == 200")
    found = reasons(check, json=[0] * (EXPECTATION_ELEMENTS_MAX + 1), status=200)
    assert found == [
        "too large to evaluate: 20,000 or more elements with 0 characters, and at most 20,000 elements are handed over",
        None,
    ]


def test_only_text_of_any_length_is_searched() -> None:
    check = expecting("body.contains('x')", "!body.contains('y')", "size(body) > 5")
    assert reasons(check, body="x" * 8 * MEBI) == [None, None, None]
    assert all(assertion.holds for assertion in evaluated(check, {"body": "x" * 8 * MEBI}))


@pytest.mark.parametrize(
    ("text", "seen", "expected"),
    [
        ("status == 200", {"status": 200}, True),
        ("json.ok", {"json": {"ok": True}}, True),
        ("json.ok", {"json": [[]] * 5000}, False),
        ("body.contains('x')", {"body": "x" * MEBI}, True),
        ("body.contains('x')", {"body": "x" * 8 * MEBI}, False),
        ("size(body + 'x') == 1", {"body": "x" * 100_000}, True),
        ("size(body + body + body + body) == 1", {"body": "x" * 2 * MEBI}, False),
        ("size([json, json]) == 1", {"json": [1] * 900}, True),
        ("body.matches('error')", {"body": "x" * 4096}, True),
        ("body.matches('error')", {"body": "x" * MEBI}, False),
        ("body.matches(headers.a)", {"body": "x" * 4096, "headers": {"a": "b"}}, False),
        ("json.all(x, x == 1)", {"json": [1] * 100}, True),
        ("json.all(x, x == 1)", {"json": [1] * 900}, False),
        ("tls.verified", {}, True),
    ],
)
def test_what_may_take_long_is_known_beforehand(
    text: str, seen: dict[str, Any], expected: bool
) -> None:
    assert is_light(expecting(text), seen) is expected


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "missing )"),
        ("a{2000}", "invalid repetition"),
        ("\\\\pL{20}", f"of at most {MATCH_STEPS_MAX} steps"),
    ],
)
def test_a_pattern_that_is_none_or_too_large_is_refused_with_its_place(
    pattern: str, why: str
) -> None:
    with pytest.raises(BadExpectation, match="not a regular expression") as refused:
        compiled(f"status == 1 || body.matches('{pattern}')", "http")
    assert why in refused.value.reason
    assert refused.value.column == 29


@pytest.mark.parametrize(
    "text", ["foo(status) == 1", "body.lowerAscii() == 'x'", "body.matched('x')"]
)
def test_a_function_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(
        BadExpectation, match=r"unknown function (foo|lowerAscii|matched); there are all, "
    ):
        compiled(text, "http")


def test_a_pattern_of_a_targets_is_bounded_as_well() -> None:
    matching = Matching()
    assert matching("x", "a" * (PATTERN_CHARS_MAX + 1)) is None
    assert matching.problem == f"matches() takes a pattern of up to {PATTERN_CHARS_MAX} characters"
    matching.begin()
    assert matching("x", "x") is True
    for number in range(1000):
        matching("x", f"[^a]{{900}}{number}")
    assert matching.problem is not None
    assert matching.problem.startswith("too large to evaluate")


def test_an_expression_that_needs_no_pattern_holds_whatever_the_pattern_is() -> None:
    check = expecting("status == 200 || body.matches(headers.pattern)")
    (found,) = evaluated(check, {"status": 200, "body": "x", "headers": {"pattern": "("}})
    assert found.holds


def test_a_pattern_that_is_none_never_counts_as_no_match() -> None:
    check = expecting("body.matches(headers.pattern) != true")
    (found,) = evaluated(check, {"body": "x", "headers": {"pattern": "("}})
    assert not found.holds
