"""From when on labels are certain without what came before."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.core.labels import confirmed
from controller.core.policy import always
from controller.core.resync import agreed_us, is_parted, sure_us
from controller.core.samples import Sample
from controller.core.timeline import evidence_until, timeline
from tests.unit.core.scenes import SECOND, anchors, every_minute, policy, sample

RULES = policy(fail_after=2, recover_after=2)


def said(letters: str, *, gap_at: int | None = None) -> list[Sample]:
    """A sample each minute; before number `gap_at` lies a silence longer than F."""
    late = [400 if gap_at is not None and i >= gap_at else 0 for i in range(len(letters))]
    return [sample("a", i * 60 + late[i], letter) for i, letter in enumerate(letters)]


@pytest.mark.parametrize(
    ("letters", "gap_at", "index"),
    [
        pytest.param("UU", None, 1, id="two successes end any state"),
        pytest.param("DD", None, 1, id="so do two failures"),
        pytest.param("UDUDUD", None, None, id="an alternation says nothing, however long"),
        pytest.param("UDUDDU", None, 4, id="until two of a kind follow one another"),
        pytest.param("UDU", 2, 2, id="a silence resets"),
        pytest.param("GU", None, 1, id="degraded is a success"),
        pytest.param("U", None, None, id="one is not enough"),
        pytest.param("", None, None, id="nothing says nothing"),
    ],
)
def test_s06_when_the_state_is_known(letters: str, gap_at: int | None, index: int | None) -> None:
    evidence = said(letters, gap_at=gap_at)
    expected = None if index is None else evidence[index].at_us
    assert agreed_us(evidence, RULES, 0) == expected


@given(
    st.text("UDG", max_size=12),
    st.text("UDG", max_size=6),
    st.sampled_from(list(itertools.product((1, 2, 3), repeat=2))),
)
def test_s23_from_then_on_labels_do_not_depend_on_what_came_before(
    letters: str, before: str, after: tuple[int, int]
) -> None:
    rules = policy(fail_after=after[0], recover_after=after[1])
    whole = said(before + letters)
    evidence = whole[len(before) :]
    known_us = agreed_us(evidence, rules, len(before) * 60 * SECOND)
    if known_us is None:
        return
    alone = [(one.sample, one.label) for one in confirmed(evidence, rules)]
    among = [(one.sample, one.label) for one in confirmed(whole, rules)][len(before) :]
    at = next(i for i, one in enumerate(evidence) if one.at_us == known_us)
    assert alone[at:] == among[at:]


def test_sure_is_when_every_agent_is_known_and_older_votes_have_run_out() -> None:
    samples = [*every_minute("a", 0, until=900), *every_minute("b", 20, [(0, 900)], until=900)]
    evidence = evidence_until(samples, [], 900 * SECOND)
    # b fails all the time, which is as certain as success; F is 150 s, and c was not heard at all.
    assert sure_us(evidence, [RULES], 60 * SECOND, 800 * SECOND) == 210 * SECOND
    flapping = [sample("b", t, "UD"[t // 60 % 2]) for t in range(20, 900, 60)]
    unsure = evidence_until([*every_minute("a", 0), *flapping], [], 900 * SECOND)
    assert sure_us(unsure, [RULES], 60 * SECOND, 800 * SECOND) is None
    silent = [one for one in flapping if one.at_us < 400 * SECOND]
    reset = evidence_until([*every_minute("a", 0), *silent], [], 900 * SECOND)
    assert sure_us(reset, [RULES], 60 * SECOND, 800 * SECOND) == (380 + 150) * SECOND


def test_s10_what_is_voided_makes_nothing_certain() -> None:
    samples = [*every_minute("a", 0, until=900), *every_minute("b", 20, until=900)]
    rounds = anchors("b0", {0: (3, 3), 100: (0, 3), 700: (3, 3)})
    evidence = evidence_until(samples, rounds, 900 * SECOND)
    assert sure_us(evidence, [RULES], 60 * SECOND, 720 * SECOND) == 210 * SECOND, "it says nothing"
    assert sure_us(evidence, [RULES], 600 * SECOND, 760 * SECOND) is None, (
        "one success is not enough"
    )
    assert sure_us(evidence, [RULES], 600 * SECOND, 820 * SECOND) == 800 * SECOND
    assert sure_us(evidence, [RULES], 60 * SECOND, 760 * SECOND) == 740 * SECOND, (
        "but after silence it is"
    )


def test_s15_what_parts_the_outages_before_from_those_after() -> None:
    samples = [*every_minute("a", 0, [(0, 300)]), *every_minute("b", 20, [(0, 300)])]
    segments = timeline(
        evidence_until(samples, [], 2000 * SECOND), always(policy()), 0, 2000 * SECOND
    )

    def part(from_s: int, to_s: int) -> bool:
        inside = [s for s in segments if s.from_us < to_s * SECOND and s.to_us > from_s * SECOND]
        inside[0] = inside[0]._replace(from_us=max(inside[0].from_us, from_s * SECOND))
        inside[-1] = inside[-1]._replace(to_us=min(inside[-1].to_us, to_s * SECOND))
        return is_parted(inside, always(policy()))

    assert not part(0, 300)
    assert not part(0, 400), "less than merge_gap after the end"
    assert part(0, 420 + 60)
    assert part(500, 620)
    assert not part(1200, 2000), "silence parts nothing before it is a day long"
