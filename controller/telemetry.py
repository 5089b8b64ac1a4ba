"""The controller's log: one line per event on standard error, `time level event key=value ...`."""

import datetime as dt
import json
import logging
from typing import Final

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "taskName",
}


class EventFormatter(logging.Formatter):
    """An event is the record's message; its fields are what was passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and a traceback below it if there is one."""
        at = dt.datetime.fromtimestamp(record.created, dt.UTC)
        time = at.isoformat(timespec="milliseconds").removesuffix("+00:00")
        fields = "".join(
            f" {key}={_value(value)}"
            for key, value in record.__dict__.items()
            if key not in _STANDARD
        )
        line = f"{time}Z {record.levelname.lower()} {record.getMessage()}{fields}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def _value(value: object) -> str:
    """Bare where it can be; otherwise JSON, so that a field can never forge another line."""
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    is_bare = text.isascii() and text.isprintable() and not set(text) & set(' "=')
    return text if text and is_bare else json.dumps(text)


def log_events(level: int = logging.INFO) -> None:
    """Write this process's events to standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(EventFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("controller").setLevel(level)
