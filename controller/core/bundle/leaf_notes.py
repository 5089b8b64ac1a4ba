"""What the leaves in config/ say: kind, time, subject and data of each note that the log signed."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from controller.core.bundle.layout import Bundle, config_note
from controller.core.bundle.statements import Broken
from controller.core.instants import instant

_NAME: Final = re.compile(r"config/([0-9]+)\.note")
_TEXT: Final = re.compile(
    r'vedette\.([a-z]+)/v1\ntime ([0-9]{1,19})\nsubject (".*")\ndata (\{.*\})\n'
)


@dataclass(frozen=True, slots=True)
class LeafNote:
    """A leaf: its place in the log, what it is about, when it was entered, and what it says."""

    index: int
    kind: str
    at_us: int
    subject: str
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """Its file."""
        return config_note(self.index)

    @property
    def declared(self) -> dict[str, Any]:
        """The exclusion that this leaf declares. KeyError, TypeError or ValueError if it declares none.

        In leaves of before, `body` named every check that it covers; in `declared` a hash stands for each.
        """
        found: dict[str, Any] = json.loads(self.data.get("declared") or self.data["body"])
        return found


def leaf_notes(bundle: Bundle, *kinds: str) -> Iterator[LeafNote]:
    """The leaves of these kinds, in the order of the log. Broken if one cannot be read; claims of bundles are none."""
    numbers = (match[1] for name in bundle.names() if (match := _NAME.fullmatch(name)))
    for number in sorted(numbers, key=int):
        name = config_note(int(number))
        text = bundle.read(name).partition(b"\n\n")[0] + b"\n"
        if not any(text.startswith(f"vedette.{kind}/v1\ntime ".encode()) for kind in kinds):
            continue
        try:
            match = _TEXT.fullmatch(text.decode())
            if match is None:
                raise ValueError("expected a kind, a time, a subject and data")
            said = json.loads(match[4])
            yield LeafNote(
                int(number), match[1], instant(int(match[2])), json.loads(match[3]), said
            )
        except (ValueError, RecursionError) as error:
            raise Broken(f"{name}: {error}") from error
