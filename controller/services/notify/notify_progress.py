"""How far what is to be told was read, and what was told of that is not over: one document in storage."""

from typing import Final

import msgspec

from controller.ports.storage import Transaction


class Flapping(msgspec.Struct):
    """A check that flaps since then, and the outages of it of which something was not told for that."""

    since_us: int
    subjects: list[str] = []


class ToldHead(msgspec.Struct):
    """The head of the log that a channel was told of last, and when; up to which leaf it was looked for reports."""

    size: int
    looked: int
    at_us: int


class Progress(msgspec.Struct):
    """The last event of the ledger of outages that was told of; silent agents and flapping checks that were.

    `silent` are numbers of notices; `heads` are by channel.
    """

    sequence: int = 0
    silent: list[int] = []
    flapping: dict[str, Flapping] = {}
    heads: dict[str, ToldHead] = {}


_decoder: Final = msgspec.json.Decoder(Progress)


def read_progress(tx: Transaction) -> Progress | None:
    """How far it was read; None before the first time."""
    stored = tx.notify_progress()
    return None if stored is None else _decoder.decode(stored)


def write_progress(tx: Transaction, progress: Progress) -> None:
    """Note it, if it is another than what is stored."""
    made = msgspec.json.encode(progress)
    if made != tx.notify_progress():
        tx.put_notify_progress(made)
