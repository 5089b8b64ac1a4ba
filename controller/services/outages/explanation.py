"""The page that explains an outage, as data: the terminal, programs, web pages and evidence show the same.

Instants and lengths are integer microseconds of event time; `received_us` and ledger times are the
controller's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from controller.core.doubt import Doubt
from controller.core.runs import Run
from controller.core.samples import Sample
from controller.services.outages.outage_history import Entry
from controller.services.outages.outage_views import OutageView
from controller.services.results.captures import Capture


@dataclass(frozen=True, slots=True)
class Voice:
    """What a region said at an instant: its label, and the newest result behind it.

    `confirmed_us` is since when that was certain. `why` says why there is no vote.
    """

    region: str
    label: str
    sample_us: int | None = None
    confirmed_us: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ballot:
    """The vote between two changes: the verdict, and what each region said as it began.

    `down` of the `voters` votes said DOWN, and `needed` would have made it DOWN; None: no number would.
    Where regions share a domain, the domain has one vote.
    """

    from_us: int
    to_us: int
    verdict: str
    voices: Sequence[Voice]
    down: int = 0
    voters: int = 0
    needed: int | None = None

    @property
    def votes(self) -> Sequence[tuple[str, str]]:
        """Regions and labels."""
        return [(voice.region, voice.label) for voice in self.voices]


@dataclass(frozen=True, slots=True)
class SampleView:
    """A result as it was judged.

    `is_voided`: its agent's own network was in trouble (S-10). `is_overruled`: another line of the same
    identity counts instead (S-2). `trigger` is why it was taken: by schedule, or to confirm. `why_not` says
    why it does not count as what it is. `late_us` is how long after its event time it came, if that is late.
    """

    sample: Sample
    label: str
    detail: str
    is_voided: bool
    trigger: str = ""
    is_overruled: bool = False
    why_not: str = ""
    received_us: int | None = None
    late_us: int | None = None
    addr: str = ""
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Trouble:
    """A time over which an agent's own network was in trouble; `to_us` None: it still is.

    `ok` of `total` anchors answered in its worst round.
    """

    region: str
    agent: str
    from_us: int
    to_us: int | None
    ok: int
    total: int


@dataclass(frozen=True, slots=True)
class Captured:
    """What an agent captured of a failure, and the line that it stands in."""

    sample: Sample
    capture: Capture


@dataclass(frozen=True, slots=True)
class Explanation:
    """What decided an outage: rule, bounds, votes, results and how it came to be known, oldest first.

    It covers [from_us, to_us): the outage, and enough around it to see it begin and end. Of a long one, what
    lies between its start and its end is `skipped`. `samples_left_out` are results in the middle of what was
    read that are not in `samples`.
    """

    outage: OutageView
    from_us: int
    to_us: int
    skipped: tuple[int, int] | None
    rule: str
    bounds: str
    doubts: Sequence[Doubt]
    ballots: Sequence[Ballot]
    runs: Sequence[Run]
    samples: Sequence[SampleView]
    samples_left_out: int
    troubles: Sequence[Trouble]
    captures: Sequence[Captured]
    history: Sequence[Entry]
