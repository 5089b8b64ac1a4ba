"""English: what follows from several periods of a contract."""

from collections.abc import Mapping
from typing import Final

RIGHTS: Final[Mapping[str, str | tuple[str, ...]]] = {
    "part.rights": "Over several periods",
    "rights.arose": "{objective}: the right to terminate arose at {at}.",
    "rights.not_arisen": (
        "{objective}: no right to terminate. {count} of {n} period running is below {below}.",
        "{objective}: no right to terminate. {count} of {n} periods running are below {below}.",
    ),
    "caption.chain": "{objective}: the periods of the chain",
    "head.period": "Period",
    "chain.below": "below {below}",
    "chain.not_below": "not below {below}",
    "chain.not_judged": "not judged, which breaks the chain",
    "earn_back.open": "{objective}: {taken} of what was at risk was taken in {label}, and may be earned back.",
    "earn_back.earned_back": "{objective}: {taken} of what was at risk was taken in {label}, and is earned back.",
    "earn_back.lost": "{objective}: {taken} of what was at risk was taken in {label}, and is lost for good.",
}
