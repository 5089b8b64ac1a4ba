"""Documents of OpenSLO v1: read with line numbers, and refused where they are none."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from typing import Any, Final

from controller.errors import BadInput
from vedette.shared.documents import BadDocument, Document, Path, Problem, parse, path_text
from vedette.shared.limits import FLEET_BYTES_MAX, PROBLEMS_SHOWN_MAX

API: Final = "openslo/v1"
KINDS: Final = (
    "SLO", "SLI", "Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget", "DataSource",
)  # fmt: skip
METHODS: Final = ("Occurrences", "Timeslices", "RatioTimeslices")
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9./|\\]{0,253}[a-z0-9])?")
_MARK: Final = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
_DOCUMENTS_MAX: Final = 2000


@dataclass(frozen=True, slots=True)
class Note:
    """Something that has no equal on the other side: where it stands, and what becomes of it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Thing:
    """One document: what of which name, and its parts with their lines."""

    document: Document

    @property
    def kind(self) -> str:
        """SLO, SLI, Service and so on."""
        return str(self.document.data["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.document.data["metadata"]["name"])

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Name, title, labels and annotations."""
        found: Mapping[str, Any] = self.document.data["metadata"]
        return found

    @property
    def spec(self) -> Mapping[str, Any]:
        """What it says."""
        found: Mapping[str, Any] = self.document.data.get("spec") or {}
        return found

    @property
    def annotations(self) -> Mapping[str, Any]:
        """What programs wrote beside it."""
        found = self.metadata.get("annotations")
        return found if isinstance(found, dict) else {}

    def note(self, path: Path, what: str) -> Note:
        """What becomes of a part of it."""
        place = self.document.problem(path, "", "")
        return Note(f"{place.file}:{place.line}: {self.kind} {self.name} {path_text(path)}", what)


def read_things(text: bytes, file: str) -> list[Thing]:
    """The documents of a file. BadInput with everything that is wrong with them."""
    things: list[Thing] = []
    problems: list[Problem] = []
    for part in _parts(text, file):
        try:
            document = parse(part, file)
        except BadDocument as error:
            problems += error.problems
            continue
        wrong = list(_problems(document))
        problems += wrong
        if not wrong:
            things.append(Thing(document))
    if problems:
        raise BadInput("\n".join(str(one) for one in sorted(problems)[:PROBLEMS_SHOWN_MAX]))
    if not things:
        raise BadInput(f"Expected documents of {API} in {file}, found none.")
    return things


def number(value: object) -> Fraction | None:
    """The exact number that was written, or None. A plain YAML number is taken as it reads shortest."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(value if isinstance(value, str) else repr(value))
    except InvalidOperation:
        return None
    return Fraction(found) if found.is_finite() and abs(found.adjusted()) < 20 else None


def decimal_text(value: Fraction) -> str:
    """A number in full, which has so few digits that it ends."""
    with localcontext(Context(prec=60)):
        return format((Decimal(value.numerator) / Decimal(value.denominator)).normalize(), "f")


def _parts(text: bytes, file: str) -> Iterator[bytes]:
    """The text of each document, with empty lines before it, so that its lines keep their numbers."""
    if len(text) > FLEET_BYTES_MAX:
        raise BadInput(f"Expected at most {FLEET_BYTES_MAX} bytes, found {len(text)} in {file}.")
    try:
        whole = text.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"Expected UTF-8 in {file}, found byte {error.start} that is not."
        ) from error
    marks = [match.end() for match in _MARK.finditer(whole)]
    if len(marks) > _DOCUMENTS_MAX:
        raise BadInput(
            f"Expected at most {_DOCUMENTS_MAX} documents, found {len(marks)} in {file}."
        )
    starts = [0, *marks]
    ends = [*(match.start() for match in _MARK.finditer(whole)), len(whole)]
    for start, end in zip(starts, ends, strict=True):
        body = whole[start:end]
        if re.sub(r"^\s*#.*$", "", body, flags=re.MULTILINE).strip():
            yield ("\n" * whole.count("\n", 0, start) + body).encode()


def _problems(document: Document) -> Iterator[Problem]:
    """What makes it no document of OpenSLO v1."""
    data = document.data
    if not isinstance(data, dict):
        yield document.problem(
            (), f"a mapping with apiVersion {API}, kind, metadata and spec", data
        )
        return
    if data.get("apiVersion") != API:
        yield document.problem(("apiVersion",), API, data.get("apiVersion"))
    if data.get("kind") not in KINDS:
        yield document.problem(("kind",), f"one of {', '.join(KINDS)}", data.get("kind"))
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        expected = "a name of lower-case letters, digits and '-'"
        yield document.problem(("metadata", "name"), expected, name)
    spec = data.get("spec")
    if not isinstance(spec, dict) and not (spec is None and data.get("kind") == "Service"):
        yield document.problem(("spec",), "a mapping", spec)
    elif data.get("kind") == "SLO":
        yield from _slo_problems(document, spec or {})


def _slo_problems(document: Document, spec: Mapping[str, Any]) -> Iterator[Problem]:
    if ("indicator" in spec) == ("indicatorRef" in spec):
        found = "both" if "indicator" in spec else "neither"
        yield document.problem(("spec",), "indicator or indicatorRef", found)
    if spec.get("budgetingMethod") not in METHODS:
        expected = f"one of {', '.join(METHODS)}"
        yield document.problem(("spec", "budgetingMethod"), expected, spec.get("budgetingMethod"))
    windows = spec.get("timeWindow", [])
    if not isinstance(windows, list) or len(windows) > 1:
        yield document.problem(("spec", "timeWindow"), "a list of one window", windows)
    objectives = spec.get("objectives")
    if not isinstance(objectives, list) or not objectives:
        yield document.problem(("spec", "objectives"), "a list of objectives", objectives)
        return
    for place, one in enumerate(objectives):
        path: Path = ("spec", "objectives", place)
        if not isinstance(one, dict) or ("target" in one) == ("targetPercent" in one):
            yield document.problem(path, "a mapping with target or targetPercent", one)
            continue
        key, most = ("target", 1) if "target" in one else ("targetPercent", 100)
        value = number(one[key])
        if value is None or not 0 <= value <= most:
            yield document.problem((*path, key), f"a number from 0 to {most}", one[key])
