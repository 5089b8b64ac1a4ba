"""The examples of docs/checks.md: every YAML block that holds a check, by the line that introduces it."""

import re
from pathlib import Path
from typing import Any, Final

import yaml

PAGE: Final = Path(__file__).parents[1] / "docs" / "checks.md"
_BLOCK: Final = re.compile(r"([^\n]+)\n```yaml\n(.*?)```", re.DOTALL)

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    words: yaml.safe_load(text) for words, text in _BLOCK.findall(PAGE.read_text())
}
