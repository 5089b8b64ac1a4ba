"""What reports say, looked up by key in the reader's language.

A text is a string with `{names}`, or one for each form of the plural, by the number that is called `n`.
Numbers, instants and units come in the same form in every language: 99.900, 2026-03-05 14:01:00, 30m 20s.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from controller.errors import NotFound
from controller.reporting.texts import en

Text = str | tuple[str, ...]
"""What is said; several for the forms of the plural."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of a language. `plural` gives the place of the form for a number."""

    language: str
    texts: Mapping[str, Text]
    plural: Callable[[int], int]

    def say(self, key: str, **values: object) -> str:
        """The text of that key. KeyError: there is none, which is a fault of ours."""
        text = self.texts[key]
        if isinstance(text, tuple):
            number = values["n"]
            assert isinstance(number, int), "forms of the plural go by a whole number"
            text = text[self.plural(number)]
        return text.format(**values)

    def word(self, kind: str, name: str) -> str:
        """The word for a name of a closed set; the name itself where this version does not know it."""
        text = self.texts.get(f"{kind}.{name}")
        return text if isinstance(text, str) else name.replace("_", " ")


def _one_or_many(number: int) -> int:
    return 0 if number == 1 else 1


ENGLISH: Final = Catalogue("en", en.TEXTS, _one_or_many)
CATALOGUES: Final[Mapping[str, Catalogue]] = {one.language: one for one in (ENGLISH,)}


def catalogue(language: str) -> Catalogue:
    """The texts of a language. NotFound if there are none."""
    found = CATALOGUES.get(language)
    if found is None:
        known = ", ".join(CATALOGUES)
        raise NotFound(
            f"Expected a language that reports are written in ({known}), found {language!r}."
        )
    return found
