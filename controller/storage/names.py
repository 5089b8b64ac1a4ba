"""The dictionaries: texts and streams by the small numbers that samples hold, cached in memory."""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from controller.storage.tables import NameRow, StreamRow, table

_NAME = table(NameRow)
_STREAM = table(StreamRow)


class StreamKey(NamedTuple):
    """What a stream number stands for."""

    agent: str
    epoch: str
    stream: str


class Names:
    """Numbers of texts and of streams. Forgets everything after a rollback: it may have been undone."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self._stream_ids: dict[StreamKey, int] = {}
        self._streams: dict[int, StreamKey] = {}

    def forget(self) -> None:
        """Drop what is cached."""
        for cache in (self._ids, self._texts, self._stream_ids, self._streams):
            cache.clear()

    def find(self, connection: Connection, text: str) -> int | None:
        """The number of `text`, or None if it has none."""
        if (known := self._ids.get(text)) is not None:
            return known
        number = connection.execute(select(_NAME.c.id).where(_NAME.c.text == text)).scalar()
        if number is not None:
            self._ids[text], self._texts[number] = number, text
        return number

    def number(self, connection: Connection, text: str) -> int:
        """The number of `text`, given now if it had none."""
        if (known := self._ids.get(text)) is not None:
            return known
        found = self.find(connection, text)
        if found is not None:
            return found
        number: int = connection.execute(
            insert(_NAME).values(text=text).returning(_NAME.c.id)
        ).scalar_one()
        self._ids[text], self._texts[number] = number, text
        return number

    def text(self, connection: Connection, number: int) -> str:
        """The text behind `number`, which stands in the database."""
        if (known := self._texts.get(number)) is not None:
            return known
        text: str = connection.execute(
            select(_NAME.c.text).where(_NAME.c.id == number)
        ).scalar_one()
        self._ids[text], self._texts[number] = number, text
        return text

    def find_stream(self, connection: Connection, key: StreamKey) -> int | None:
        """The number of a stream, or None if nothing ever came on it."""
        if (known := self._stream_ids.get(key)) is not None:
            return known
        where = (
            (_STREAM.c.agent == key.agent)
            & (_STREAM.c.epoch == key.epoch)
            & (_STREAM.c.stream == key.stream)
        )
        number = connection.execute(select(_STREAM.c.id).where(where)).scalar()
        if number is not None:
            self._stream_ids[key], self._streams[number] = number, key
        return number

    def stream_number(self, connection: Connection, key: StreamKey) -> int:
        """The number of a stream, given now if it had none."""
        if (found := self.find_stream(connection, key)) is not None:
            return found
        row = {**key._asdict(), "seq": 0, "lines": 0, "lost": 0}
        number: int = connection.execute(
            insert(_STREAM).values(row).returning(_STREAM.c.id)
        ).scalar_one()
        self._stream_ids[key], self._streams[number] = number, key
        return number

    def stream(self, connection: Connection, number: int) -> StreamKey:
        """The stream behind `number`, which stands in the database."""
        if (known := self._streams.get(number)) is not None:
            return known
        columns = (_STREAM.c.agent, _STREAM.c.epoch, _STREAM.c.stream)
        row = connection.execute(select(*columns).where(_STREAM.c.id == number)).one()
        key = StreamKey(*row)
        self._stream_ids[key], self._streams[number] = number, key
        return key
