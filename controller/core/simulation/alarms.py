"""What a controller tells while results come in: outages as they are raised, revised and withdrawn."""

from dataclasses import dataclass

from controller.core.changes import Changes
from controller.core.outages import Outage, Span


@dataclass(slots=True)
class Alarm:
    """An outage as people were told of it.

    `raised_us` is the instant at which the controller first knew of it. `span` is the outage as it is known in the
    end; `withdrawn_us` is when late evidence made it vanish, and its span then is the one that was first told.
    """

    check: str
    raised_us: int
    span: Span
    withdrawn_us: int | None = None

    @property
    def stands(self) -> bool:
        """It is an outage in the end."""
        return self.withdrawn_us is None


class AlarmBook:
    """The alarms of one check under one rule. One whose start moved is still the same alarm (S-19)."""

    def __init__(self, check: str) -> None:
        self._check = check
        self._standing: dict[str, Alarm] = {}
        self._withdrawn: list[Alarm] = []
        self._told: dict[int, Span] = {}

    @property
    def is_open(self) -> bool:
        """An outage has no end yet."""
        return any(alarm.span.ended_us is None for alarm in self._standing.values())

    def note(self, changes: Changes, now_us: int) -> None:
        """Take what an engine says has changed."""
        gone = [(key, self._standing.pop(key)) for key in changes.gone if key in self._standing]
        for outage in changes.outages:
            known = self._standing.get(outage.id)
            if known is None:
                known = _moved(outage, gone) or Alarm(self._check, now_us, outage.span)
                self._standing[outage.id] = known
                self._told.setdefault(id(known), outage.span)
            known.span = outage.span
        for _, alarm in gone:
            alarm.withdrawn_us = now_us
            alarm.span = self._told[id(alarm)]
            self._withdrawn.append(alarm)

    def closed(self, outages: list[Outage]) -> list[Alarm]:
        """Every alarm by the time at which it was raised; the outages are those that stand in the end."""
        assert {outage.id for outage in outages} == set(self._standing), "every outage was told"
        for outage in outages:
            self._standing[outage.id].span = outage.span
        found = [*self._standing.values(), *self._withdrawn]
        return sorted(found, key=lambda alarm: (alarm.raised_us, alarm.span.started_us))


def _moved(outage: Outage, gone: list[tuple[str, Alarm]]) -> Alarm | None:
    """The alarm that a new outage takes the place of: the one that it overlaps most."""
    best: tuple[int, int] | None = None
    for place, (_, alarm) in enumerate(gone):
        span, new = alarm.span, outage.span
        common_us = min(span.until_us, new.until_us) - max(span.started_us, new.started_us)
        if common_us > 0 and (best is None or common_us > best[0]):
            best = (common_us, place)
    return gone.pop(best[1])[1] if best is not None else None
