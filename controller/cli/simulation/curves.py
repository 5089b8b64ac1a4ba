"""The curves of a simulation as a picture (SVG): delay of detection, error of duration, false alarms."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import log10
from typing import Final

from controller.core.simulation.run import Result

_WIDTH: Final = 960
_PANEL_HEIGHT: Final = 250
_TOP: Final = 64
_LEFT: Final = 70
_RIGHT: Final = 30
_BETWEEN: Final = 66
# Colours that stay apart for colour-blind eyes (Okabe and Ito), and dashes for print.
_STROKES: Final = (
    ("#D55E00", ""), ("#E69F00", "7 3"), ("#009E73", "2 3"), ("#CC79A7", "9 3 2 3"),
    ("#0072B2", ""), ("#56B4E9", "5 2"), ("#000000", "1 2"), ("#999999", ""),
)  # fmt: skip
_SECOND_US: Final = 1_000_000
_HOUR_US: Final = 3_600 * _SECOND_US
_DAY_US: Final = 24 * _HOUR_US
Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where a value lies between 0 and 1, and the values that are marked."""

    place: Callable[[float], float]
    marks: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    across: _Axis
    up: _Axis
    curves: Sequence[Curve]


def drawing(result: Result) -> str:
    """The picture. Every rule has one colour and dash throughout."""
    panels = _panels(result)
    height = _TOP + 22 * len(result.rules) + len(panels) * (_PANEL_HEIGHT + _BETWEEN)
    scenario = result.scenario
    title = f"{scenario.terms.title} (seed {scenario.seed})"
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="30" font-size="18" font-weight="bold">{escape(title)}</text>',
    ]
    for place, rule in enumerate(result.rules):
        y = _TOP + 22 * place
        parts.append(f'<path d="M{_LEFT} {y - 4}h34" {_stroke(place)}/>')
        text = escape(f"{rule.id}: {rule.title}")
        parts.append(f'<text x="{_LEFT + 44}" y="{y}">{text}</text>')
    for place, panel in enumerate(panels):
        top = _TOP + 22 * len(result.rules) + 24 + place * (_PANEL_HEIGHT + _BETWEEN)
        parts += _drawn(panel, top)
    return "\n".join([*parts, "</svg>", ""])


def _panels(result: Result) -> list[_Panel]:
    scores = [rule.score for rule in result.rules]
    truths = scores[0].truths if scores else 0
    start_us, end_us = result.scenario.start_us, result.scenario.end_us
    false_most = max([1, *(len(score.false_us) for score in scores)])
    panels = []
    if truths:
        delays = [_shares(score.delays_us, truths) for score in scores]
        errors = [_shares(score.errors_us, truths) for score in scores]
        panels = [
            _Panel("Share of the true outages that were known after", _times(delays), _SHARE, delays),
            _Panel("Share of the true outages whose downtime is off by at most", _times(errors), _SHARE, errors),
        ]  # fmt: skip
    is_short = end_us - start_us < 3 * _DAY_US
    unit_us, unit = (_HOUR_US, " h") if is_short else (_DAY_US, " d")
    span = (end_us - start_us) / unit_us
    false = [_counts(score.false_us, start_us, unit_us, span) for score in scores]
    across = _Axis(lambda x: x / span, _evenly(span, unit))
    up = _Axis(lambda count: count / false_most, _evenly(false_most, ""))
    return [*panels, _Panel("False alarms until then", across, up, false)]


_SHARE: Final = _Axis(lambda share: share, [(k / 4, f"{25 * k} %") for k in range(5)])


def _shares(values_us: Sequence[int], whole: int) -> Curve:
    """How many of `whole` are at most so long, in seconds: a staircase that ends at the recall."""
    corners: list[tuple[float, float]] = []
    for count, value_us in enumerate(values_us):
        x = max(value_us / _SECOND_US, 0.1)
        corners += [(x, count / whole), (x, (count + 1) / whole)]
    return corners


def _counts(instants_us: Sequence[int], start_us: int, unit_us: int, span: float) -> Curve:
    corners: list[tuple[float, float]] = [(0.0, 0.0)]
    for count, at_us in enumerate(instants_us):
        x = min((at_us - start_us) / unit_us, span)
        corners += [(x, count), (x, count + 1)]
    return [*corners, (span, len(instants_us))]


def _times(curves: Sequence[Curve]) -> _Axis:
    """Seconds from the least to the greatest decade that is needed, each as wide as another."""
    values = [x for curve in curves for x, _ in curve] or [1.0]
    first = _decade_below(min(values))
    last = max(_decade_below(max(values)) + 1, first + 1)
    marks = [(10.0**k, _seconds(10.0**k)) for k in range(first, last + 1)]
    return _Axis(lambda x: (log10(x) - first) / (last - first), marks)


def _decade_below(value: float) -> int:
    decade = -1
    while 10.0 ** (decade + 1) <= value:
        decade += 1
    return decade


def _seconds(value: float) -> str:
    return f"{value:g} s"


def _evenly(most: float, unit: str) -> list[tuple[float, str]]:
    """Round marks from 0 to about `most`."""
    step = 1.0
    while most / step > 8:
        step *= 2.5 if str(step).startswith("2") else 2
    marks = []
    value = 0.0
    while value <= most:
        marks.append((value, f"{value:g}{unit}"))
        value += step
    return marks


def _drawn(panel: _Panel, top: float) -> Iterator[str]:
    wide, high = _WIDTH - _LEFT - _RIGHT, _PANEL_HEIGHT
    bottom = top + high
    yield f'<text x="{_LEFT}" y="{top - 10:.0f}" font-weight="bold">{escape(panel.title)}</text>'
    yield f'<rect x="{_LEFT}" y="{top:.0f}" width="{wide}" height="{high}" fill="none" stroke="#888"/>'
    for value, text in panel.across.marks:
        x = _LEFT + wide * panel.across.place(value)
        yield f'<path d="M{x:.1f} {top:.0f}v{high}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 17:.0f}" text-anchor="middle">{text}</text>'
    for value, text in panel.up.marks:
        y = bottom - high * panel.up.place(value)
        yield f'<path d="M{_LEFT} {y:.1f}h{wide}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    for place, curve in enumerate(panel.curves):
        points = [
            (_LEFT + wide * panel.across.place(x), bottom - high * panel.up.place(y))
            for x, y in curve
        ]
        # A staircase goes on level to the end.
        points = [*points, (_LEFT + wide, points[-1][1])] if points else []
        if not points:
            continue
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{text}" fill="none" {_stroke(place)}/>'


def _stroke(place: int) -> str:
    colour, dash = _STROKES[place % len(_STROKES)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'stroke="{colour}" stroke-width="2.5"{dashes}'
