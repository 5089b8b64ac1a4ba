"""What one report document says otherwise than another about the same contract and period.

By whom and when a document was made does not matter, nor how many revisions the file of the contract had
by then: only what it says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

Key = tuple[str, str]
"""What a fact is about: the kind of thing, and which one."""

_NOT_COMPARED: Final = frozenset({"revision", "tzdata"})
_FIGURE: Final = "record"
_TIMERS: Final = "timers"
# What of a timer that runs on says no more than when it was asked.
_GOING_ON: Final = frozenset({"elapsed", "remaining"})
_KINDS: Final = ("contract", "period", "terms", _FIGURE, "day", "outage", "exclusion")


class What(StrEnum):
    """What became of a thing from one document to the other."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    CHANGED = "changed"


class FieldChange(msgspec.Struct, frozen=True):
    """A field that has another value. `delta` is new - old, where both are whole numbers."""

    name: str
    old: Any
    new: Any
    delta: int | None = None


class Change(msgspec.Struct, frozen=True):
    """A thing that is in one document only, or says something else: then the fields that do.

    `kind` is contract, period, terms, record, day, outage or exclusion; `id` names it among these.
    """

    kind: str
    id: str
    what: What
    fields: tuple[FieldChange, ...] = ()


class Side(msgspec.Struct, frozen=True):
    """One of two documents: as of when it was made, as which revision it was issued (0: it was not)."""

    as_of: int
    revision: int
    sha256: str = ""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The document of what differs."""

    version: int = 1
    kind: str = "sla-report-diff"
    contract: str
    period: str
    old: Side
    new: Side
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a document says: the fields of each thing, by kind and name."""

    code: str
    things: Mapping[Key, Mapping[str, Any]]


def changes_between(old: bytes, new: bytes) -> tuple[Change, ...]:
    """What the newer document says otherwise. Nothing differs that only one of two versions of the program tells."""
    before, after = _facts(msgspec.json.decode(old)), _facts(msgspec.json.decode(new))
    is_same_code = before.code == after.code
    found: list[Change] = []
    for key in {**before.things, **after.things}:
        was, becomes = before.things.get(key), after.things.get(key)
        if was is None:
            found.append(Change(*key, What.APPEARED, tuple(_told(becomes or {}, is_new=True))))
        elif becomes is None:
            found.append(Change(*key, What.VANISHED, tuple(_told(was, is_new=False))))
        elif fields := tuple(_changed(was, becomes, is_same_code=is_same_code)):
            found.append(Change(*key, What.CHANGED, fields))
    return tuple(sorted(found, key=lambda one: (_KINDS.index(one.kind), one.id)))


def difference(old: bytes, new: bytes, digests: tuple[str, str] = ("", "")) -> Difference:
    """The document of what differs between two reports."""
    sides = []
    for data, digest in zip((old, new), digests, strict=True):
        made = msgspec.json.decode(data)["made"]
        issue = made.get("issue")
        sides.append(Side(made["as_of"], issue["revision"] if issue else 0, digest))
    told = msgspec.json.decode(new)
    return Difference(
        contract=told["contract"]["id"],
        period=told["period"]["label"],
        old=sides[0],
        new=sides[1],
        changes=changes_between(old, new),
    )


def difference_bytes(found: Difference) -> bytes:
    """The document as JSON: compact, keys in the order of this module, one newline."""
    return msgspec.json.encode(found) + b"\n"


def _changed(
    was: Mapping[str, Any], becomes: Mapping[str, Any], *, is_same_code: bool
) -> Iterator[FieldChange]:
    for name in {**was, **becomes}:
        if not is_same_code and not (name in was and name in becomes):
            continue
        old, new = was.get(name), becomes.get(name)
        if old != new:
            yield FieldChange(name, old, new, _delta(old, new))


def _told(fields: Mapping[str, Any], *, is_new: bool) -> Iterator[FieldChange]:
    for name, value in fields.items():
        yield FieldChange(name, None, value) if is_new else FieldChange(name, value, None)


def _delta(old: Any, new: Any) -> int | None:
    are_numbers = all(isinstance(one, int) and not isinstance(one, bool) for one in (old, new))
    return new - old if are_numbers else None


def _facts(document: Mapping[str, Any]) -> _Facts:
    things: dict[Key, Mapping[str, Any]] = {}
    contract = document["contract"]
    told = {key: value for key, value in contract.items() if key != "terms"}
    things["contract", contract["id"]] = _fields(told)
    things["period", document["period"]["label"]] = _fields(document["period"])
    for terms in contract["terms"]:
        things["terms", str(terms["effective_from"])] = _fields(terms)
    courses = document["courses"]
    for record, course in zip(document["records"], courses, strict=True):
        name = f"{record['objective']} {record['period']['from']}"
        fields = _fields(record)
        if fields.get(_TIMERS):
            fields[_TIMERS] = [_timer(one) for one in fields[_TIMERS]]
        if course is not None:
            fields["counted"] = course["counted"]
            for day in course["days"]:
                things["day", f"{name} {day['day']}"] = _fields(day)
        things[_FIGURE, name] = fields
    for outage in document["outages"]:
        things["outage", outage["handle"] or f"{outage['check']} {outage['started_at']}"] = _fields(
            outage
        )
    for one in document["exclusions"]:
        things["exclusion", one["id"]] = _fields(one)
    return _Facts(document["made"]["code"], things)


def _timer(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a timer says, whenever it is asked: one that nobody has stopped goes on."""
    if told["stopped"] is not None:
        return told
    return {key: value for key, value in told.items() if key not in _GOING_ON}


def _fields(value: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The leaves of plain data by their path; lists are compared as a whole."""
    found: dict[str, Any] = {}
    for key, one in value.items():
        if key in _NOT_COMPARED:
            continue
        name = f"{path}{key}"
        if isinstance(one, dict) and one:
            found |= _fields(one, f"{name}.")
        else:
            found[name] = one
    return found
