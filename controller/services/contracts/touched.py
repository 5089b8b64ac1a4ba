"""Which issued reports late facts touch: they are noted, to be looked at."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from controller.core.intervals import FOREVER_US
from controller.core.samples import AnchorRound, Sample
from controller.core.sla.terms.contracts import Agreement
from controller.errors import NotFound
from controller.ports.exclusions import ExclusionEntry
from controller.ports.issued import Reopened, Retold
from controller.ports.storage import Transaction
from controller.services.contracts.declared import exclusion_in
from controller.services.contracts.terms import Terms
from controller.services.outages.outage_body import decode_body
from vedette.shared.documents import BadDocument
from vedette.shared.identity import ANCHORS

_AT_ONCE: Final = 500


# Results that come later than that may be of a period on which a report was issued.
_LATE_US: Final = 3600 * 1_000_000
# Evidence that is so near a period may change what is told of it: whoever looks finds out.
_AROUND_US: Final = 3600 * 1_000_000


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


def note_late(
    tx: Transaction,
    samples: Iterable[Sample],
    rounds: Iterable[AnchorRound],
    disputes: Mapping[str, int],
    received_us: int,
) -> None:
    """Note what came late, also where no verdict changes: some objectives count results.

    Late is also whatever comes once a report was issued of which it would have been a part. `disputes` are
    checks of which other lines count now than before, and since which event time.
    """
    late: dict[str, list[int]] = {}
    latest_us = max(received_us - _LATE_US, min(tx.last_issued_us(), received_us))
    for one in samples:
        if one.at_us < latest_us:
            late.setdefault(one.check, []).append(one.at_us)
    for round_ in rounds:
        if round_.at_us < latest_us:
            late.setdefault(ANCHORS, []).append(round_.at_us)
    for check, at_us in disputes.items():
        if at_us < latest_us:
            late.setdefault(check, []).extend((at_us, received_us))
    for check, instants in late.items():
        tx.note_retold(Retold(check, min(instants), max(instants) + 1))


def note_delivered(tx: Transaction, subject: str) -> None:
    """Note the time of an outage of which a report was issued before anybody had been told of it."""
    handle = subject.removeprefix("OUT-")
    if handle == subject or not handle.isdecimal():
        return
    issued_us = tx.last_issued_us()
    for one in tx.newest_events([int(handle)]):
        body = decode_body(one.body)
        if body.started_us < issued_us:
            until_us = body.ended_us or body.until_us
            tx.note_retold(Retold(one.check, body.started_us, until_us))


def note_touched(tx: Transaction, terms: Terms) -> bool:
    """Read what was recorded since the last time, and note what it touches; False if there was nothing."""
    before = _progress(tx)
    after, touches = _read(tx, before)
    retold = tx.retold()
    files = tx.fleets(before.file)
    if after == before and not retold and not files:
        return False
    for one in retold:
        check = None if one.check == ANCHORS else one.check
        touches.append(_Touch(check, one.from_us, one.to_us))
    reports: set[tuple[str, str]] = set()
    for contract, labels in _issued(tx).items():
        try:
            is_otherwise = bool(files) and terms.is_otherwise(tx, contract, before.file)
            agreement = terms.agreement(tx, contract, FOREVER_US)
            own = set(labels) if is_otherwise else _touched(agreement, labels, touches)
        except (NotFound, BadDocument, ValueError):
            # Its terms cannot be read now: whoever looks at its reports says why.
            own = set(labels)
        reports |= {(contract, label) for label in own}
    for contract, label in reports - {(one.contract, one.label) for one in tx.reopened()}:
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


def _issued(tx: Transaction) -> Mapping[str, Mapping[str, int]]:
    """By contract and label, as of when the last revision of each report was issued."""
    found: dict[str, dict[str, int]] = {}
    for one in tx.issued_heads():
        found.setdefault(one.contract, {})[one.label] = one.as_of_us
    return found


def _touched(
    agreement: Agreement, labels: Mapping[str, int], touches: Iterable[_Touch]
) -> set[str]:
    """The reports on periods of a contract that have some of the time of a touch, or are near it."""
    members = set(agreement.scope.members)
    own = [one for one in touches if one.check is None or one.check in members]
    found: set[str] = set()
    for label, as_of_us in labels.items():
        # It was issued when the period was over: what begins later is not in it.
        near = [one for one in own if one.from_us <= as_of_us]
        when = agreement.period.named(label, None) if near else None
        if when and any(
            one.from_us - _AROUND_US <= when.to_us and one.to_us + _AROUND_US >= when.from_us
            for one in near
        ):
            found.add(label)
    return found


def _progress(tx: Transaction) -> Progress:
    body = tx.report_progress()
    return msgspec.json.decode(body, type=Progress) if body else Progress()
