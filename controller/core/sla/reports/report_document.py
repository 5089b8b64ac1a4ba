"""The report document: everything that is said of one contract over one period, as facts and in a fixed order.

It holds no sentence: words are made from it in the reader's language. Instants and lengths are integer
microseconds, shares are ratios in lowest terms. The same facts give the same bytes.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

VERSION: Final = 1
KIND: Final = "sla-report"


class Part(msgspec.Struct, frozen=True, kw_only=True, rename={"from_us": "from", "to_us": "to"}):
    """A part of the document."""


class Issue(Part, frozen=True, kw_only=True):
    """How the document was issued, as that revision of the report: by whom (empty: by itself), and why.

    `is_early`: before the period was final. `unheard` are the agents whose results may have been missing,
    with the event time up to which each was heard.
    """

    revision: int
    by: str
    reason: str
    is_early: bool
    unheard: tuple[tuple[str, int | None], ...]


class Made(Part, frozen=True, kw_only=True):
    """What the document was made with: nothing later than `as_of`, by that code and those zone rules.

    One that was not issued is provisional.
    """

    as_of: int
    code: str
    tzdata: str
    issue: Issue | None = None


class CheckPart(Part, frozen=True, kw_only=True):
    """A check that the contract is about, and the service that it belongs to."""

    id: str
    service: str
    service_title: str


class Terms(Part, frozen=True, kw_only=True):
    """What the contract said from an instant on, every clause written out."""

    revision: int
    effective_from: int
    clauses: Mapping[str, Any]


class ContractPart(Part, frozen=True, kw_only=True):
    """Who agreed with whom on what."""

    id: str
    title: str
    party: str
    level: str
    tz: str
    revision: int
    checks: tuple[CheckPart, ...]
    terms: tuple[Terms, ...]


class PeriodPart(Part, frozen=True, kw_only=True):
    """The period: [from, to), of which the facts reach until `until`."""

    label: str
    kind: str
    tz: str
    from_us: int
    to_us: int
    until: int


class Day(Part, frozen=True, kw_only=True):
    """A local day, or the parts of it that are judged. Its times add up to these parts.

    `downtime` is what counts of it against the objective.
    """

    day: str
    from_us: int
    to_us: int
    up: int
    down: int
    partial: int
    degraded: int
    unknown: int
    excluded: int
    out_of_schedule: int
    downtime: int


class Point(Part, frozen=True, kw_only=True):
    """What was left of the budget at an instant; below 0: overspent."""

    at: int
    left: int


class Course(Part, frozen=True, kw_only=True):
    """How a record came about: day by day, and how its budget was spent.

    `counted` is the downtime that counts, as spans.
    """

    objective: str
    from_us: int
    days: tuple[Day, ...]
    budget: tuple[Point, ...]
    counted: tuple[tuple[int, int], ...]


class ReportedCounter(Part, frozen=True, kw_only=True):
    """What somebody said against an outage, and the file that it rests on; it counts nowhere."""

    said_at: int
    who: str
    role: str
    text: str
    file: str
    sha256: str


class ReportedOutage(Part, frozen=True, kw_only=True):
    """An outage that touches the period. What a file or a database does not say is None or empty.

    `downtime` and `unknown` are of the whole outage; `counted` is what of it counts in the period, by
    objective. Where nothing was said against it there are no `counters`.
    """

    handle: str
    check: str
    started_at: int
    ended_at: int | None
    downtime: int
    unknown: int
    downtime_min: int | None = None
    downtime_max: int | None = None
    regions: tuple[str, ...] = ()
    kinds: tuple[tuple[str, int], ...] = ()
    severity: str = ""
    detected_at: int | None = None
    notified_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str = ""
    counted: Mapping[str, int] = msgspec.field(default_factory=dict)
    counters: tuple[ReportedCounter, ...] | UnsetType = UNSET


class Outcome(Part, frozen=True, kw_only=True):
    """What came of an exclusion in the record of that objective that begins at `from`, and why, in words."""

    objective: str
    from_us: int
    status: str
    applied: int
    why: str


class ReportedExclusion(Part, frozen=True, kw_only=True):
    """An exclusion that touches the period, and what came of it under the terms of each record.

    `declared_at` is what its source says, `logged_at` when the controller had it first, where one did.
    """

    id: str
    type: str
    from_us: int
    to_us: int
    declared_at: int
    logged_at: int | None
    source: str
    by: str
    approved_by: tuple[str, ...]
    withdrawn_at: int | None
    reason: str
    evidence: str
    outcomes: tuple[Outcome, ...]


class Report(Part, frozen=True, kw_only=True):
    """The document. `records` are those of `vedette sla compute`; `courses` go with them one by one.

    `made` alone says by what it was computed: two documents whose other parts are equal say the same.
    `rights` are what follows from the periods until this one, where the contract has such clauses.
    """

    version: int
    kind: str
    made: Made
    contract: ContractPart
    period: PeriodPart
    records: tuple[dict[str, Any], ...]
    courses: tuple[Course | None, ...]
    exclusions: tuple[ReportedExclusion, ...]
    outages: tuple[ReportedOutage, ...]
    rights: dict[str, Any] | UnsetType = UNSET


def encode_report(report: Report) -> bytes:
    """The document as JSON: compact, keys in the order of this module, one newline."""
    return msgspec.json.encode(report) + b"\n"


def decode_report(data: bytes) -> Report:
    """The document that `data` is. ValueError says what is wrong with it."""
    try:
        report = msgspec.json.decode(data, type=Report)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    except UnicodeDecodeError as error:
        raise ValueError("expected UTF-8") from error
    except RecursionError as error:
        raise ValueError("expected a document that is not nested without end") from error
    if (report.version, report.kind) != (VERSION, KIND):
        found = f"{report.kind} version {report.version}"
        raise ValueError(f"expected {KIND} version {VERSION}, found {found}")
    return report


def says_the_same(one: bytes, other: bytes) -> bool:
    """Two documents tell the same facts, by whatever code and as of whatever instants they were made."""
    made = decode_report(one).made
    return one == encode_report(msgspec.structs.replace(decode_report(other), made=made))
