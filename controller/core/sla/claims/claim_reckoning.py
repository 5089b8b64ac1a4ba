"""How a claimed record came about, in lines that can be done again with pencil and paper."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from controller.core.instants import instant_text, length_text

Record = Mapping[str, Any]
_SECOND_US: Final = 1_000_000


def reckoned(record: Record) -> Iterator[str]:
    """The lines from what was counted to the verdict and to the credit."""
    if "timers" in record:
        yield from _timers(record)
    elif record.get("members") or record.get("samples_of"):
        yield from _members(record)
    elif any(key in record for key in ("samples", "slices", "days")):
        yield from _samples(record)
        yield f"that is {_shown(record)}"
        yield _verdict(record)
    else:
        eligible, down = seconds_text(record["eligible"]), seconds_text(record["downtime"])
        yield f"eligible time {eligible} s, counted downtime {down} s"
        yield f"attainment ({eligible} - {down}) / {eligible} = {_shown(record)}"
        yield _verdict(record)
    yield from record["credits"]["steps"]


def target_text(record: Record) -> str:
    """What was promised: a share, or a time in which people are to do something."""
    return str(record["target"]) if "timers" in record else f"{record['target']} %"


def _verdict(record: Record) -> str:
    return f"met if that is at least {record['target']} / 100: {record['verdict']}"


def _shown(record: Record) -> str:
    share = record["attainment"]
    return f"{ratio_text(share)}, which is {record['attainment_shown']} %, cut off"


def _timers(record: Record) -> Iterator[str]:
    """Each clock that ran: when it was due, when it stopped, how long it ran in support hours and outside pauses."""
    listed = record["timers"] or ()
    for one in listed:
        stopped = (
            "not stopped" if one["stopped"] is None else f"stopped {instant_text(one['stopped'])}"
        )
        yield (
            f"{one['outage']} {one['severity']}: began {instant_text(one['started'])}, due"
            f" {instant_text(one['due'])}, {stopped}; {length_text(one['elapsed'])} of"
            f" {record['target']}: {one['state']}"
        )
    kept = sum(one["state"] == "met" for one in listed)
    yield f"{kept} of {len(listed)} in time; met if all are: {record['verdict']}"


def _members(record: Record) -> Iterator[str]:
    """A weighted composite: what each check adds is in its record."""
    for check, own in (record.get("samples_of") or {}).items():
        yield from (f"{check}: {line}" for line in _samples(own))
    for one in record.get("members") or ():
        share = one.get("attainment")
        if share is not None:
            yield f"{one['check']}: weight {ratio_text(one['weight'])} x {ratio_text(share)}"
    yield f"together {_shown(record)}"
    yield _verdict(record)


def _samples(own: Mapping[str, Any]) -> Iterator[str]:
    if found := own.get("slices"):
        good = ratio_text(found["good"])
        yield f"{good} good slices of {found['counted']}; {found['silent']} had no result"
    elif found := own.get("days"):
        yield f"{found['good']} good days of {found['counted']}"
    elif found := own.get("samples"):
        yield f"{found['good']} good results of {found['valid']}"


def ratio_text(share: Mapping[str, int] | None) -> str:
    """A share exactly."""
    if share is None:
        return "none"
    return str(share["num"]) if share["den"] == 1 else f"{share['num']}/{share['den']}"


def seconds_text(micros: int) -> str:
    """A length in seconds, exactly."""
    whole, rest = divmod(micros, _SECOND_US)
    return f"{whole}.{rest:06}".rstrip("0") if rest else str(whole)
