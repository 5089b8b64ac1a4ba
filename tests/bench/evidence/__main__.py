"""`make bench-evidence`: a month of one contract, handed over and verified by real processes.

Beside the figures stands what this machine needs for the same hashes and signatures alone. VEDETTE_BENCH_MINUTES
takes only so much of the month.
"""

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.cli.channel import connected
from controller.cli.demo.stage import HOST, Stage
from tests.bench.evidence.month import CONTRACT, Made, put_month
from tests.bench.evidence.watch import Memory, Ran, Waits, processor_seconds, ran
from vedette.shared.limits import BUNDLE_SECONDS_MAX
from vedette.v1 import access_pb2, access_pb2_grpc

MINUTES = os.environ.get("VEDETTE_BENCH_MINUTES")
MB = 1_000_000
_SIGNATURES = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """A step and its bars: at most so many seconds, at most so many bytes of memory; None: there is no bar."""

    what: str
    ran: Ran
    seconds_max: float | None = None
    bytes_max: int | None = None

    @property
    def holds(self) -> bool:
        """It did what it should, within its bars."""
        is_quick = self.seconds_max is None or self.ran.seconds <= self.seconds_max
        is_small = self.bytes_max is None or self.ran.bytes_max <= self.bytes_max
        return self.ran.code == 0 and is_quick and is_small

    def __str__(self) -> str:
        done = self.ran
        bars = [f"{self.seconds_max:.0f} s"] if self.seconds_max is not None else []
        bars += [f"{self.bytes_max / MB:.0f} MB"] if self.bytes_max is not None else []
        bar = f"at most {', '.join(bars)}: {'ok' if self.holds else 'MISSED'}" if bars else ""
        if done.code:
            bar = f"FAILED with {done.code}: {done.said.strip()[-200:]}"
        return (
            f"{self.what:<32}{done.seconds:>8.1f} s{done.processor_seconds:>9.1f} s"
            f"{done.bytes_max / MB:>8.0f} MB   {bar}"
        )


class BenchStage(Stage):
    """A stage whose processes can be looked at."""

    @property
    def environment(self) -> dict[str, str]:
        """What its commands run in."""
        return self._environment

    @property
    def controller(self) -> int:
        """The process of the controller."""
        return self._processes["controller"].pid

    def start_over(self, minutes: int | None) -> Made:
        """A controller whose database holds the month already."""
        state, token = self.folder / "controller", str(self.folder / "admin.token")
        self.command("init", "--state", str(state), "--host", HOST, "--token-file", token)
        made = put_month(state, minutes)
        self.serve()
        ca = str(state / "ca.pem")
        self.command("login", self._people, "--ca", ca, "--token-file", token)
        return made


@dataclass(frozen=True, slots=True)
class Handed:
    """An export, and what it took of the controller: processor, memory, and how long a small call waited at most."""

    name: str
    ran: Ran
    processor_seconds: float
    bytes_max: int
    waited_seconds: float

    def __str__(self) -> str:
        return (
            f"{'  the controller meanwhile':<32}{'':>10}{self.processor_seconds:>9.1f} s{self.bytes_max / MB:>8.0f} MB"
            f"   a small call waited {self.waited_seconds:.2f} s at most"
        )


@dataclass(frozen=True, slots=True)
class Bench:
    """The controller, and where bundles of it go."""

    stage: BenchStage
    folder: Path
    label: str

    def export(self, name: str) -> Handed:
        """Hand over the month, while others ask who they are."""
        with connected(self.stage.login()) as connection:
            stub = access_pb2_grpc.AccessServiceStub(connection.channel)
            call = {**connection.call, "timeout": BUNDLE_SECONDS_MAX}
            waits = Waits(lambda: stub.WhoAmI(access_pb2.WhoAmIRequest(), **call))
            memory = Memory(self.stage.controller)
            about = ("--contract", CONTRACT, "--period", self.label)
            used = processor_seconds(self.stage.controller)
            with waits, memory:
                done = self.vedette("evidence", "export", *about, "-o", str(self.folder / name))
        used = processor_seconds(self.stage.controller) - used
        return Handed(name, done, used, memory.bytes_max, waits.seconds_max)

    def vedette(self, *arguments: str) -> Ran:
        """A command of ours."""
        return ran([sys.executable, "-m", "controller", *arguments], self.stage.environment)

    def lines(self) -> Iterator[Line]:
        """Every step."""
        trust = str(self.folder / "annex.txt")
        Path(trust).write_text(self.stage.command("evidence", "annex"))
        for name in ("bundle", "bundle.zip"):
            handed = self.export(name)
            yield Line(f"export, {name}", handed.ran, 60)
            print(handed)
        for name in ("bundle", "bundle.zip"):
            where = str(self.folder / name)
            yield Line(
                f"vedette verify, {name}",
                self.vedette("verify", where, "--trust", trust),
                60,
                300 * MB,
            )
        again = self.vedette("verify", str(self.folder / "bundle"), "--trust", trust, "--recompute")
        yield Line("vedette verify --recompute", again, None, 300 * MB)
        script = str(self.folder / "bundle" / "verify.sh")
        yield Line("verify.sh (dash)", ran(["dash", script, trust], self.stage.environment), 120)


def alone(folder: Path, signatures: int) -> float:
    """Seconds for what cannot be left out: SHA-256 of every line in two files, and so many Ed25519 signatures."""
    key = Ed25519PrivateKey.generate()
    public, text = key.public_key(), b"x" * 400
    signature = key.sign(text)
    started = time.process_time()
    for _ in range(_SIGNATURES):
        public.verify(signature, text)
    took = (time.process_time() - started) / _SIGNATURES * signatures
    body = (folder / "results.jsonl").read_bytes()
    started = time.process_time()
    for _ in range(2):
        hashlib.sha256(body).digest()
    return took + time.process_time() - started


def measured(folder: Path, minutes: int | None) -> bool:
    """Measure and print; whether every bar is held."""
    stage = BenchStage(folder)
    with stage:
        started = time.perf_counter()
        made = stage.start_over(minutes)
        took = time.perf_counter() - started
        print(
            f"{made.label}: {made.results:,} results, {made.rounds:,} rounds of anchors, {made.seals:,} seals,"
            f" {made.leaves:,} leaves, made in {took:.0f} s"
        )
        print(f"{'':<32}{'wall':>10}{'processor':>11}{'memory':>11}")
        holds = True
        for line in Bench(stage, folder, made.label).lines():
            print(line, flush=True)
            holds = holds and line.holds
        seconds = alone(folder / "bundle", made.seals)
    print(f"{'hashes and signatures alone':<32}{'':>10}{seconds:>9.1f} s")
    return holds


def main() -> None:
    """Measure and print."""
    minutes = None if MINUTES is None else int(MINUTES)
    with tempfile.TemporaryDirectory(prefix="vedette-bench-") as folder:
        sys.exit(0 if measured(Path(folder), minutes) else 1)


if __name__ == "__main__":
    main()
