"""Sections of a fleet file: lists of things with ids, read as far as they can be, with all that is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from vedette.shared.documents import Document, Path, Problem, converted
from vedette.shared.limits import CHECKS_MAX
from vedette.shared.probes import Finding
from vedette.shared.remains import sayable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """A thing of a section: where it stands, what of it could be read, and the paths of what could not."""

    index: int
    value: T
    left_out: frozenset[Path]


def told(
    document: Document, path: Path, found: Iterable[Finding], left_out: frozenset[Path]
) -> list[Problem]:
    """Findings as problems, but for those that only say that a refused part is missing."""
    return [
        document.problem((*path, *where), expected, seen)
        for where, expected, seen in sayable(found, left_out)
    ]


def by_id(
    document: Document, section: str, kind: type[T], problems: list[Problem]
) -> dict[str, Item[T]]:
    """The things of a section by id; what is wrong with them goes to `problems`."""
    items = document.data.get(section, [])
    if not isinstance(items, list) or len(items) > CHECKS_MAX:
        problems.append(
            document.problem((section,), f"a list of at most {CHECKS_MAX} {section}", items)
        )
        return {}
    found: dict[str, Item[T]] = {}
    for index, item in enumerate(items):
        value, wrong, removed = converted(document, (section, index), item, kind)
        problems += wrong
        if value is None:
            continue
        key: str = getattr(value, "id")  # noqa: B009 - every kind has one; T need not know
        if key in found:
            problems.append(
                document.problem((section, index, "id"), "an id of its own", f"{key!r} again")
            )
        else:
            found[key] = Item(index, value, frozenset(removed))
    return found
