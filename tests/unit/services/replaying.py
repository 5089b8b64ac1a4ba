"""What the server says beside what a replay of the lines that it exports says."""

from controller.core.admission import admitted_line, deduplicated
from controller.core.samples import AnchorRound, Quarantined, Sample
from controller.core.timeline import evidence_until, timeline, verdict_intervals
from controller.services.results.export import exported
from tests.unit.services.conftest import START, World

FOREVER = 2**61


def exported_lines(world: World) -> list[bytes]:
    """Every line that counts, as `vedette db lines` writes them."""
    data = b"".join(exported(world.storage.transaction))
    return data.split(b"\n")[:-1]


def replayed(world: World, check: str, lines: list[bytes]) -> list[tuple[int, int, str]]:
    """The verdicts that these lines give, by the revisions of the server."""
    items = [admitted_line(line) for line in lines]
    evidence = deduplicated(one for one in items if not isinstance(one, Quarantined))
    samples = [one for one in evidence if isinstance(one, Sample) and one.check == check]
    rounds = [one for one in evidence if isinstance(one, AnchorRound)]
    with world.storage.transaction() as tx:
        policies = world.evaluator.checks(tx)[check]
    known = evidence_until(samples, rounds, FOREVER)
    segments = timeline(known, policies, START, world.now_us)
    return [(one.from_us, one.to_us, one.verdict.value) for one in verdict_intervals(segments)]


def served(world: World, check: str) -> list[tuple[int, int, str]]:
    """The verdicts that the server gives."""
    with world.evaluator.transaction() as tx:
        now = world.now_us
        segments = world.evaluator.segments(tx, check, START, now, FOREVER)
        return [(one.from_us, one.to_us, one.verdict.value) for one in verdict_intervals(segments)]
