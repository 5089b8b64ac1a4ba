"""What each kind of probe saw, as sections of a page: (title, content) each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from agent.cli.shown import cell, grid, milliseconds, pairs, plain
from agent.core.echoes import echo_variables

Sections = Iterator[tuple[str, RenderableType]]

_BAR_CHARS: Final = 30
_STATES: Final = {"secure": "bold green", "bogus": "bold red"}
# These have sections of their own.
_APART: Final = {
    "http": frozenset({"hops", "tls"}),
    "dns": frozenset({
        "answers", "count", "authority", "additional", "dnssec", "serials", "serials_missing", "zone",
        "tls",
    }),
    "icmp": frozenset({"rtts", "errors", "duplicates"}),
    "tcp": frozenset({"dialogue", "tls"}),
}  # fmt: skip


def sections_of(kind: str, facts: Mapping[str, Any]) -> Sections:
    """The sections of a probe of `kind`: its plain facts, and what deserves more room."""
    apart = _APART.get(kind, frozenset())
    values = {name: _value(value) for name, value in facts.items() if name not in apart}
    if values:
        yield kind, pairs(values)
    if kind == "dns":
        yield from _dns(facts)
    elif kind == "icmp" and facts.get("rtts"):
        yield from _icmp(facts)
    elif kind == "tcp" and facts.get("dialogue"):
        yield "dialogue", _dialogue(facts["dialogue"])


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _dns(facts: Mapping[str, Any]) -> Sections:
    answers: Sequence[str] = facts.get("answers", ())
    if "rcode" in facts:
        more = facts.get("count", 0) - len(answers)
        yield "answer", _lines([*answers, *([f"... and {more} more"] if more > 0 else [])])
    for name in ("authority", "additional"):
        if facts.get(name):
            yield name, _lines(facts[name])
    if "dnssec" in facts:
        yield "dnssec", _dnssec(facts["dnssec"])
    if "serials" in facts:
        title = f"serials of {plain(str(facts.get('zone', '')))}"
        yield title, _serials(facts["serials"], facts.get("serials_missing", {}))


def _lines(lines: Sequence[str]) -> RenderableType:
    if not lines:
        return Text("no records", "dim")
    return Text("\n").join(Text(plain(line)) for line in lines)


def _dnssec(proof: Mapping[str, Any]) -> RenderableType:
    table = grid()
    state = str(proof.get("state", ""))
    table.add_row(Text("state", "dim"), Text(state, _STATES.get(state, "bold yellow")))
    if "reason" in proof:
        table.add_row(Text("because", "dim"), cell(str(proof["reason"])))
    if "days_left" in proof:
        left = f"{proof['days_left']:.1f} days until the first signature expires"
        table.add_row(Text("left", "dim"), Text(left))
    zones = [plain(str(zone)) for zone in proof.get("zones", ())]
    table.add_row(Text("proven", "dim"), Text(" > ".join(zones) or "no zone"))
    return table


def _serials(serials: Mapping[str, int | None], missing: Mapping[str, str]) -> RenderableType:
    table = grid()
    for server, serial in serials.items():
        said = missing.get(server, "none") if serial is None else str(serial)
        table.add_row(cell(server, "dim"), cell(said, "red" if serial is None else ""))
    return table


def _icmp(facts: Mapping[str, Any]) -> Sections:
    rtts: Sequence[int | None] = facts["rtts"]
    errors: Mapping[str, Mapping[str, str]] = facts.get("errors", {})
    longest = max((rtt for rtt in rtts if rtt is not None), default=0)
    table = grid()
    for number, rtt in enumerate(rtts):
        if rtt is not None:
            bar = "█" * max(rtt * _BAR_CHARS // max(longest, 1), 1)
            took = Text(milliseconds(rtt), justify="right")
            table.add_row(Text(str(number + 1), "dim"), took, Text(bar, "cyan"))
            continue
        error = errors.get(str(number))
        why = f"{error['says'].replace('_', ' ')}, says {error['from']}" if error else ""
        table.add_row(
            Text(str(number + 1), "dim"), Text("lost", "bold red"), Text(plain(why), "dim")
        )
    yield "packets", table
    yield "echo", pairs(_echo(rtts, facts.get("duplicates", 0)))


def _echo(rtts: Sequence[int | None], duplicates: int) -> dict[str, str]:
    found = echo_variables(rtts)
    loss = f"{found['loss'] * 100:.1f} %"
    shown = {"received": f"{found['received']} of {found['sent']}, {loss} lost"}
    for name, value in found.get("rtt_ms", {}).items():
        shown[name] = f"{value:.2f} ms"
    if duplicates:
        shown["duplicates"] = str(duplicates)
    return shown


def _dialogue(steps: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = grid()
    for number, step in enumerate(steps, start=1):
        size = f"{step['bytes']} bytes" if "bytes" in step else ""
        took = Text(milliseconds(step["took"]), justify="right")
        table.add_row(Text(str(number), "dim"), Text(str(step["do"])), took, Text(size, "dim"))
    return table
