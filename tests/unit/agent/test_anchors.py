"""S-10: what a round of anchors says."""

import pytest

from agent.core.anchors import families_of, round_of
from agent.ports import AnchorAnswer

V4, V6 = "ipv4", "ipv6"


def ok(family: str = V4) -> AnchorAnswer:
    return AnchorAnswer("tcp a", family)


def failed(family: str = V4, *, nothing: bool = False) -> AnchorAnswer:
    return AnchorAnswer("tcp b", family, "connect_timeout", nothing)


@pytest.mark.parametrize(
    ("answers", "known", "counts", "is_bad"),
    [
        pytest.param([ok(), ok(), ok("any")], set(), (3, 3), False, id="all answer"),
        pytest.param([ok(), ok(), failed(), failed("any")], set(), (2, 4), False, id="half is good"),
        pytest.param([ok(), failed(), failed(), ok("any")], set(), (2, 4), False, id="half again"),
        pytest.param([ok(), failed(), failed(), failed("any")], set(), (1, 4), True, id="most fail"),
        pytest.param([failed(), failed("any")], set(), (0, 2), True, id="none, from the start"),
        pytest.param(
            [ok(), ok(), failed(V6), failed(V6), failed(V6), ok("any")], set(), (3, 3), False,
            id="a site that never had IPv6 is not in trouble for it",
        ),
        pytest.param(
            [ok(), ok(), failed(V6), failed(V6), failed(V6), failed("any")], {V4, V6}, (2, 6), True,
            id="one that had it is",
        ),
        pytest.param([failed(), failed(V6), failed("any")], {V4}, (0, 2), True, id="all, known v4"),
        pytest.param([ok(), failed(nothing=True), ok("any")], set(), (2, 2), False, id="refused"),
    ],
)  # fmt: skip
def test_s10_a_round_is_bad_if_more_than_half_of_what_can_tell_fails(
    answers: list[AnchorAnswer], known: set[str], counts: tuple[int, int], is_bad: bool
) -> None:
    found = round_of(answers, known)
    assert found is not None
    assert ((found.ok, found.total), found.is_bad) == (counts, is_bad)
    assert sum(total for _, total in found.families.values()) == found.total


def test_a_round_in_which_nothing_could_be_asked_says_nothing() -> None:
    assert round_of([failed(nothing=True)], {V4}) is None
    assert round_of([], set()) is None


def test_the_line_tells_families_and_what_failed() -> None:
    found = round_of([ok(), failed(), ok(V6), ok("any")], set())
    assert found is not None
    assert found.facts == {
        "any": {"ok": 1, "total": 1}, "ipv4": {"ok": 1, "total": 2}, "ipv6": {"ok": 1, "total": 1},
        "failed": ["tcp b: connect_timeout"],
    }  # fmt: skip


def test_a_family_is_known_by_an_answer_only() -> None:
    assert families_of([failed(), ok(V6), ok("any")]) == {V6}
