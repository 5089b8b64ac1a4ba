"""Counter-evidence: what the other side says against an outage or a period. Kept for good; it changes no figure."""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final

from controller.errors import BadInput, Rejected
from controller.ports.counters import Counter
from controller.ports.custody import Actor
from controller.ports.storage import Storage, Transaction
from controller.services.contracts.terms import Terms
from controller.services.evidence.disputed import Asked, meant
from controller.services.people.texts import text_of
from vedette.shared.limits import COUNTER_BYTES_MAX, COUNTER_FILE_BYTES_MAX, COUNTERS_MAX

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NAME_CHARS_MAX: Final = 255


class Counters:
    """Takes and lists it. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, terms: Terms, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._terms = terms
        self._now_us = now_us

    def add(self, asked: Asked, said: Counter, by: Actor) -> Counter:
        """Keep what is `said` of what is asked for; of `said` its text and its file count."""
        now_us = self._now_us()
        text = text_of(said.text)
        if not text:
            raise BadInput("Expected a text that says what is wrong, found none.")
        _require_file(said)
        with self._storage.transaction() as tx:
            subject = self._subject(tx, asked, now_us)
            subject = _of_contract(subject, asked)
            if len(tx.counters_of(subject)) >= COUNTERS_MAX:
                raise Rejected(
                    f"{subject} has {COUNTERS_MAX} pieces of counter-evidence, which is the most: say the rest elsewhere."
                )
            kept = Counter(
                subject, now_us, by.name, by.role, by.peer, text, said.file_name, said.size,
                said.sha256, said.content,
            )  # fmt: skip
            tx.put_counter(kept)
            file = f" ({said.file_name}, SHA-256 {said.sha256})" if said.file_name else ""
            tx.record(by.act(now_us, "evidence.counter", subject, f"{text}{file}"))
        return kept

    def of(self, asked: Asked) -> Sequence[Counter]:
        """What was said against it, the oldest first."""
        with self._storage.transaction() as tx:
            subject = self._subject(tx, asked, self._now_us())
            seen = {subject, _of_contract(subject, asked)} if asked.contract else None
            return [one for one in tx.counters_of(subject) if seen is None or one.subject in seen]

    def _subject(self, tx: Transaction, asked: Asked, now_us: int) -> str:
        if asked.check:
            raise BadInput("Expected an outage, or a contract and a period, found a check.")
        return meant(tx, self._terms, asked, now_us).subject


def _of_contract(subject: str, asked: Asked) -> str:
    """An outage that was named with a contract is meant as far as it is of that contract."""
    return f"{subject} {asked.contract}" if asked.outage and asked.contract else subject


def _require_file(said: Counter) -> None:
    """BadInput unless the file is what is said of it, or there is none."""
    if not said.file_name:
        if said.size or said.sha256 or said.content:
            raise BadInput("Expected the name of the file, found none.")
        return
    name = said.file_name
    if len(name) > _NAME_CHARS_MAX or "/" in name or "\\" in name or not name.isprintable():
        raise BadInput(f"Expected the name of a file without its folders, found {name[:80]!r}.")
    if not 0 <= said.size <= COUNTER_FILE_BYTES_MAX or not _SHA256.fullmatch(said.sha256):
        raise BadInput(
            f"Expected the size of the file, at most {COUNTER_FILE_BYTES_MAX} bytes, and its SHA-256."
        )
    if said.size > COUNTER_BYTES_MAX:
        if said.content:
            raise BadInput(
                f"Expected at most {COUNTER_BYTES_MAX} bytes of a file: of a larger one only the SHA-256 is kept."
            )
        return
    if (len(said.content), hashlib.sha256(said.content).hexdigest()) != (said.size, said.sha256):
        raise BadInput("Expected a file of the size and the SHA-256 that are said of it.")
