"""The agent's log: one line per event on standard error, `time level event key=value ...`."""

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
    """The message is the event; what belongs to it was passed as `extra={...}`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and a traceback below it if there is one."""
        at = dt.datetime.fromtimestamp(record.created, dt.UTC)
        fields = {k: v for k, v in record.__dict__.items() if k not in _STANDARD}
        line = (
            f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z {record.levelname.lower()} "
            + record.getMessage()
            + "".join(f" {key}={_value(value)}" for key, value in fields.items())
        )
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _value(value: object) -> str:
    """Bare where it can be; otherwise JSON, so that a field can never forge another line."""
    text = str(value)
    is_bare = text.isascii() and text.isprintable() and not set(text) & set(' "=')
    return text if text and is_bare else json.dumps(text)


def log_events(level: int = logging.INFO) -> None:
    """Write this process's events to standard error from now on."""
    handler = logging.StreamHandler()
    handler.setFormatter(EventFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("agent").setLevel(level)
