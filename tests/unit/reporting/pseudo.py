"""A language that nobody speaks: English with accents, so that a text that is written elsewhere stands out."""

import re

from controller.reporting.catalogue import Catalogue, Text
from controller.reporting.texts.en import TEXTS

PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACCENTED = "áɓćďéƒǵĥíĵķĺḿńóṕɋŕśťúṽẃẋýźÁƁĆĎÉƑǴĤÍĴĶĹḾŃÓṔɊŔŚŤÚṼẂẊÝŹ"
_LETTERS = str.maketrans(PLAIN, ACCENTED)
_PLACE = re.compile(r"(\{[^}]*\})")


def accented(text: str) -> str:
    """The text in that language; what stands in braces stays."""
    return "".join(
        part if part.startswith("{") else part.translate(_LETTERS) for part in _PLACE.split(text)
    )


def _text(text: Text) -> Text:
    return accented(text) if isinstance(text, str) else tuple(accented(one) for one in text)


PSEUDO = Catalogue("qps", {key: _text(text) for key, text in TEXTS.items()}, lambda n: int(n != 1))
