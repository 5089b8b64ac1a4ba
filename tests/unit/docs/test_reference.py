"""The reference parts of docs/ are what the code says, and say something about everything in it."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from tests.documentation import EXAMPLES
from vedette.shared.definitions import Check
from vedette.shared.documents import convert, parse
from vedette.shared.failure import Failure
from vedette.shared.probes import PROBES

DOCS = Path(__file__).parents[3] / "docs"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_up_to_date() -> None:
    stale = [path.name for path, text in generator().fresh().items() if path.read_text() != text]
    assert not stale, "run: make docs"


def test_every_key_and_variable_has_words() -> None:
    page = (DOCS / "checks.md").read_text()
    defined = msgspec.json.schema(Check)["$defs"]
    for name, part in defined.items():
        for key in part.get("properties", ()):
            assert f"| `{key}` |" in page, f"{name}.{key}"
    for kind, probe in PROBES.items():
        for variable in probe.variables:
            assert f"| {variable} |" in page, f"{kind} {variable}"
    assert "| `` |" not in page


def test_every_kind_of_failure_has_its_line() -> None:
    page = (DOCS / "failures.md").read_text()
    for kind in Failure:
        (line,) = re.findall(rf"^\| `{kind}` \| .*$", page, re.MULTILINE)
        assert ("| the agent |" in line) is kind.is_agent_fault
        assert kind.meaning in line


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_published_schema_knows_every_key_of_every_example(name: str) -> None:
    schema = json.loads((DOCS / "check.schema.json").read_text())
    unknown = []

    def walk(data: object, part: dict[str, object], path: str) -> None:
        part = resolved(part, schema)
        properties = part.get("properties")
        if isinstance(data, dict) and isinstance(properties, dict):
            for key, value in data.items():
                if key not in properties:
                    unknown.append(f"{path}.{key}")
                else:
                    walk(value, properties[key], f"{path}.{key}")

    walk(EXAMPLES[name], schema, "")
    assert not unknown


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_a_check(name: str) -> None:
    text = json.dumps({"id": "c", "service": "s", **EXAMPLES[name]}).encode()
    document = parse(text, name)
    check, problems = convert(document, (), document.data, Check)
    assert check is not None, problems


def test_every_kind_of_probe_has_an_example() -> None:
    assert {kind for example in EXAMPLES.values() for kind in PROBES if kind in example} == set(
        PROBES
    )


def resolved(part: dict[str, object], schema: dict[str, dict[str, object]]) -> dict[str, object]:
    options = part.get("anyOf", [part])
    assert isinstance(options, list)
    for option in options:
        if "$ref" in option:
            found = schema["$defs"][option["$ref"].rpartition("/")[2]]
            assert isinstance(found, dict)
            return found
    return part
