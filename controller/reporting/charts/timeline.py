"""The timeline of a period: each outage and each exclusion where it lies."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from controller.reporting.charts.svg import (
    DOWN,
    EXCLUDED,
    INK,
    LINE,
    MUTED,
    OUTSIDE,
    TENTHS,
    Axis,
    Drawing,
)
from controller.reporting.charts.ticks import ticks
from controller.reporting.figures import Clock

_WIDTH: Final = 700 * TENTHS
_LEFT: Final = 150 * TENTHS
_ROW: Final = 20 * TENTHS
_BAR: Final = 12 * TENTHS
_LEAST: Final = 3 * TENTHS
ROWS_MAX: Final = 40


class Bar(NamedTuple):
    """A row: an outage or an exclusion by its name, when it was, and how long."""

    name: str
    is_outage: bool
    from_us: int
    to_us: int
    length: str


def timeline_svg(bars: Sequence[Bar], span: tuple[int, int], clock: Clock, title: str) -> str:
    """A row for each bar, in the order given."""
    axis = Axis(*span, _LEFT, _WIDTH - _LEFT - 6 * TENTHS)
    height = len(bars) * _ROW
    drawing = Drawing(_WIDTH, height + 24 * TENTHS, title)
    for at_us, label in ticks(*span, clock):
        x = axis.at(at_us)
        drawing.line([(x, 0), (x, height)], LINE, stroke_width="0.5")
        drawing.text(x, height + 14 * TENTHS, label, paint=MUTED, size=10, anchor="middle")
    for row, bar in enumerate(bars):
        y = row * _ROW + (_ROW - _BAR) // 2
        x, width = axis.over(bar.from_us, bar.to_us, _LEAST)
        drawing.rect(_LEFT, y, axis.width, _BAR, OUTSIDE, fill_opacity="0.6")
        if bar.is_outage:
            drawing.rect(x, y, width, _BAR, DOWN)
        else:
            drawing.hatch(x, y, width, _BAR, EXCLUDED)
        drawing.text(0, y + 10 * TENTHS, bar.name, paint=INK)
        is_right = x + width + 90 * TENTHS < _WIDTH
        place = x + width + 4 * TENTHS if is_right else x - 4 * TENTHS
        anchor = "start" if is_right else "end"
        drawing.text(place, y + 10 * TENTHS, bar.length, paint=MUTED, size=10, anchor=anchor)
    return drawing.svg()
