"""What the row modules share: a connection in a transaction, the dictionaries, inserts in bulk."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Table

from controller.errors import Fatal
from controller.ports.leaves import Notary
from controller.storage.names import Names, StreamKey

_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)
_VALUES_MAX: Final = 10_000


class Rows:
    """One transaction's access to rows."""

    def __init__(self, connection: Connection, names: Names, notary: Notary | None = None) -> None:
        self._connection = connection
        self._names = names
        self._notary = notary

    @property
    def connection(self) -> Connection:
        """The connection, for other modules of this package."""
        return self._connection

    def _insert_many(self, into: Table, rows: Sequence[tuple[object, ...]]) -> None:
        """Insert rows whose values stand in the order of the table's columns.

        The driver's own executemany: building one dict a row for Core costs more than the insert.
        """
        if rows:
            statement = _insert_text(into, self._connection.dialect.name)
            self._connection.exec_driver_sql(statement, list(rows))

    def _number(self, text: str) -> int:
        return self._names.number(self._connection, text)

    def _name(self, number: int) -> str:
        return self._names.text(self._connection, number)

    def _stream_number(self, agent: str, epoch: str, stream: str) -> int:
        return self._names.stream_number(self._connection, StreamKey(agent, epoch, stream))

    def _stream(self, number: int) -> StreamKey:
        return self._names.stream(self._connection, number)


def parts_of(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """The values, as many at a time as one statement takes."""
    for start in range(0, len(values), _VALUES_MAX):
        yield values[start : start + _VALUES_MAX]


def word_of(words: type[_Word], text: str, table: str) -> _Word:
    """The word of a closed set that stands in a table. Fatal if it is none of them."""
    try:
        return words(text)
    except ValueError as error:
        raise Fatal(
            f"Expected in table {table} of the database one of {', '.join(words)}, found {text!r}: it was changed, or"
            " written by a newer version. `vedette db check` says more; restore the last good backup."
        ) from error


def decoded(decoder: msgspec.json.Decoder[_T], data: bytes, table: str) -> _T:
    """What JSON that stands in a table says. Fatal if it is damaged."""
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Fatal(
            f"Expected in table {table} of the database JSON of its kind, found other bytes ({error}): it was changed."
            " `vedette db check` says more; restore the last good backup."
        ) from error


def text_of(data: bytes) -> str:
    """The text in stored bytes; another one where they are damaged."""
    return data.decode(errors="replace")


def json_of(data: bytes) -> Any:
    """What stored JSON says; its text where it is damaged, which is never what was said."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return text_of(data)


@lru_cache(maxsize=64)
def _insert_text(into: Table, dialect: str) -> str:
    mark = "?" if dialect == "sqlite" else "%s"
    columns = ", ".join(f'"{column.name}"' for column in into.columns)
    marks = ", ".join([mark] * len(into.columns))
    return f'INSERT INTO "{into.name}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our own tables
