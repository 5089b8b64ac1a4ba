"""The burn-down of a budget: what was left of it over the period."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from controller.core.sla.reports.report_document import Point
from controller.reporting.catalogue import Catalogue
from controller.reporting.charts.svg import (
    BUDGET,
    DOWN,
    LINE,
    MUTED,
    TENTHS,
    Axis,
    Drawing,
)
from controller.reporting.charts.ticks import ticks
from controller.reporting.figures import Clock, floored

_WIDTH: Final = 700 * TENTHS
_HEIGHT: Final = 190 * TENTHS
_LEFT: Final = 92 * TENTHS
_TOP: Final = 14 * TENTHS
_FOOT: Final = 24 * TENTHS


class _Scale:
    """Budget up the drawing."""

    def __init__(self, highest_us: int, lowest_us: int) -> None:
        self._highest, self._lowest = highest_us, lowest_us

    def at(self, left_us: int) -> int:
        inside = _HEIGHT - _TOP - _FOOT
        return _TOP + (self._highest - left_us) * inside // max(self._highest - self._lowest, 1)


def burn_down_svg(
    points: Sequence[Point], span: tuple[int, int], clock: Clock, title: str, texts: Catalogue
) -> str:
    """What was left, from the first point on; dashed: what an even use of it would leave."""
    budget_us = points[0].left
    lowest_us = min(0, *(one.left for one in points))
    scale = _Scale(max(budget_us, 0), lowest_us)
    axis = Axis(*span, _LEFT, _WIDTH - _LEFT - 6 * TENTHS)
    drawing = Drawing(_WIDTH, _HEIGHT, title)
    foot = _HEIGHT - _FOOT
    for at_us, label in ticks(*span, clock):
        x = axis.at(at_us)
        drawing.line([(x, _TOP), (x, foot)], LINE, stroke_width="0.5")
        drawing.text(x, foot + 14 * TENTHS, label, paint=MUTED, size=10, anchor="middle")
    levels = sorted({budget_us, 0, lowest_us}, reverse=True)
    for level in _apart(levels, scale):
        y = scale.at(level)
        drawing.line([(_LEFT, y), (_WIDTH - 6 * TENTHS, y)], LINE, stroke_width="0.5")
        label = floored(level)
        drawing.text(_LEFT - 6 * TENTHS, y + 4 * TENTHS, label, paint=MUTED, anchor="end")
    even = [(axis.at(span[0]), scale.at(budget_us)), (axis.at(span[1]), scale.at(0))]
    drawing.line(even, MUTED, stroke_width="1", stroke_dasharray="5 4")
    line = [(axis.at(one.at), scale.at(one.left)) for one in _with_zero(points)]
    zero = scale.at(0)
    above = [(x, min(y, zero)) for x, y in line]
    drawing.area([(line[0][0], zero), *above, (line[-1][0], zero)], BUDGET, "0.15")
    if lowest_us < 0:
        below = [(x, max(y, zero)) for x, y in line]
        drawing.area([(line[0][0], zero), *below, (line[-1][0], zero)], DOWN, "0.3")
        text = texts.say("chart.overspent")
        drawing.text(line[-1][0] - 4 * TENTHS, zero + 14 * TENTHS, text, paint=DOWN, anchor="end")
    drawing.line([(_LEFT, zero), (_WIDTH - 6 * TENTHS, zero)], MUTED, stroke_width="1")
    drawing.line(line, BUDGET, stroke_width="2")
    return drawing.svg()


def _with_zero(points: Sequence[Point]) -> list[Point]:
    """The points, and the instant at which the budget was used up between two of them."""
    found = [points[0]]
    for before, after in pairwise(points):
        if before.left > 0 > after.left:
            part_us = (after.at - before.at) * before.left // (before.left - after.left)
            found.append(Point(at=before.at + part_us, left=0))
        found.append(after)
    return found


def _apart(levels: Sequence[int], scale: _Scale) -> list[int]:
    """Levels whose labels do not lie on one another; 0 is always among them."""
    kept = [0]
    for level in levels:
        if all(abs(scale.at(level) - scale.at(one)) > 12 * TENTHS for one in kept):
            kept.append(level)
    return kept
