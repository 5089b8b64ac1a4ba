"""Conformance of SampledStore: every database counts what would be counted one by one."""

import random

import pytest

from controller.core.intervals import Interval
from controller.core.policy import Policy, always
from controller.core.samples import AnchorRound, Sample
from controller.core.sla.figures.sampling import Listed, ListedSamples, Slicing, listed
from controller.core.timeline import evidence_until, judged_samples
from controller.ports.sampled import SampledCount, SampledLatency, Sampling
from controller.ports.storage import Storage
from controller.services.contracts.sampled import StoredSamples, bad_within
from vedette.shared.result import Outcome

UP, DEGRADED, DOWN, ERROR = Outcome.UP, Outcome.DEGRADED, Outcome.DOWN, Outcome.AGENT_ERROR
REGIONS = ("fra", "nyc")
ALL = Sampling("web", 0, 1000, REGIONS)


def sample(seq: int, outcome: Outcome, took_us: int | None = 10, region: str = "fra") -> Sample:
    return Sample(f"{region}-1", "e", "", seq, "web", region, seq, outcome, None, took_us)


def keep(storage: Storage, samples: list[Sample], rounds: list[AnchorRound] | None = None) -> None:
    with storage.transaction() as tx:
        tx.append([], samples, rounds or [], [], [])


def test_s35_up_and_degraded_are_good_and_an_agent_error_is_no_sample(storage: Storage) -> None:
    keep(storage, [sample(n, one) for n, one in enumerate([UP, DEGRADED, DOWN, ERROR])])
    keep(storage, [sample(4, UP, region="nyc"), sample(5, UP, region="sin")])
    with storage.transaction() as tx:
        assert sorted(tx.sample_counts(ALL)) == [
            SampledCount("fra-1", 0, 2, 3), SampledCount("nyc-1", 0, 1, 1),
        ]  # fmt: skip
        assert tx.sample_counts(Sampling("web", 1, 3, REGIONS)) == [SampledCount("fra-1", 0, 1, 2)]
        assert tx.sample_counts(Sampling("web", 0, 9, REGIONS, "nyc-1")) == [SampledCount("nyc-1", 0, 1, 1)]  # fmt: skip
        assert tx.sample_counts(Sampling("other", 0, 9, REGIONS)) == []
        by_slice = tx.sample_counts(Sampling("web", 0, 9, ("fra",)), slices=(-1, 2))
        assert [one[1:] for one in sorted(by_slice)] == [(0, 1, 1), (1, 1, 2)]


def test_s48_exactly_the_threshold_is_good_and_no_length_is_no_sample(storage: Storage) -> None:
    keep(
        storage,
        [
            sample(0, UP, 100),
            sample(1, UP, 101),
            sample(2, UP, None),
            sample(3, DOWN, None),
            sample(4, DOWN, 5),
        ],
    )
    with storage.transaction() as tx:
        assert tx.sample_counts(ALL, within_us=100) == [SampledCount("fra-1", 0, 1, 4)]
        assert set(tx.sample_latencies(ALL)) == {
            SampledLatency("fra-1", 100, 1), SampledLatency("fra-1", 101, 1), SampledLatency("fra-1", None, 2),
        }  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_storage_counts_as_lists_do_without_what_was_voided(storage: Storage, seed: int) -> None:
    rng = random.Random(seed)
    samples = [
        sample(
            n,
            rng.choice([UP, UP, DEGRADED, DOWN, ERROR]),
            rng.choice([None, rng.randrange(1 << rng.randrange(1, 30))]),
            rng.choice(["fra", "nyc", "sin"]),
        )
        for n in range(200)
    ]
    rounds = [
        AnchorRound(f"{region}-1", "e", "@anchors", n, 7 * n, rng.choice([0, 3, 3, 3]), 3)
        for region in REGIONS
        for n in range(40)
    ]
    keep(storage, samples, rounds)
    policy = Policy("web", "r", REGIONS, 10)
    horizon_us = rng.randrange(150, 220)
    known = evidence_until(samples, rounds, horizon_us)
    lists = ListedSamples([listed(one.sample) for one in judged_samples(known, policy, 0, 1000)])
    spans = [Interval(10, 60), Interval(75, 150)]
    with storage.transaction() as tx:
        stored = StoredSamples(tx, "web", always(policy), horizon_us)
        for within_us in (None, 1000):
            assert stored.counted(spans, within_us) == lists.counted(spans, within_us)
        slicing = Slicing(-3, 16)
        assert stored.sliced(spans, slicing) == lists.sliced(spans, slicing)
        assert stored.latencies(spans) == lists.latencies(spans)


def test_s10_a_round_after_the_time_voids_what_was_before_it(storage: Storage) -> None:
    rounds = [
        AnchorRound("fra-1", "e", "@anchors", n, at, ok, 3)
        for n, (at, ok) in enumerate([(0, 3), (40, 3), (100, 0), (200, 3)])
    ]
    keep(storage, [], rounds)
    with storage.transaction() as tx:
        assert bad_within(tx, "fra-1", Interval(10, 60)) == [Interval(40, 60)]
        assert bad_within(tx, "fra-1", Interval(10, 60), horizon_us=99) == []
        assert bad_within(tx, "fra-1", Interval(150, 300)) == [Interval(150, 200)]
        assert bad_within(tx, "fra-1", Interval(200, 300)) == []
        assert bad_within(tx, "nyc-1", Interval(0, 300)) == []


def test_slices_are_counted_from_their_origin() -> None:
    lists = ListedSamples([Listed(at, True, None) for at in (5, 14, 15)])
    assert set(lists.sliced([Interval(0, 100)], Slicing(5, 10))) == {0, 1}
    assert Slicing(5, 10).touched([Interval(5, 15), Interval(24, 25)]) == {0, 1}
    assert Slicing(5, 10).touched([Interval(5, 16)]) == {0, 1}
