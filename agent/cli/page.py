"""A finding as a page for a person: outcome, phases as bars, hops, certificate, expectations."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from agent.cli.around import sections_of_capture
from agent.cli.seen import sections_of
from agent.cli.shown import cell, grid, milliseconds, pairs, plain
from agent.core.assertions import Assertion
from agent.core.redaction import redacted_url
from agent.runtime.line import Finding
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.result import Outcome

_BAR_CHARS: Final = 40
# Less than this is not worth a line, even where it is a tenth of what was measured.
_STOOD_US_MIN: Final = 5_000
_STYLES: Final = {
    Outcome.UP: "bold green",
    Outcome.DEGRADED: "bold yellow",
    Outcome.DOWN: "bold red",
    Outcome.AGENT_ERROR: "bold magenta",
}
_WORDS: Final = {Outcome.AGENT_ERROR: "AGENT ERROR"}
_SHADES: Final = ("cyan", "blue", "magenta", "yellow", "green", "white")


def page(
    check: Check, finding: Finding, capture: Mapping[str, Any] | None = None
) -> RenderableType:
    """Everything that is known about one run of `check`, and about what is around its failure."""
    facts = finding.facts
    parts: list[RenderableType] = [_headline(check, finding), *_why(finding)]
    title = "phases of the last hop" if facts.get("hops") else "phases"
    parts += _section(title, _bars(finding.phases or {}))
    if facts.get("hops"):
        parts += _section("hops", _hops(facts["hops"]))
    if isinstance(facts.get("tls"), dict):
        parts += _section("certificate", pairs(_certificate(facts["tls"], finding.at_us)))
    for title, content in sections_of(check.kind, facts):
        parts += _section(title, content)
    if finding.expectations:
        parts += _section("expectations", _expectations(finding.expectations))
    for title, content in sections_of_capture(capture or {}):
        parts += _section(title, content)
    return Group(*parts)


def _headline(check: Check, finding: Finding) -> Text:
    word = _WORDS.get(finding.outcome, finding.outcome.upper())
    target = redacted_url(check.target) if check.kind == "http" else check.target
    text = Text.assemble((f" {word} ", f"{_STYLES[finding.outcome]} reverse"), "  ", plain(target))
    if finding.addr:
        text.append(f"  {finding.addr}", "dim")
    return text.append(f"  {milliseconds(finding.took_us)}", "bold")


def _why(finding: Finding) -> Iterator[RenderableType]:
    stood_us = finding.loop_lag_us or 0
    if stood_us > max(_STOOD_US_MIN, finding.took_us // 10) and finding.kind != Failure.DISTORTED:
        said = f"  this agent itself stood still for {milliseconds(stood_us)}: times may be too long by as much"
        yield Text(said, "dim")
    if finding.kind is None and finding.detail is None:
        return
    line = Text("  ")
    if finding.kind:
        line.append(f"{finding.kind}: ", "bold")
    yield line.append(plain(finding.detail or ""))
    if finding.kind in {failure.value for failure in Failure}:
        look_at = Failure(finding.kind).look_at.replace("`detail`", "the line above")
        yield Text(f"  look at: {look_at}", "dim")


def _section(title: str, content: RenderableType) -> list[RenderableType]:
    return [Text(f"\n{title}", "bold"), Padding(content, (0, 0, 0, 2))]


def _bars(phases_us: Mapping[str, int]) -> RenderableType:
    """One bar a phase, each beginning where the one before it ended."""
    total = sum(phases_us.values())
    if not total:
        return Text("none was reached", "dim")
    table = grid()
    begin = 0
    for place, (name, took_us) in enumerate(phases_us.items()):
        left = begin * _BAR_CHARS // total
        width = max((begin + took_us) * _BAR_CHARS // total - left, 1)
        bar = Text(" " * left, overflow="crop").append("█" * width, _SHADES[place % len(_SHADES)])
        table.add_row(name, Text(milliseconds(took_us), justify="right"), bar)
        begin += took_us
    table.add_row("total", Text(milliseconds(total), "bold", justify="right"), "")
    return table


def _hops(hops: list[Mapping[str, Any]]) -> RenderableType:
    table = grid()
    for number, hop in enumerate(hops, start=1):
        took_us = sum(hop.get("phases", {}).values())
        table.add_row(
            str(number),
            str(hop.get("status", "-")),
            Text(milliseconds(took_us), justify="right"),
            cell(str(hop.get("addr", ""))),
            cell(str(hop["url"])),
        )
    return table


def _certificate(tls: Mapping[str, Any], now_us: int) -> dict[str, str]:
    shown = {"protocol": " ".join(str(tls.get(key, "")) for key in ("version", "cipher")).strip()}
    for name in ("subject", "issuer", "sha256"):
        if name in tls:
            shown[name] = str(tls[name])
    ends_us = tls.get("not_after")
    if isinstance(ends_us, int):
        day = datetime.fromtimestamp(ends_us / 1e6, UTC)
        left = (ends_us - now_us) / 86_400_000_000
        shown["until"] = f"{day:%Y-%m-%d %H:%M} UTC ({left:.1f} days left, earliest of the chain)"
    return {name: value for name, value in shown.items() if value}


def _expectations(assertions: tuple[Assertion, ...]) -> RenderableType:
    table = grid()
    for assertion in assertions:
        mark = Text("✓", "green") if assertion.holds else Text("✗", "bold red")
        seen = ", ".join(f"{s.path} is {s.shown}" for s in assertion.seen)
        why = "; ".join(part for part in (assertion.reason, seen) if part)
        table.add_row(mark, cell(assertion.text), cell(why, "dim"))
    return table
