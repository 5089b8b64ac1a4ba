"""Nodes of a YAML document, and the scalars in them.

Scalars follow the YAML 1.2 core schema (`on`, `yes` and dates are text), because the YAML 1.1 that PyYAML
speaks by default would turn the key `on` into `true`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

DEPTH_MAX: Final = 100
_INT: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: Final[Mapping[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


class TooDeepError(ValueError):
    """A document is nested more than DEPTH_MAX deep; `line` is where that was noticed."""

    def __init__(self, line: int) -> None:
        super().__init__(f"nested more than {DEPTH_MAX} deep")
        self.line = line


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen at run time
    """Composes nodes to a bounded depth: PyYAML's own recursion, in C, would end the process."""

    _depth = 0

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        """Called by the composer for every node, before what it contains."""
        self._depth += 1
        if parent is not None and self._depth > DEPTH_MAX + 1:
            raise TooDeepError(parent.start_mark.line + 1)
        super().descend_resolver(parent, index)

    def ascend_resolver(self) -> None:
        """Called by the composer when a node is done."""
        self._depth -= 1
        super().ascend_resolver()


def composed(text: str) -> yaml.Node | None:
    """The document in `text`, or None if there is none. yaml.YAMLError or TooDeepError."""
    root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    return root


def scalar(node: yaml.Node) -> str | int | float | bool | None:
    """Quoted and block scalars are text; plain ones are what the core schema makes of them."""
    text = str(node.value)
    return text if getattr(node, "style", None) else _plain(text)


def _plain(text: str) -> str | int | float | bool | None:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) < 20 else text
    return float(text) if _FLOAT.fullmatch(text) else text
