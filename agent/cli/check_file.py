"""One check from a file, for one-shot probes: as in a fleet file, with fewer things to say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from agent.errors import BadInput
from vedette.shared.definitions import KINDS, Check, findings
from vedette.shared.documents import BadDocument, converted, parse
from vedette.shared.expectations import problems_of_texts
from vedette.shared.limits import PROBLEMS_SHOWN_MAX
from vedette.shared.probes import Finding
from vedette.shared.remains import sayable

_DEFAULTS: Final = {"id": "probe", "service": "local"}


def read_check(path: Path) -> Check:
    """The check in the file at `path`; `id`, `service` and `regions` may be left out.

    BadInput, with all problems, if there is none: each names file, line, path, expected and found.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        return _check(text, str(path))
    except BadDocument as error:
        raise BadInput(str(error)) from error


def _check(text: bytes, file: str) -> Check:
    document = parse(text, file)
    data: Any = document.data
    if not isinstance(data, dict):
        expected = f"one check: a mapping with one of {', '.join(KINDS)}"
        raise BadDocument([document.problem((), expected, data)])
    if isinstance(data.get("checks"), list):
        expected = f"one check: what stands under `checks:` in a fleet file, with one of {', '.join(KINDS)}"
        raise BadDocument([document.problem(("checks",), expected, "a whole fleet file")])
    check, problems, left_out = converted(document, (), {**_DEFAULTS, **data}, Check)
    if check is not None:
        found = findings(check, is_new=True)
        problems += [document.problem(*finding) for finding in sayable(found, left_out)]
    problems += [document.problem(*finding) for finding in _expecting(data)]
    if check is None or problems:
        raise BadDocument(sorted(problems)[:PROBLEMS_SHOWN_MAX])
    return check


def _expecting(data: dict[str, Any]) -> Iterator[Finding]:
    """What is wrong with the expectations that are texts, whatever is wrong beside them."""
    for kind in KINDS:
        probe = data.get(kind)
        texts = probe.get("expect") if isinstance(probe, dict) else None
        if isinstance(texts, list):
            yield from problems_of_texts(kind, texts)
