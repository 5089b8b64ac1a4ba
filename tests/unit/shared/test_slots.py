"""Slots: when a check runs in a region."""

from hypothesis import given
from hypothesis import strategies as st

from vedette.shared.slots import cadence_of, share_of, slot_at, slot_start_us

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


def test_places_halve_what_is_left_and_move_nobody() -> None:
    shares = [n / d for n, d in map(share_of, range(8))]
    assert shares == [0, 1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8, 7 / 8]


@given(interval=intervals, regions=regions, agents=st.integers(1, 16))
def test_agents_of_a_region_share_its_part_of_the_interval(
    interval: int, regions: list[str], agents: int
) -> None:
    share = interval // len(regions)
    for region in regions:
        first = cadence_of("c", interval, region, regions).phase_us
        own = [cadence_of("c", interval, region, regions, place=p).phase_us for p in range(agents)]
        offsets = sorted((phase - first) % interval for phase in own)
        assert len(set(offsets)) == agents
        assert all(0 <= offset < max(share, 1) for offset in offsets)
        # However many there are, none is further from the next than half of the share for two, and so on.
        widest = max(b - a for a, b in zip(offsets, [*offsets[1:], share], strict=True))
        assert widest <= share / 2 ** (agents.bit_length() - 1) + len(regions)
