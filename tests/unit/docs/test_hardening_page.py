"""docs/hardening.md names tests: every one of them exists, with the case that it names."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "hardening.md").read_text()
NAMED: Final = re.compile(r"`([\w/]+\.py)::(test_\w+)(?:\[([^\]]+)\])?`")
REFERENCES: Final = sorted({match.groups() for match in NAMED.finditer(PAGE)}, key=str)


@pytest.mark.parametrize(("file", "test", "case"), REFERENCES)
def test_the_test_exists(file: str, test: str, case: str | None) -> None:
    path = ROOT / file if "/" in file else ROOT / "tests" / "unit" / "probers" / file
    text = path.read_text()
    assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), "there is no such test"
    if case is not None:
        before = text[: text.index(f"def {test}(")].rpartition("\n\n\n")[2]
        assert f'id="{case}"' in before, "the test has no such case"


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    told = [line for line in rows if not line.startswith(("| case", "| ---"))]
    assert len(told) > 50
    assert [line for line in told if not NAMED.search(line)] == []
