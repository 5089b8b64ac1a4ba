"""What the row modules share: a connection in a transaction, the dictionaries, inserts in bulk."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeVar

from sqlalchemy import Connection, Table

from controller.ports.leaves import Notary
from controller.storage.names import Names, StreamKey

_T = TypeVar("_T")
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


@lru_cache(maxsize=64)
def _insert_text(into: Table, dialect: str) -> str:
    mark = "?" if dialect == "sqlite" else "%s"
    columns = ", ".join(f'"{column.name}"' for column in into.columns)
    marks = ", ".join([mark] * len(into.columns))
    return f'INSERT INTO "{into.name}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our own tables
