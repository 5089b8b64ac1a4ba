"""`make mutate`: every attack, both verifiers, and how many of each kind they refused.

`python -m tests.mutation --each 40` takes so many of each kind only, other ones in every run.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from tests.mutation.attacks import Attacks
from tests.mutation.judges import Court
from tests.mutation.scene import Scene, made_scene

PROCESSES = 2


def judged(
    scene: Scene, part: int, each: int, seed: int
) -> tuple[Counter[str], Counter[str], list[str]]:
    """A part of all attacks: how many of each kind, how many of these the script leaves out, and complaints."""
    chosen = random.Random(seed)
    attacks = Attacks(scene)
    cases = attacks.sample(chosen, each, len(scene.files)) if each else attacks.all()
    counts: Counter[str] = Counter()
    left: Counter[str] = Counter()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        court = Court(scene, Path(folder))
        for case in islice(cases, part, None, PROCESSES):
            counts[case.kind] += 1
            left[case.kind] += case.is_left
            wrong += court.complaints(case)
    return counts, left, wrong


def main() -> int:
    """Exit code 1 if there is anything to complain of."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=0)
    each = parser.parse_args().each
    begun, seed = time.monotonic(), random.randrange(2**32)
    with tempfile.TemporaryDirectory() as folder:
        scene = made_scene(Path(folder))
        work = [(scene, part, each, seed) for part in range(PROCESSES)]
        with ProcessPoolExecutor(PROCESSES, get_context("fork")) as pool:
            found = list(pool.map(judged, *zip(*work, strict=True)))
    counts, left = Counter[str](), Counter[str]()
    wrong: list[str] = []
    for one, some, complaints in found:
        counts += one
        left += some
        wrong += complaints
    _print(counts, left, wrong)
    print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    return 1 if wrong else 0


def _print(counts: Counter[str], left: Counter[str], wrong: Sequence[str]) -> None:
    print(f"{'attack':<44}{'refused by both':>18}{'left to the program':>22}")
    for kind in sorted(counts):
        print(f"{kind:<44}{counts[kind] - left[kind]:>18,}{left[kind]:>22,}")
    print(f"{'in all':<44}{counts.total() - left.total():>18,}{left.total():>22,}")
    for one in wrong:
        print(one)
    print(f"{counts.total():,} attacks, {len(wrong)} complaints")


if __name__ == "__main__":
    sys.exit(main())
