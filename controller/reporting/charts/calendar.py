"""The availability calendar: every local day, and how much of it was down, unknown, excluded or out of schedule."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from controller.core.sla.reports.report_document import Day
from controller.reporting.catalogue import Catalogue
from controller.reporting.charts.svg import (
    DOWN,
    EXCLUDED,
    INK,
    MUTED,
    OUTSIDE,
    TENTHS,
    TINT,
    UNKNOWN,
    UP,
    Drawing,
    Paint,
)
from controller.reporting.figures import ceiled

_WIDTH: Final = 700 * TENTHS
_GAP: Final = 4 * TENTHS
_HEIGHT: Final = 38 * TENTHS
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKS_DAYS_MAX: Final = 45
_LEGEND: Final = 22 * TENTHS
_LEAST: Final = 3 * TENTHS


def calendar_svg(days: Sequence[Day], last: date, title: str, texts: Catalogue) -> str:
    """The calendar until the day `last`: by weeks, or of longer times a month a row. Days to come are frames."""
    newest = date.fromisoformat(days[-1].day)
    ahead = [newest + timedelta(days=n + 1) for n in range((last - newest).days)]
    if len(days) + len(ahead) > _WEEKS_DAYS_MAX:
        return _by_months(days, ahead, title, texts)
    return _by_weeks(days, ahead, title, texts)


def _by_weeks(days: Sequence[Day], ahead: Sequence[date], title: str, texts: Catalogue) -> str:
    first = date.fromisoformat(days[0].day)
    offset = first.weekday()
    last = ahead[-1] if ahead else date.fromisoformat(days[-1].day)
    rows = ((last - first).days + offset) // 7 + 1
    head, height = 18 * TENTHS, _HEIGHT
    width = (_WIDTH - 6 * _GAP) // 7
    drawing = Drawing(_WIDTH, head + rows * (height + _GAP) + _LEGEND, title)
    for place, name in enumerate(_WEEKDAYS):
        x = place * (width + _GAP)
        drawing.text(x, 12 * TENTHS, texts.say(f"weekday.{name}"), paint=MUTED)
    for one in days:
        place = (date.fromisoformat(one.day) - first).days + offset
        x, y = place % 7 * (width + _GAP), head + place // 7 * (height + _GAP)
        _fill(drawing, one, (x, y, width, height))
        inside = x + 5 * TENTHS
        number = int(one.day[-2:])
        label = one.day[5:] if number == 1 or one is days[0] else str(number)
        drawing.text(inside, y + 13 * TENTHS, label, paint=MUTED)
        if one.downtime:
            shown = ceiled(one.downtime)
            drawing.text(inside, y + 28 * TENTHS, shown, is_bold=True, size=12)
        elif one.unknown:
            shown = texts.say("calendar.unknown", length=ceiled(one.unknown))
            drawing.text(inside, y + 28 * TENTHS, shown, paint=MUTED)
    for day in ahead:
        place = (day - first).days + offset
        x, y = place % 7 * (width + _GAP), head + place // 7 * (height + _GAP)
        drawing.frame(x, y, width, height)
        drawing.text(x + 5 * TENTHS, y + 13 * TENTHS, str(day.day), paint=MUTED)
    _legend(drawing, head + rows * (height + _GAP) + 14 * TENTHS, days, texts)
    return drawing.svg()


def _by_months(days: Sequence[Day], ahead: Sequence[date], title: str, texts: Catalogue) -> str:
    months = sorted({*(one.day[:7] for one in days), *(day.isoformat()[:7] for day in ahead)})
    left, head, height = 58 * TENTHS, 16 * TENTHS, 18 * TENTHS
    width = (_WIDTH - left) // 31
    drawing = Drawing(_WIDTH, head + len(months) * (height + _GAP) + _LEGEND, title)
    for number in (1, 5, 10, 15, 20, 25, 31):
        x = left + (number - 1) * width
        drawing.text(
            x + width // 2, 11 * TENTHS, str(number), paint=MUTED, size=10, anchor="middle"
        )
    for row, month in enumerate(months):
        y = head + row * (height + _GAP)
        drawing.text(0, y + 13 * TENTHS, month, paint=MUTED)
        for one in (each for each in days if each.day[:7] == month):
            x = left + (int(one.day[-2:]) - 1) * width
            _fill(drawing, one, (x, y, width - 2 * TENTHS, height))
        for to_come in (each for each in ahead if each.isoformat()[:7] == month):
            x = left + (to_come.day - 1) * width
            drawing.frame(x, y, width - 2 * TENTHS, height)
    _legend(drawing, head + len(months) * (height + _GAP) + 14 * TENTHS, days, texts)
    return drawing.svg()


def _fill(drawing: Drawing, one: Day, where: tuple[int, int, int, int]) -> None:
    """A day as a box: what is not up stands at its foot, as wide as its share of the day."""
    x, y, width, height = where
    length_us = max(one.to_us - one.from_us, 1)
    is_closed = one.out_of_schedule == length_us
    ground = TINT if one.downtime else OUTSIDE if is_closed else UP
    drawing.rect(x, y, width, height, ground)
    foot = 6 * TENTHS if height == _HEIGHT else height
    at, end = x, x + width
    for us, paint in (
        (one.downtime, DOWN),
        (one.unknown, UNKNOWN),
        (one.excluded, EXCLUDED),
        (0 if is_closed else one.out_of_schedule, OUTSIDE),
    ):
        if not us:
            continue
        part = min(max(us * width // length_us, _LEAST), end - at)
        if part <= 0:
            continue
        if paint is DOWN or paint is OUTSIDE:
            drawing.rect(at, y + height - foot, part, foot, paint)
        else:
            drawing.hatch(at, y + height - foot, part, foot, paint)
        at += part


def _legend(drawing: Drawing, y: int, days: Sequence[Day], texts: Catalogue) -> None:
    """What the boxes mean, as far as there are such."""
    entries: list[tuple[str, Paint, bool]] = [("up", UP, False), ("down", DOWN, False)]
    entries += [
        (name, paint, is_hatched)
        for name, paint, is_hatched in (
            ("unknown", UNKNOWN, True),
            ("excluded", EXCLUDED, True),
            ("out_of_schedule", OUTSIDE, False),
        )
        if any(getattr(one, name) for one in days)
    ]
    x = 0
    for name, paint, is_hatched in entries:
        draw = drawing.hatch if is_hatched else drawing.rect
        draw(x, y - 9 * TENTHS, 14 * TENTHS, 10 * TENTHS, paint)
        text = texts.say(f"legend.{name}")
        drawing.text(x + 19 * TENTHS, y, text, paint=INK)
        x += (34 + 7 * len(text)) * TENTHS


def calendar_lines(days: Sequence[Day], texts: Catalogue) -> list[str]:
    """The calendar in letters: a week a line, a sign a day."""
    first = date.fromisoformat(days[0].day)
    signs = ["  "] * first.weekday() + [_sign(one) for one in days]
    heads = " ".join(texts.say(f"weekday.{name}")[:2].ljust(2) for name in _WEEKDAYS)
    lines = [f"{'':10}  {heads}"]
    for place in range(0, len(signs), 7):
        monday = date.fromordinal(first.toordinal() - first.weekday() + place)
        lines.append(f"{monday}  {' '.join(signs[place : place + 7])}".rstrip())
    return [*lines, texts.say("calendar.signs")]


def _sign(one: Day) -> str:
    if one.downtime:
        return "# "
    if one.unknown:
        return "? "
    if one.out_of_schedule == one.to_us - one.from_us:
        return "  "
    return "= " if one.excluded else ". "
