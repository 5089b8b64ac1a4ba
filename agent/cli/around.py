"""What was captured around a failure, as sections of a page: the way there, second opinions, who answers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from agent.cli.shown import cell, grid, milliseconds, pairs, plain

_OPINIONS = {"resolver": "second resolver", "family": "other address family"}


def sections_of_capture(capture: Mapping[str, Any]) -> Iterator[tuple[str, RenderableType]]:
    """The sections of `capture`: (title, content) each, a part that did not come about with its reason."""
    if "route" in capture:
        route = capture["route"]
        yield f"route to {plain(str(route.get('to', 'the target')))}", _route(route)
    for name, title in _OPINIONS.items():
        if name in capture:
            yield title, pairs({key: _said(key, value) for key, value in capture[name].items()})
    answer = capture.get("answer", {})
    if "chain" in answer:
        yield "certificates that were sent", _chain(answer["chain"])
    if "head" in answer:
        yield "head of the answer", pairs({k: _said(k, v) for k, v in answer["head"].items()})
    if "fault" in answer:
        yield "answer", cell(str(answer["fault"]), "red")
    if "fault" in capture:
        yield "capture", cell(str(capture["fault"]), "red")
    if capture.get("cut"):
        yield "left out", cell(", ".join(map(str, capture["cut"])))


def _route(route: Mapping[str, Any]) -> RenderableType:
    if "fault" in route:
        return cell(str(route["fault"]), "red")
    table = grid()
    for number, hop in enumerate(route["hops"], start=1):
        if hop is None:
            table.add_row(Text(str(number), "dim"), Text("no answer", "dim"), Text(""))
        else:
            took = Text(milliseconds(hop["us"]), justify="right")
            table.add_row(Text(str(number), "dim"), cell(str(hop["addr"])), took)
    end = "the target answered" if route["reached"] else "the target did not answer"
    return Group(table, Text(end, "bold"))


def _chain(chain: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = grid()
    for number, one in enumerate(chain, start=1):
        if "unreadable" in one:
            table.add_row(
                Text(str(number), "dim"), cell(f"{one['unreadable']} bytes that are no certificate")
            )
            continue
        said = f"{one['subject']}, issued by {one['issuer']}, {_day(one['not_before'])} to {_day(one['not_after'])}"
        table.add_row(Text(str(number), "dim"), cell(said))
    return table


def _day(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%d}"


def _said(key: str, value: Any) -> str:
    if key == "took":
        return milliseconds(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)
