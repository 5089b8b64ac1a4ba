import logging

from controller.telemetry import EventFormatter


def formatted(event: str, **fields: object) -> str:
    record = logging.makeLogRecord({"msg": event, "levelname": "INFO", "created": 0.5, **fields})
    return EventFormatter().format(record)


def test_an_event_is_one_line_with_its_fields() -> None:
    assert formatted("session.opened", agent="fra-1", lines=3, checks=["a", "b"]) == (
        "1970-01-01T00:00:00.500Z info session.opened agent=fra-1 lines=3 checks=a,b"
    )


def test_what_an_agent_says_cannot_forge_a_line() -> None:
    line = formatted("frame.refused", reason='x\n2026-01-01 info forged agent="y"', empty="")
    assert "\n" not in line
    assert line.endswith(r'reason="x\n2026-01-01 info forged agent=\"y\"" empty=""')
