"""`make soak`: a controller and three agents at one second, killed at random for minutes; then the count.

VEDETTE_SOAK_SECONDS says how long (default 180), VEDETTE_SOAK_SEED repeats a run.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from controller.cli.demo.targets import Weather, targets
from tests.e2e.sealing_stage import SealingStage
from tests.soak.fleet import CONTROLLER, REGIONS, Fleet
from tests.soak.judgement import (
    numbers_of,
    problems_of_numbers,
    problems_of_recompute,
    problems_of_replay,
    problems_of_seals,
    stored_lines,
)

SECONDS = float(os.environ.get("VEDETTE_SOAK_SECONDS", "180"))
SEED = int(os.environ.get("VEDETTE_SOAK_SEED", str(time.time_ns() % 1_000_000)))


def soak(folder: Path) -> list[str]:
    """One run. What is wrong afterwards; prints the count."""
    weather = Weather()
    with SealingStage(folder) as stage, targets(weather) as ports:
        fleet = Fleet(stage, weather, Random(SEED))
        fleet.start(ports)
        print(f"{SECONDS:.0f} s of kill -9, seed {SEED} ...", flush=True)
        fleet.chaos(SECONDS)
        fleet.calm()
        outages, streams = fleet.outages(), fleet.streams()
        stage.stop()
        lines, text = stored_lines(fleet)
        numbers = numbers_of(lines)
        problems = [
            *problems_of_numbers(fleet, numbers),
            *problems_of_seals(streams, lines),
            *problems_of_replay(fleet, lines, text, outages),
            *problems_of_recompute(fleet),
        ]
        at_rest = sum(f.stat().st_size for f in (folder / "controller").rglob("*.db*"))
    killed = ", ".join(f"{name} {fleet.kills[name]}" for name in (CONTROLLER, *REGIONS))
    lost = sum(max(own) - len(set(own)) for own in numbers.values())
    doubled = sum(len(own) - len(set(own)) for own in numbers.values())
    print(f"kills      {sum(fleet.kills.values()):>10,}   {killed}")
    print(
        f"lines      {len(lines):>10,}   {lost} lost, {doubled} doubled, in {len(numbers)} streams"
    )
    print(f"bytes      {len(text.encode()):>10,}   {at_rest:,} at rest")
    print(
        f"seals      {sum(s['seals'] for s in streams):>10,}   {sum(s['unsealed_lines'] for s in streams)} lines unsealed"
    )
    print(
        f"slots      {sum(s['scheduled_slots'] for s in streams):>10,}   {sum(s['missed_slots'] for s in streams):,} missed while processes were dead"
    )
    print(f"outages    {len(outages):>10,}   {'the same when replayed' if not problems else ''}")
    return problems


def main() -> None:
    """Run it; exit 1 if anything was lost, doubled, unsealed or otherwise when replayed."""
    with tempfile.TemporaryDirectory(prefix="vedette-soak-") as folder:
        problems = soak(Path(folder))
        for problem in problems:
            print(f"wrong: {problem}")
        if problems and os.environ.get("VEDETTE_SOAK_KEEP"):
            kept = Path(os.environ["VEDETTE_SOAK_KEEP"])
            Path(folder).rename(kept)
            Path(folder).mkdir()
            print(f"everything is kept in {kept}")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
