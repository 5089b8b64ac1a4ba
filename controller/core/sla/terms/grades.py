"""Grades of the contracts of a file, as it is written: which actions there are, and whom they name (S-52).

They are read from plain data, so that what is said of channels does not depend on whether a contract holds.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from controller.core.channels import one_of
from vedette.shared.documents import Document, Path, Problem

_SECTIONS: Final = ("contracts", "templates")


def actions_in(data: Mapping[str, Any]) -> frozenset[str]:
    """The actions of all grades."""
    return frozenset(
        grade["action"]
        for _, grade in _grades(data)
        if isinstance(grade, dict) and isinstance(grade.get("action"), str)
    )


def grade_problems(document: Document, channels: Collection[str]) -> list[Problem]:
    """Grades that name a channel that there is not."""
    found: list[Problem] = []
    for path, grade in _grades(document.data):
        named = grade.get("notify") if isinstance(grade, dict) else None
        places = (
            [((*path, "notify", n), one) for n, one in enumerate(named)]
            if isinstance(named, list)
            else [((*path, "notify"), named)]
        )
        found += [
            document.problem(place, one_of("channel", channels), repr(one))
            for place, one in places
            if isinstance(one, str) and one not in channels
        ]
    return found


def _grades(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every grade with its place."""
    for section in _SECTIONS:
        for index, item in enumerate(_list(data.get(section))):
            grades = item.get("grades") if isinstance(item, dict) else None
            for place, grade in enumerate(_list(grades)):
                yield (section, index, "grades", place), grade


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
