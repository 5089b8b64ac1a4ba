"""What differs between two fleet files, in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from controller.core.fleet import Fleet
from vedette.shared.definitions import written_out
from vedette.shared.documents import path_text, shown_value, walk

_DETAILS_MAX: Final = 50
_UNSET: Final = "(unset)"
_NOUNS: Final = {
    "regions": "region",
    "services": "service",
    "checks": "check",
    "contracts": "contract",
    "exclusions": "exclusion",
    "notify": "channel",
}


class ChangeAction(StrEnum):
    """What happens to a thing."""

    ADD = "add"
    CHANGE = "change"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what happens to which thing, and what differs as `path: old -> new`."""

    action: ChangeAction
    noun: str
    id: str
    details: tuple[str, ...] = ()


def changes_between(old: Fleet | None, new: Fleet) -> list[Change]:
    """What differs, in the order of the new file; what is retired comes last in its section."""
    before, after = _things(old), _things(new)
    found: list[Change] = []
    for noun in {**after, **before}:
        was, becomes = before.get(noun, {}), after.get(noun, {})
        for key, value in becomes.items():
            if key not in was:
                found.append(Change(ChangeAction.ADD, noun, key))
            elif details := _details(was[key], value):
                found.append(Change(ChangeAction.CHANGE, noun, key, details))
        found += [Change(ChangeAction.RETIRE, noun, key) for key in was if key not in becomes]
    return found


def _things(fleet: Fleet | None) -> dict[str, dict[str, Any]]:
    """Everything in a fleet file by noun and id, as plain data.

    Checks are compared as they are judged, with their regions written out: a new region changes every
    check that is probed from everywhere.
    """
    if fleet is None:
        return {}
    things: dict[str, dict[str, Any]] = {}
    for section, items in fleet.document.data.items():
        if section == "version":
            continue
        noun = _NOUNS.get(section, section)
        if section == "checks":
            things[noun] = {key: written_out(one) for key, one in fleet.checks.items()}
        elif isinstance(items, list) and all(isinstance(i, dict) and "id" in i for i in items):
            things[noun] = dict(_identified(items))
        else:
            things[noun] = {section: items}
    return things


def _identified(items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Items by id. Of several with one id (a contract and its amendments) the later ones carry a number."""
    seen: dict[str, int] = {}
    for item in items:
        key = str(item["id"])
        seen[key] = seen.get(key, 0) + 1
        yield (key if seen[key] == 1 else f"{key} ({seen[key]})"), item


def _details(old: Any, new: Any) -> tuple[str, ...]:
    """What differs, a leaf at a time, cut to a readable number."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    found = [
        f"{path or 'value'}: {before.get(path, _UNSET)} -> {after.get(path, _UNSET)}"
        for path in {**after, **before}
        if before.get(path, _UNSET) != after.get(path, _UNSET)
    ]
    if len(found) > _DETAILS_MAX:
        return (*found[:_DETAILS_MAX], f"... and {len(found) - _DETAILS_MAX} more")
    return tuple(found)


def _leaves(data: Any) -> Iterator[tuple[str, str]]:
    """Every leaf of plain data by its path, as shown; an empty list or mapping is a leaf."""
    for path, value in walk(data):
        if not isinstance(value, dict | list) or not value:
            yield path_text(path), shown_value(value)
