import logging

import pytest

from agent.telemetry import EventFormatter


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("plain", "k=plain", id="bare"),
        pytest.param(7, "k=7", id="number"),
        pytest.param("two words", 'k="two words"', id="space"),
        pytest.param("a\nforged line", r'k="a\nforged line"', id="newline"),
        pytest.param("", 'k=""', id="empty"),
        pytest.param("ä", r'k="\u00e4"', id="not ASCII"),
    ],
)
def test_an_event_is_one_line_whatever_its_fields_hold(value: object, shown: str) -> None:
    record = logging.LogRecord("agent.link", logging.WARNING, "f", 1, "link.down", None, None)
    record.k = value
    line = EventFormatter().format(record)
    assert line.endswith(f"Z warning link.down {shown}")
    assert "\n" not in line


def test_an_event_without_fields_is_its_name() -> None:
    record = logging.LogRecord("agent", logging.INFO, "f", 1, "agent.stopped", None, None)
    assert EventFormatter().format(record).endswith("info agent.stopped")
