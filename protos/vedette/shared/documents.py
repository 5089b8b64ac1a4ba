"""YAML documents that people write: read with line numbers, and refused with all their problems at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
import yaml

from vedette.shared.durations import EXPECTED as DURATION_EXPECTED
from vedette.shared.durations import PATTERN as DURATION_PATTERN
from vedette.shared.identity import (
    ID_EXPECTED,
    ID_PATTERN,
    LABEL_VALUE_EXPECTED,
    LABEL_VALUE_PATTERN,
)
from vedette.shared.limits import FLEET_BYTES_MAX, PROBLEMS_SHOWN_MAX
from vedette.shared.yaml_nodes import DEPTH_MAX, TooDeepError, composed, scalar

T = TypeVar("T")
Path = tuple[str | int, ...]

# A value takes at least a byte of text; only aliases can make more values than bytes, and only a few may.
_ALIASED_VALUES_MAX: Final = 100_000
_EXPECTED_GOT: Final = re.compile(r"Expected (.*?)(?:, got (.*?))?(?: - at `([^`]*)`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(
    r"Object contains unknown field `(.*?)`(?: - at `([^`]*)`)?", re.DOTALL
)
_MISSING: Final = re.compile(
    r"Object missing required field `(.*?)`(?: - at `([^`]*)`)?", re.DOTALL
)
_ENUM: Final = re.compile(r"Invalid enum value (.*?)(?: - at `([^`]*)`)?", re.DOTALL)
_TAG: Final = re.compile(r"Invalid value (.*?)(?: - at `([^`]*)`)?", re.DOTALL)
_AT: Final = re.compile(r"(.*?)(?: - at `([^`]*)`)?", re.DOTALL)
_ONE_OF: Final = "one of"
_REGEX: Final = "matching regex"
_TEXT: Final = "text"
_BOUND: Final = re.compile(r"[<>]=? -?[0-9]")
# What a schema bounds: the keys of the bounds, and how they are said.
_BOUNDS: Final = {
    "integer": ("minimum", "maximum", "a whole number", ""),
    "number": ("minimum", "maximum", "a number", ""),
    "string": ("minLength", "maxLength", "text of", " characters"),
    "array": ("minItems", "maxItems", "a list of", " items"),
    "object": ("minProperties", "maxProperties", "a mapping of", " keys"),
}
_PATTERNS: Final = {
    ID_PATTERN: ID_EXPECTED,
    DURATION_PATTERN: DURATION_EXPECTED,
    LABEL_VALUE_PATTERN: LABEL_VALUE_EXPECTED,
}
_TYPES: Final = {
    "str": "text", "int": "a whole number", "bool": "true or false", "float": "a number",
    "object": "a mapping", "array": "a list",
}  # fmt: skip
_ANY_KEY: Final = "[...]"
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a document: where, what was expected, what was found."""

    file: str
    line: int
    path: str
    expected: str
    found: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: "
        path = f"{self.path}: " if self.path else ""
        return f"{place}{path}expected {self.expected}, found {self.found}"


class BadDocument(ValueError):
    """A document that is refused whole, with everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (dicts, lists, text, numbers, bools, None) and the line at which each part stands."""

    file: str
    data: Any
    lines: Mapping[Path, int]

    def problem(self, path: Path, expected: str, found: object) -> Problem:
        """A problem at `path`, with the line of it or of the nearest thing that contains it."""
        near = path
        while near and near not in self.lines:
            near = near[:-1]
        shown = found if isinstance(found, str) else shown_value(found)
        return Problem(self.file, self.lines.get(near, 0), path_text(path), expected, shown)


def shown_value(value: object) -> str:
    """`value` as a person would recognise it in a message, cut to a readable length."""
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def path_text(path: Path) -> str:
    """`path` as `checks[0].http.url`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text.removeprefix("."))


def parse(text: bytes, file: str) -> Document:
    """The document in `text`. BadDocument if it is not YAML, too large, or has a key twice."""
    if len(text) > FLEET_BYTES_MAX:
        raise BadDocument(
            [Problem(file, 0, "", f"at most {FLEET_BYTES_MAX} bytes", str(len(text)))]
        )
    try:
        root = composed(text.decode("utf-8-sig"))
    except TooDeepError as error:
        deep = f"values nested at most {DEPTH_MAX} deep"
        raise BadDocument([Problem(file, error.line, "", deep, "more")]) from error
    except UnicodeDecodeError as error:
        raise BadDocument([Problem(file, 0, "", "UTF-8", f"byte {error.start} is not")]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise BadDocument(
            [Problem(file, line, "", "valid YAML", f"a syntax error ({error.problem})")]
        ) from error
    except yaml.YAMLError as error:
        raise BadDocument(
            [Problem(file, 0, "", "valid YAML", f"a syntax error ({str(error).splitlines()[0]})")]
        ) from error
    if root is None:
        raise BadDocument([Problem(file, 0, "", "a document", "an empty file")])
    reader = _Reader(file, len(text) + _ALIASED_VALUES_MAX)
    data = reader.value(root, ())
    if reader.problems:
        raise BadDocument(sorted(reader.problems)[:PROBLEMS_SHOWN_MAX])
    return Document(file, data, reader.lines)


class _Reader:
    """Turns YAML nodes into plain data, remembering lines and problems."""

    def __init__(self, file: str, values_max: int) -> None:
        self.file = file
        self.values_max = values_max
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []
        self._nodes = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._nodes += 1
        if self._nodes > self.values_max or len(path) > DEPTH_MAX:
            raise BadDocument([
                Problem(self.file, node.start_mark.line + 1, path_text(path),
                        f"at most {self.values_max} values nested at most {DEPTH_MAX} deep", "more")
            ])  # fmt: skip
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        return scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(line, path, "a plain key", "a mapping or list as key")
                continue
            key = str(key_node.value)
            if key == "<<" and not key_node.style:
                parts = (
                    value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                )
                for part in parts:
                    inner = self.value(part, path)
                    merged |= (
                        {k: v for k, v in inner.items() if k not in merged}
                        if isinstance(inner, dict)
                        else {}
                    )
                continue
            if key in own:
                self._problem(line, (*path, key), "each key once", "it twice")
                continue
            self.lines[*path, key] = line
            own[key] = self.value(value_node, (*path, key))
        return {**merged, **own}

    def _problem(self, line: int, path: Path, expected: str, found: str) -> None:
        self.problems.append(Problem(self.file, line, path_text(path), expected, found))


def convert(
    document: Document, path: Path, data: Any, kind: type[T]
) -> tuple[T | None, list[Problem]]:
    """`data`, which stands at `path` of `document`, as a `kind`; or everything that is wrong with it."""
    value, problems, _ = converted(document, path, data, kind)
    return (None if problems else value), problems


def converted(
    document: Document, path: Path, data: Any, kind: type[T]
) -> tuple[T | None, list[Problem], set[Path]]:
    """What of `data` can be read as a `kind`, everything that is wrong with it, and what was left out.

    msgspec stops at the first error. So the part that it names is taken out and the rest tried again,
    until nothing is wrong: this gives all problems of a part at once, and what remains can be examined
    further. The value is None where too little remains.
    """
    problems: list[Problem] = []
    removed: set[Path] = set()
    candidate = _copy(data)
    for _ in range(PROBLEMS_SHOWN_MAX):
        try:
            return msgspec.convert(candidate, kind, strict=True), problems, removed
        except msgspec.ValidationError as error:
            where, expected, found = _explained(str(error))
            steps = _located(where)
            is_any = _ANY_KEY in where
            parts = _schema_at(kind, (*steps, _ANY_KEY) if is_any else steps, candidate)
            if expected == _ONE_OF:
                expected = _words_at(parts)
            elif _REGEX in expected or expected == _TEXT:
                expected = _meaning_at(parts) or expected
            elif _BOUND.search(expected):
                expected = _bounds_at(parts) or expected
            if is_any:
                expected = f"each value to be {expected}"
            if steps not in removed:
                problems.append(
                    document.problem(
                        (*path, *steps), expected, found or shown_value(_get(data, steps))
                    )
                )
            if not _remove(candidate, steps):
                break
            removed.add(steps)
    return None, problems, removed


def _explained(message: str) -> tuple[str, str, str]:
    """(path, expected, found) of a msgspec message; found is empty where the value itself says it best."""
    if match := _UNKNOWN.fullmatch(message):
        return f"{match[2] or '$'}.{match[1]}", "no such key", f"{match[1]!r}"
    if match := _MISSING.fullmatch(message):
        return f"{match[2] or '$'}.{match[1]}", "a value", "nothing"
    if match := _ENUM.fullmatch(message) or _TAG.fullmatch(message):
        return match[2] or "$", _ONE_OF, match[1]
    if match := _EXPECTED_GOT.fullmatch(message):
        return match[3] or "$", _in_words(match[1]), ""
    match = _AT.fullmatch(message)
    assert match is not None
    return match[2] or "$", match[1].removeprefix("expected ").split(", found ")[0], ""


def _in_words(expected: str) -> str:
    """What msgspec expected, for people: a pattern is replaced by its meaning."""
    for pattern, words in _PATTERNS.items():
        if repr(pattern) in expected:
            return words
    plain = expected.replace("`", "")
    kinds = [_TYPES.get(kind, kind) for kind in plain.split(" | ") if kind != "null"]
    return " or ".join(kinds)


def _words_at(parts: Sequence[Mapping[str, Any]]) -> str:
    """The words that one of `parts` of a schema allows."""
    words = list(dict.fromkeys(str(word) for part in parts for word in part.get("enum", ())))
    kinds = [_TYPES[part["type"]] for part in parts if part.get("type") in ("object", "array")]
    if kinds:
        return ", ".join(words) + f" or {kinds[0]}"
    return "one of " + ", ".join(words or ["the listed words"])


def _meaning_at(parts: Sequence[Mapping[str, Any]]) -> str | None:
    """What one of `parts` of a schema says of its text, which a pattern would not tell a person."""
    found = (part["description"] for part in parts if "description" in part)
    return next(map(str, found), None)


def _bounds_at(parts: Sequence[Mapping[str, Any]]) -> str | None:
    """The bounds that `parts` of a schema set, in words; None if they are of another sort."""
    for option in parts:
        low_key, high_key, what, unit = _BOUNDS.get(str(option.get("type")), ("", "", "", ""))
        low, high = option.get(low_key), option.get(high_key)
        among = "" if unit else "from "
        if low is not None and high is not None:
            return f"{what} {among}{low} to {high}{unit}"
        if low is not None:
            return f"{what} at least {low}{unit}"
        if high is not None:
            return f"{what} at most {high}{unit}"
    return None


def _schema_at(kind: type, steps: Path, data: Any) -> list[Mapping[str, Any]]:
    """The parts of the schema of `kind` that may stand at `steps`, where `data` is what is written.

    Of kinds that a word in them tells apart it is the one that the data names, if it names one.
    """
    schema = msgspec.json.schema(kind)
    parts = _options(schema, schema, data)
    for step in steps:
        data = _get(data, (step,))
        inner = (_inner(part, step) for part in parts)
        parts = [option for one in inner if one for option in _options(one, schema, data)]
    return parts


def _inner(part: Mapping[str, Any], step: str | int) -> Any:
    """What a part of a schema says of an item, of the values of a mapping, or of one of its keys."""
    if isinstance(step, int):
        return part.get("items")
    if step == _ANY_KEY:
        return part.get("additionalProperties")
    return part.get("properties", {}).get(step)


def _options(
    part: Mapping[str, Any], schema: Mapping[str, Any], data: Any
) -> list[Mapping[str, Any]]:
    """What a part of a schema stands for, references followed."""
    said = {key: value for key, value in part.items() if key not in {"$ref", "anyOf"}}
    if "$ref" in part:
        named = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]
        return _options({**named, **said}, schema, data)
    if "anyOf" not in part:
        return [part]
    told = part.get("discriminator", {})
    kinds: Mapping[str, str] = told.get("mapping", {})
    name = data.get(told.get("propertyName")) if isinstance(data, dict) else None
    options = [{"$ref": kinds[name]}] if isinstance(name, str) and name in kinds else part["anyOf"]
    return [found for one in options for found in _options({**said, **one}, schema, data)]


def _located(where: str) -> Path:
    """The path that msgspec's `$.a[0].b` names; `[...]` (any key of a mapping) is left to the mapping."""
    steps: list[str | int] = []
    for key, index in _STEP.findall(where):
        if index == "...":
            break
        steps.append(int(index) if index else key)
    return tuple(steps)


def _get(data: Any, path: Path) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _remove(data: Any, path: Path) -> bool:
    """Take out what stands at `path`, or a whole list if it is an item; False if it cannot be."""
    holder = _get(data, path[:-1]) if path else None
    if isinstance(holder, dict) and path[-1] in holder:
        del holder[path[-1]]
        return True
    if isinstance(holder, list) and isinstance(path[-1], int) and path[-1] < len(holder):
        del holder[path[-1]]
        return True
    return False


def _copy(data: Any) -> Any:
    if isinstance(data, dict):
        return {k: _copy(v) for k, v in data.items()}
    return [_copy(v) for v in data] if isinstance(data, list) else data


def walk(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every part of plain data with its path, containers before what they contain."""
    yield path, data
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, value in items:
        yield from walk(value, (*path, key))
