"""`make bench-agent`: the agent beside blackbox_exporter, on one core, with the same targets at the same rate.

Each window is a fresh process of ours and a stretch of blackbox's, in turn, so that both see the same noise of
the machine; the smaller of two windows counts, because noise only ever adds.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.runtime.assignments import StoredAssignment
from tests.bench.agent import accuracy, memory, noise
from tests.bench.agent.blackbox import PROGRAM, Blackbox, blackbox
from tests.bench.agent.checks import assignment_of, checks_of
from tests.bench.agent.place import cores, ended, started
from tests.bench.agent.targets import Targets, targets
from vedette.shared.definitions import Check

BARS: Final = {"http": 0.8, "https": 1.25, "dns": 0.75, "icmp": 0.25}
# As fast as a site with thousands of checks would ask for each kind; a core must do for either of the two.
RATES: Final = {"http": 300, "https": 200, "dns": 500, "icmp": 1000}
WARM_SECONDS: Final = 2.0
WINDOW_SECONDS: Final = 5.0
WINDOWS: Final = 2
MEMORY_BAR_MB: Final = 90
SCHEDULE_RATE: Final = 500
SCHEDULE_BAR_MS: Final = 20
ACCURACY_BAR_MS: Final = 2
# Of some hundred probes the 99th percentile would be the second worst: a matter of luck.
ACCURACY_SECONDS: Final = 40
ACCURACY_OTHERS: Final = {"http": 120, "https": 40, "dns": 80, "icmp": 60}


@dataclass(frozen=True, slots=True)
class Bench:
    """Where it all happens."""

    folder: Path
    at: Targets
    ours: set[int]
    others: set[int]
    blackbox: Blackbox | None

    def run(self, checks: Sequence[Check], seconds: float = WINDOW_SECONDS) -> dict[str, Any]:
        """What a fresh agent says after running `checks` for a while."""
        with tempfile.TemporaryDirectory(dir=self.folder) as state:
            StoredAssignment(Path(state) / "assignment.json").save(assignment_of(checks))
            command = [
                sys.executable, "-m", "tests.bench.agent.subject", state, str(WARM_SECONDS), str(seconds)
            ]  # fmt: skip
            process = started(
                command, self.ours, out=subprocess.PIPE, log=self.folder / "subject.log"
            )
            try:
                out, _ = process.communicate(timeout=seconds + WARM_SECONDS + 30)
            finally:
                ended(process)
        if process.returncode:
            raise SystemExit((self.folder / "subject.log").read_text())
        found = json.loads(out)
        assert isinstance(found, dict)
        return found


def costs(bench: Bench, kind: str) -> None:
    """CPU a check of `kind`, ours and theirs."""
    ours, theirs, rate = [], [], RATES[kind]
    strange: set[str] = set()
    for _ in range(WINDOWS):
        found = bench.run(checks_of(kind, rate, bench.at))
        ours.append(found["cpu_us"] / max(found["checks"], 1))
        strange |= {f"ours: {o} x{n}" for o, n in found["outcomes"].items() if o != "up"}
        if found["missed"]:
            strange.add(f"ours: {found['missed']} slots missed")
        if bench.blackbox is not None:
            cost, _, failed = bench.blackbox.cost(kind, rate, WARM_SECONDS, WINDOW_SECONDS)
            theirs.append(cost)
            strange |= {f"blackbox: {failed} failed"} if failed else set()
    bar = BARS[kind]
    text = f"{kind:<6} {rate:>5}/s {min(ours):>7.0f} us"
    if theirs:
        ratio = min(ours) / min(theirs)
        text += f" {min(theirs):>10.0f} us {ratio:>7.2f}x {'ok' if ratio <= bar else 'OVER'}"
        text += f" (bar {bar}x)"
    print(text + (f"  ! {'; '.join(sorted(strange))}" if strange else ""), flush=True)


def cpu(bench: Bench) -> None:
    """The table of costs."""
    print("CPU per check on one core, whole pipeline, new connection each")
    print(f"{'':<6} {'rate':>7} {'vedette':>10} {'blackbox':>13} {'ratio':>8}")
    for kind in BARS:
        costs(bench, kind)


def held(bench: Bench) -> None:
    """Memory with a thousand checks."""
    megabytes = asyncio.run(memory.resident_mb(bench.folder, bench.at, bench.ours))
    theirs = f", blackbox {bench.blackbox.resident_mb:.0f} MB" if bench.blackbox else ""
    verdict = _verdict(megabytes, MEMORY_BAR_MB, "MB")
    print(f"memory with {memory.CHECKS} checks: {megabytes:.0f} MB {verdict}{theirs}", flush=True)


def schedule(bench: Bench) -> None:
    """How late a probe is launched."""
    share = SCHEDULE_RATE // len(BARS)
    found = bench.run([c for kind in BARS for c in checks_of(kind, share, bench.at)], 8)
    lags, missed = found["lags_us"], found["missed"]
    p99 = _p99(lags) / 1000
    print(
        f"schedule error at {SCHEDULE_RATE} checks/s: p50 {lags[len(lags) // 2] / 1000:.2f} ms, "
        f"p99 {p99:.2f} ms {_verdict(p99, SCHEDULE_BAR_MS, 'ms')}, most {lags[-1] / 1000:.2f} ms, "
        f"{missed} of {len(lags) + missed} slots missed",
        flush=True,
    )


def exactness(bench: Bench) -> None:
    """How far phases are from the truth while other checks run."""
    quiet = noise.lateness_us(bench.ours)
    others = [c for k, n in ACCURACY_OTHERS.items() for c in checks_of(k, n, bench.at)]
    with accuracy.delaying(bench.folder, bench.others) as (port, process):
        found = bench.run([*others, *accuracy.checks(port, bench.at)], ACCURACY_SECONDS)
        errors = accuracy.errors_us(found["lines"], accuracy.truth(process))
    busy = sum(ACCURACY_OTHERS.values())
    lagged = sum(line["loop_lag"] > 0 for line in found["lines"])
    print(
        f"phase error beside {busy} other checks/s, {len(errors['tls'])} probes of known delays "
        f"({lagged} of them name a lag of the agent's own):"
    )
    print(
        f"  {'(idle core)':<11} p50 {quiet[len(quiet) // 2] / 1000:.2f} ms, p99 {_p99(quiet) / 1000:.2f} ms"
    )
    for name, each in errors.items():
        p99 = _p99(each) / 1000
        median = each[len(each) // 2] / 1000
        print(
            f"  {name:<11} p50 {median:.2f} ms, p99 {p99:.2f} ms {_verdict(p99, ACCURACY_BAR_MS, 'ms')}"
        )


def _p99(values: Sequence[int]) -> int:
    return values[min(len(values) * 99 // 100, len(values) - 1)]


def _verdict(value: float, bar: float, unit: str) -> str:
    return f"{'ok' if value <= bar else 'OVER'} (bar {bar} {unit})"


PARTS: Final[dict[str, Callable[[Bench], None]]] = {
    "cpu": cpu, "memory": held, "schedule": schedule, "accuracy": exactness,
}  # fmt: skip


def main() -> None:
    """Run the parts that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="make bench-agent", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    wanted = parser.parse_args().parts
    if unknown := sorted(set(wanted) - set(PARTS) - set(BARS)):
        parser.error(f"expected parts of {', '.join((*PARTS, *BARS))}, found {', '.join(unknown)}")
    ours, others = cores()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vedette-bench-")))
        folder.chmod(0o755)
        at = stack.enter_context(targets(folder, others))
        beside = stack.enter_context(blackbox(folder, at, ours))
        os.sched_setaffinity(0, others)
        bench = Bench(folder, at, ours, others, beside)
        if beside is None:
            print(f"{PROGRAM} is not installed (apt install {PROGRAM}): ours alone")
        print(f"web target: {at.web}; name server: {at.name_server}\n")
        for kind in BARS:
            if kind in wanted:
                costs(bench, kind)
        for name, part in PARTS.items():
            if not wanted or name in wanted:
                part(bench)


if __name__ == "__main__":
    main()
