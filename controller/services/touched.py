"""Which issued reports late facts touch: they are noted, to be looked at."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from controller.core.calendars import Period
from controller.core.intervals import FOREVER_US
from controller.core.samples import Sample
from controller.exclusions import ExclusionEntry
from controller.issued import IssuedReport, Reopened, Retold
from controller.ports import Transaction
from controller.services.declared import exclusion_in
from controller.services.outage_body import decode_body
from controller.services.terms import Terms

_AT_ONCE: Final = 500


# Results that come later than that may be of a period on which a report was issued.
_LATE_US: Final = 3600 * 1_000_000


class Progress(msgspec.Struct, frozen=True):
    """How far facts were read: the last event of an outage, remark on one, entry of an exclusion, and file."""

    event: int = 0
    remark: int = 0
    exclusion: int = 0
    file: int = 0


class _Touch(NamedTuple):
    """Something that was learnt of a check over a time; None: of any check."""

    check: str | None
    from_us: int
    to_us: int


def note_late(tx: Transaction, samples: Iterable[Sample], received_us: int) -> None:
    """Note results that came late, also where no verdict changes: some objectives count results."""
    late: dict[str, list[int]] = {}
    latest_us = received_us - _LATE_US
    for one in samples:
        if one.at_us < latest_us:
            late.setdefault(one.check, []).append(one.at_us)
    for check, instants in late.items():
        tx.note_retold(Retold(check, min(instants), max(instants) + 1))


def note_touched(tx: Transaction, terms: Terms) -> bool:
    """Read what was recorded since the last time, and note what it touches; False if there was nothing."""
    before = _progress(tx)
    after, touches = _read(tx, before)
    retold = tx.retold()
    files = tx.fleets(before.file)
    if after == before and not retold and not files:
        return False
    touches += [_Touch(one.check, one.from_us, one.to_us) for one in retold]
    issued = _Issued.read(tx, terms)
    # A file may say anything of any contract, of its exclusions and of what is past.
    reports = issued.all() if files else issued.touched(touches)
    known = {(one.contract, one.label) for one in tx.reopened()}
    for contract, label in set(reports) - known:
        tx.put_reopened(Reopened(contract, label))
    for one in retold:
        tx.forget_retold(one.check)
    if files:
        after = msgspec.structs.replace(after, file=files[-1].number)
    tx.put_report_progress(msgspec.json.encode(after))
    return True


def _read(tx: Transaction, before: Progress) -> tuple[Progress, list[_Touch]]:
    """The outages of which something was learnt or said, and how far that was read."""
    found: list[_Touch] = []
    events = list(tx.events_after(before.event, _AT_ONCE))
    remarks = tx.remarks_after(before.remark, _AT_ONCE)
    for one in (*events, *tx.newest_events(sorted({remark.number for remark in remarks}))):
        body = decode_body(one.body)
        found.append(_Touch(one.check, body.started_us, body.ended_us or body.until_us))
    entries = tx.exclusion_entries()
    fresh = (one for one in entries if one.sequence > before.exclusion)
    found += [_touch_of(one.exclusion, entries) for one in fresh]
    after = Progress(
        events[-1].sequence if events else before.event,
        remarks[-1].sequence if remarks else before.remark,
        entries[-1].sequence if entries else before.exclusion,
        before.file,
    )
    return after, found


def _touch_of(exclusion: str, entries: Sequence[ExclusionEntry]) -> _Touch:
    """The time of an exclusion; one that stands in the file may be about any."""
    for one in entries:
        if one.exclusion == exclusion and one.body:
            return _Touch(None, *exclusion_in(one.body).interval)
    return _Touch(None, -FOREVER_US, FOREVER_US)


@dataclass(frozen=True, slots=True)
class _Issued:
    """The periods of each contract of which a report was issued, and the checks that it is about."""

    periods: Mapping[str, list[Period]]
    checks: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, tx: Transaction, terms: Terms) -> "_Issued":
        heads: dict[str, dict[str, IssuedReport]] = {}
        for one in tx.issued_heads():
            heads.setdefault(one.contract, {})[one.label] = one
        periods: dict[str, list[Period]] = {}
        checks: dict[str, frozenset[str]] = {}
        for contract, own in heads.items():
            last_us = max(one.as_of_us for one in own.values())
            agreement = terms.latest(tx, contract, last_us).contract
            periods[contract] = [agreement.period.named(label, None) for label in own]
            checks[contract] = frozenset(agreement.scope.members)
        return cls(periods, checks)

    def all(self) -> Iterator[tuple[str, str]]:
        """Every report."""
        for contract, periods in self.periods.items():
            for when in periods:
                yield contract, when.label

    def touched(self, touches: Iterable[_Touch]) -> Iterator[tuple[str, str]]:
        """The reports on periods that have some of the time of a touch."""
        for touch in touches:
            for contract, periods in self.periods.items():
                if touch.check is None or touch.check in self.checks[contract]:
                    for when in periods:
                        if touch.from_us <= when.to_us and touch.to_us >= when.from_us:
                            yield contract, when.label


def _progress(tx: Transaction) -> Progress:
    body = tx.report_progress()
    return msgspec.json.decode(body, type=Progress) if body else Progress()
