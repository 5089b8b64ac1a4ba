"""What witnesses say: that they saw a head of the log, at a time, and that it began with all that they saw before.

A witness is run by somebody else than the log, and signs no head that contradicts one that it signed (C2SP
tlog-cosignature): a history that it has seen cannot be replaced by another one.
"""

from collections.abc import Iterator, Mapping

from controller.core.bundle.annex import Annex
from controller.core.bundle.layout import Bundle
from controller.core.bundle.statements import Broken, Statement, not_checked, passed
from controller.core.bundle.vantage import run_by
from controller.core.instants import instant_text
from vedette.shared.checkpoint import Checkpoint
from vedette.shared.note import BadNote, KeyKind, Verifier, cosigned_s, parsed_note

_SECOND_US = 1_000_000


def witnessed(
    bundle: Bundle, annex: Annex, known: Mapping[int, Checkpoint], log: Verifier
) -> Iterator[Statement]:
    """What each witness of the annex saw, and whose words cannot be checked. Broken if a signature does not verify."""
    trusted = [Verifier(n, key, KeyKind.COSIGNATURE) for n, key in sorted(annex.witnesses.items())]
    own = {(one.name, one.key_id) for one in (log, *trusted)}
    seen: dict[str, dict[int, int]] = {}
    strangers: set[str] = set()
    for size in sorted(known):
        name = f"checkpoints/{size}"
        note = parsed_note(bundle.read(name))
        for witness in trusted:
            try:
                at_s = cosigned_s(note, witness)
            except BadNote as error:
                raise Broken(f"{name}: {error}") from error
            if at_s is not None:
                seen.setdefault(witness.name, {})[size] = at_s
        strangers |= {s.name for s in note.signatures if (s.name, s.key_id) not in own}
    for who in sorted(annex.witnesses):
        said = f"{who}{_run_by(annex, who)}"
        yield passed(_told(said, seen[who])) if who in seen else not_checked(_untold(who))
    for who in sorted(strangers):
        yield not_checked(
            f"{who} signed heads of the log, too; the annex has no such key of a witness."
        )


def _told(who: str, heads: Mapping[int, int]) -> str:
    """The smallest head shows how early it saw that, the largest how much it saw."""
    first, last = min(heads), max(heads)
    said = f"Witness {who} saw the first {last} leaves at {_instant(heads[last])}"
    if first == last:
        return f"{said}."
    return f"{said}, and the first {first} of them at {_instant(heads[first])}."


def _run_by(annex: Annex, who: str) -> str:
    """Words on who runs a witness that is an agent; empty where the annex does not say."""
    agent = who.removeprefix(f"{annex.organisation}/witness/")
    said = run_by(annex, agent)
    return f"{said}," if said else ""


def _untold(who: str) -> str:
    return (
        f"Witness {who} of the annex signed no head of the log in this bundle: ask it which ones it saw, and whoever"
        " gave you this why there is none of them."
    )


def _instant(at_s: int) -> str:
    return instant_text(at_s * _SECOND_US)
