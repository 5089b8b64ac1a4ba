"""What people say of outages: acknowledging and annotating. Only ever appended to, and in the ledger of acts."""

from collections.abc import Callable
from typing import Final

from controller.custody import Actor
from controller.errors import BadInput, NotFound, Rejected
from controller.ports import Storage
from controller.remarks import Remark, RemarkKind
from controller.services.outage_names import number_of
from vedette.shared.limits import REMARK_CHARS_MAX, REMARKS_MAX

_ACTIONS: Final = {RemarkKind.ACK: "outage.ack", RemarkKind.ANNOTATION: "outage.annotate"}


class Remarks:
    """Takes them. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._now_us = now_us

    def ack(self, handle: str, note: str, by: Actor) -> Remark:
        """Say that somebody is on it; the first to say so counts. NotFound: no such outage."""
        return self._said(RemarkKind.ACK, handle, _text(note), by)

    def annotate(self, handle: str, text: str, by: Actor) -> Remark:
        """Say something about an outage, for good."""
        said = _text(text)
        if not said:
            raise BadInput(f"Expected a text of 1 to {REMARK_CHARS_MAX} characters, found none.")
        return self._said(RemarkKind.ANNOTATION, handle, said, by)

    def _said(self, kind: RemarkKind, handle: str, text: str, by: Actor) -> Remark:
        number = number_of(handle)
        now_us = self._now_us()
        remark = Remark(number, kind, now_us, by.name, by.role, by.peer, text)
        with self._storage.transaction() as tx:
            # One that was retracted is known still, and what was found about it may be said.
            if tx.outage(number) is None and not tx.event_kinds(number):
                raise NotFound(f"There is no outage OUT-{number}, and there never was one.")
            if len(tx.remarks_of([number])) >= REMARKS_MAX:
                raise Rejected(
                    f"OUT-{number} has {REMARKS_MAX} remarks, which is the most: say the rest elsewhere."
                )
            tx.put_remark(remark)
            tx.record(by.act(now_us, _ACTIONS[kind], f"OUT-{number}", text))
        return remark


def _text(text: str) -> str:
    """The text without blanks around it. BadInput if it is too long, or holds what is not seen."""
    said = text.strip()
    if len(said) > REMARK_CHARS_MAX:
        raise BadInput(
            f"Expected at most {REMARK_CHARS_MAX} characters, found {len(said)}: what is longer belongs"
            " into a ticket, whose address fits."
        )
    unseen = next((c for c in said if not c.isprintable() and c != "\n"), None)
    if unseen is not None:
        raise BadInput(
            f"Expected printable characters, found {unseen!r} in the text: leave it out."
        )
    return said
