"""A month of one contract in a real database: lines, seals, leaves and heads of the log, as a controller keeps them.

Everything is signed by real keys and written through storage; only the clock is made up.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from controller.core.admission import admitted_line
from controller.core.samples import AnchorRound, Sample
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.ports.agents import AgentRecord
from controller.ports.evidence import Segment
from controller.ports.storage import Storage, Transaction
from controller.services.evidence.logbook import Logbook
from controller.services.fleet.apply import Fleets
from controller.services.timeline.evaluate import Evaluator
from controller.storage.database import open_storage
from tests.bench.evidence.streams import CHECKS, MINUTE, REGIONS, SECOND, Chain, Minute, chains
from vedette.shared.identity import ANCHORS

CONTRACT: Final = "gold"
# Before and after the month agents are at work, too: so much of it goes into a bundle.
_AROUND_MINUTES: Final = 120
# Lines and seals of so many minutes are one transaction, and the log is signed after it.
_AT_ONCE: Final = 240
_FLEET: Final = """\
version: 1
regions: [{regions}]
services: [{{id: shop}}]
checks:
{checks}
contracts:
  - id: gold
    party: ACME
    effective_from: 2020-01-01T00:00:00Z
    scope: {{series: [{names}]}}
    period: {{kind: month, tz: UTC}}
    objectives: [{{id: availability, target: "99.9", min_coverage: "0"}}]
    credits: {{fee: "1000", currency: EUR, tiers: [{{below: "99.9", percent: "10"}}]}}
"""
_CHECK: Final = '  - {{id: {}, service: shop, every: 60s, http: {{url: "http://192.0.2.7/"}}}}'


@dataclass(frozen=True, slots=True)
class Made:
    """What was put into the database: the month's label, and how much of everything."""

    label: str
    results: int
    rounds: int
    seals: int
    leaves: int


@dataclass(slots=True)
class _Clock:
    """What time it is in the story."""

    now_us: int

    def __call__(self) -> int:
        return self.now_us


def put_month(state: Path, minutes: int | None = None) -> Made:
    """Fill the database of an initialised controller with a month, or with its first `minutes`."""
    label, begins_us, whole = _month_before(datetime.now(UTC))
    count = (whole if minutes is None else minutes) + 2 * _AROUND_MINUTES
    start_us = begins_us - _AROUND_MINUTES * MINUTE
    clock = _Clock(start_us - 60 * MINUTE)
    directory = StateDirectory(state)
    organisation = directory.settings().organisation
    notary = LogNotary(directory, organisation, clock)
    storage = open_storage(directory.database_url, is_new=False, notary=notary)
    try:
        own = chains(organisation)
        evaluator = _begun(storage, own, clock)
        logbook = Logbook(storage, notary, clock)
        for first in range(0, count, _AT_ONCE):
            part = range(first, min(first + _AT_ONCE, count))
            made = [one.minute(start_us + minute * MINUTE) for minute in part for one in own]
            clock.now_us = start_us + part.stop * MINUTE
            with evaluator.transaction() as tx:
                _put(tx, evaluator, made, clock.now_us)
            evaluator.settle()
            logbook.checkpoint()
        with storage.transaction() as tx:
            leaves = tx.log_size()
    finally:
        storage.close()
    results = sum(one.covered for one in own if one.stream != ANCHORS)
    rounds = sum(one.covered for one in own if one.stream == ANCHORS)
    return Made(label, results, rounds, sum(one.number for one in own), leaves)


def _month_before(now: datetime) -> tuple[str, int, int]:
    """The last month that was over two days ago: its label, its beginning in microseconds, its minutes."""
    end = (now - timedelta(days=2)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first = (end - timedelta(days=1)).replace(day=1)
    return f"{first:%Y-%m}", int(first.timestamp()) * SECOND, (end - first).days * 1440


def _begun(storage: Storage, own: list[Chain], clock: _Clock) -> Evaluator:
    """Agents and a fleet."""
    with storage.transaction() as tx:
        for one in own:
            public = one.key.public_key().public_bytes_raw()
            record = AgentRecord(one.agent, one.region, "box", clock(), public, b"", "s", None, 0)
            tx.put_agent(record)
    evaluator = Evaluator(storage)
    text = _FLEET.format(
        regions=", ".join(f"{{id: {region}}}" for region in REGIONS),
        checks="\n".join(map(_CHECK.format, CHECKS)),
        names=", ".join(CHECKS),
    )
    applied = Fleets(storage, evaluator, clock).apply(text.encode(), "fleet.yaml", "ada")
    assert not applied.problems, applied.problems
    with storage.transaction() as tx:
        revisions = {one.check: one.digest for one in tx.check_revisions()}
    for one in own:
        one.revisions = revisions
    return evaluator


def _put(tx: Transaction, evaluator: Evaluator, made: list[Minute], now_us: int) -> None:
    """Lines, what is read from them, and their seals, as ingest keeps them."""
    segments: list[Segment] = []
    samples: list[Sample] = []
    rounds: list[tuple[str, AnchorRound]] = []
    for one in made:
        body, count = b"".join(one.lines), len(one.lines)
        segments.append(Segment(*one.stream, one.first_seq, count, body, one.seal.received_us))
        for line in one.lines:
            item = admitted_line(line)
            if isinstance(item, Sample):
                samples.append(item)
            elif isinstance(item, AnchorRound):
                rounds.append((one.stream.agent.removesuffix("-1"), item))
    samples.sort(key=lambda sample: (sample.check, sample.at_us))
    tx.append(segments, samples, (one for _, one in rounds), [], [])
    for one in made:
        tx.put_seal(one.seal)
    evaluator.absorb(tx, samples, rounds, {}, now_us)
