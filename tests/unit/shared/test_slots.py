"""Slots: when a check runs in a region."""

from hypothesis import given
from hypothesis import strategies as st

from vedette.shared.slots import cadence_of, slot_at, slot_start_us

SECOND = 1_000_000
regions = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True)
intervals = st.integers(SECOND, 86_400 * SECOND)


@given(check=st.text(min_size=1), interval=intervals, regions=regions)
def test_regions_are_spread_evenly_over_the_interval(
    check: str, interval: int, regions: list[str]
) -> None:
    phases = sorted(cadence_of(check, interval, r, regions).phase_us for r in regions)
    gaps = [b - a for a, b in zip(phases, [*phases[1:], phases[0] + interval], strict=True)]
    assert max(gaps) - min(gaps) <= 1
    assert all(0 <= p < interval for p in phases)


@given(regions=regions, interval=intervals, seed=st.randoms())
def test_the_order_of_regions_in_the_file_does_not_matter(
    regions: list[str], interval: int, seed: object
) -> None:
    shuffled = sorted(regions, key=lambda r: hash((r, str(seed))))
    for region in regions:
        assert cadence_of("c", interval, region, regions) == cadence_of(
            "c", interval, region, shuffled
        )


@given(now=st.integers(0, 2**52), interval=intervals, check=st.text(min_size=1))
def test_a_slot_starts_before_now_and_ends_after(now: int, interval: int, check: str) -> None:
    cadence = cadence_of(check, interval, "a", ["a", "b"])
    slot = slot_at(cadence, now)
    assert slot_start_us(cadence, slot) <= now < slot_start_us(cadence, slot + 1)
