"""What people say of outages: acknowledging, annotating, pausing. Only appended to, and in the ledger of acts."""

from collections.abc import Callable
from typing import Final

from controller.core.instants import instant_text
from controller.core.pauses import Mark, Spell, refusal
from controller.errors import BadInput, NotFound, Rejected
from controller.ports.custody import Actor
from controller.ports.remarks import Remark, RemarkKind, marks
from controller.ports.storage import Storage, Transaction
from controller.services.outages.outage_names import number_of
from controller.services.people.texts import text_of
from vedette.shared.limits import REMARK_CHARS_MAX, REMARKS_MAX

_ACTIONS: Final = {
    RemarkKind.ACK: "outage.ack",
    RemarkKind.ANNOTATION: "outage.annotate",
    RemarkKind.PAUSE: "outage.pause",
    RemarkKind.RESUME: "outage.resume",
}


class Remarks:
    """Takes them. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._now_us = now_us

    def ack(self, handle: str, note: str, by: Actor) -> Remark:
        """Say that somebody is on it; the first to say so counts. NotFound: no such outage."""
        return self._said(RemarkKind.ACK, handle, text_of(note), by)

    def annotate(self, handle: str, text: str, by: Actor) -> Remark:
        """Say something about an outage, for good."""
        said = text_of(text)
        if not said:
            raise BadInput(f"Expected a text of 1 to {REMARK_CHARS_MAX} characters, found none.")
        return self._said(RemarkKind.ANNOTATION, handle, said, by)

    def pause(self, handle: str, reason: str, from_us: int | None, by: Actor) -> Remark:
        """Have the clocks of an outage stand still from that instant on, or from now (S-47).

        Rejected: it is over, it is paused, or the instant cannot be.
        """
        said = text_of(reason)
        if not said:
            raise BadInput("Expected a reason for the pause: whoever doubts it will ask for one.")
        return self._said(RemarkKind.PAUSE, handle, said, by, from_us)

    def resume(self, handle: str, reason: str, from_us: int | None, by: Actor) -> Remark:
        """Have the clocks of an outage run again. Rejected: it is not paused, or the instant cannot be."""
        return self._said(RemarkKind.RESUME, handle, text_of(reason), by, from_us)

    def _said(
        self, kind: RemarkKind, handle: str, text: str, by: Actor, from_us: int | None = None
    ) -> Remark:
        number = number_of(handle)
        now_us = self._now_us()
        # That it holds from when it is said needs no second instant.
        from_us = None if from_us == now_us else from_us
        remark = Remark(number, kind, now_us, by.name, by.role, by.peer, text, from_us)
        with self._storage.transaction() as tx:
            # One that was retracted is known still, and what was found about it may be said.
            if tx.outage(number) is None and not tx.event_kinds(number):
                raise NotFound(f"There is no outage OUT-{number}, and there never was one.")
            if len(tx.remarks_of([number])) >= REMARKS_MAX:
                raise Rejected(
                    f"OUT-{number} has {REMARKS_MAX} remarks, which is the most: say the rest elsewhere."
                )
            if new := marks([remark]):
                _require_sense(tx, number, new[0])
            tx.put_remark(remark)
            since = "" if from_us is None else f"from {instant_text(from_us)}: "
            tx.record(by.act(now_us, _ACTIONS[kind], f"OUT-{number}", f"{since}{text}"))
        return remark


def _require_sense(tx: Transaction, number: int, new: Mark) -> None:
    """Rejected unless the clocks of the outage can stand still, or run again, from then on."""
    outage = tx.outage(number)
    if outage is None:
        raise Rejected(
            f"OUT-{number} was retracted: there was no such outage, so nothing is timed."
        )
    spell = Spell(outage.started_us, outage.ended_us)
    why = refusal(marks(tx.remarks_of([number])), new, spell)
    if why is not None:
        raise Rejected(f"OUT-{number} {why}.")
