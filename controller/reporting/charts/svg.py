"""A small writer of SVG.

Lengths are whole tenths of a unit, so that the same chart is the same bytes everywhere. Colours stand as
attributes, which paper uses as they are; a page may overrule them by class, for dark screens.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

TENTHS: Final = 10


class Paint(NamedTuple):
    """A colour, and the class by which a page may give it another."""

    name: str
    colour: str


INK: Final = Paint("v-ink", "#1b1f24")
MUTED: Final = Paint("v-muted", "#59626d")
LINE: Final = Paint("v-line", "#c5cbd3")
# Told apart by people who see few colours, and on grey paper: light blue, dark vermilion, and hatching.
UP: Final = Paint("v-up", "#d6e6f2")
TINT: Final = Paint("v-tint", "#f9dccb")
DOWN: Final = Paint("v-down", "#c24a00")
BUDGET: Final = Paint("v-budget", "#0b5f97")
UNKNOWN: Final = Paint("v-unknown", "#8c96a3")
EXCLUDED: Final = Paint("v-excluded", "#7a5ea8")
OUTSIDE: Final = Paint("v-outside", "#eceff3")

_FONT: Final = "system-ui, 'Libertinus Serif', sans-serif"


class Drawing:
    """A drawing of that size. `title` says what it shows, to those who do not see it."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._size = width, height
        self._title = title
        self._parts: list[str] = []

    def rect(self, x: int, y: int, width: int, height: int, paint: Paint, **more: object) -> None:
        """A filled rectangle."""
        self._add("rect", paint, x=_n(x), y=_n(y), width=_n(width), height=_n(height), **more)

    def frame(self, x: int, y: int, width: int, height: int) -> None:
        """An empty rectangle, dashed, its line inside."""
        half = TENTHS // 2
        size = {"width": _n(width - TENTHS), "height": _n(height - TENTHS)}
        place = {"x": _n(x + half), "y": _n(y + half)}
        self._add_stroke("rect", LINE, **place, **size, stroke_dasharray="2 2")

    def hatch(self, x: int, y: int, width: int, height: int, paint: Paint) -> None:
        """A rectangle that is hatched: seen also where colours are not."""
        self.rect(x, y, width, height, paint, fill_opacity="0.25")
        step = 4 * TENTHS
        lines: list[str] = []
        for offset in range(-height, width, step):
            from_x, to_x = max(offset, 0), min(offset + height, width)
            if from_x < to_x:
                from_y, to_y = height - (from_x - offset), height - (to_x - offset)
                lines.append(f"M{_n(x + from_x)} {_n(y + from_y)}L{_n(x + to_x)} {_n(y + to_y)}")
        self._add_stroke("path", paint, d="".join(lines), stroke_width="1")

    def line(self, points: Sequence[tuple[int, int]], paint: Paint, **more: object) -> None:
        """A line through points."""
        self._add_stroke("polyline", paint, points=_points(points), **more)

    def area(self, points: Sequence[tuple[int, int]], paint: Paint, opacity: str) -> None:
        """A filled polygon."""
        self._add("polygon", paint, points=_points(points), fill_opacity=opacity)

    def text(
        self,
        x: int,
        y: int,
        text: str,
        *,
        paint: Paint = INK,
        size: int = 11,
        anchor: str = "start",
        is_bold: bool = False,
    ) -> None:
        """A line of text whose base line is at y."""
        weight = ' font-weight="bold"' if is_bold else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size}" text-anchor="{anchor}"{weight}'
            f' class="{paint.name}" fill="{paint.colour}">{escape(text)}</text>'
        )

    def svg(self) -> str:
        """The drawing."""
        width, height = (_n(one) for one in self._size)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" role="img" font-family="{_FONT}">'
            f"<title>{escape(self._title)}</title>{''.join(self._parts)}</svg>"
        )

    def _add(self, tag: str, paint: Paint, **attributes: object) -> None:
        own = {"class": paint.name, "fill": paint.colour, **attributes}
        self._parts.append(f"<{tag}{_written(own)}/>")

    def _add_stroke(self, tag: str, paint: Paint, **attributes: object) -> None:
        own = {
            "class": f"{paint.name}-stroke",
            "fill": "none",
            "stroke": paint.colour,
            **attributes,
        }
        self._parts.append(f"<{tag}{_written(own)}/>")


class Axis(NamedTuple):
    """Time along a drawing: [from_us, to_us) over `width` from `left`."""

    from_us: int
    to_us: int
    left: int
    width: int

    def at(self, at_us: int) -> int:
        """Where an instant lies; what is outside lies at the edge."""
        inside = min(max(at_us, self.from_us), self.to_us)
        return self.left + (inside - self.from_us) * self.width // max(self.to_us - self.from_us, 1)

    def over(self, from_us: int, to_us: int, least: int) -> tuple[int, int]:
        """Left edge and width of a time; at least so wide that it can be seen, and inside."""
        start, end = self.at(from_us), self.at(to_us)
        width = max(end - start, least)
        return min(start, self.left + self.width - width), width


def _written(attributes: Mapping[str, object]) -> str:
    return "".join(
        f' {name.replace("_", "-")}="{escape(str(value))}"' for name, value in attributes.items()
    )


def _points(points: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(tenths: int) -> str:
    """A number of tenths as a decimal."""
    sign, tenths = ("-", -tenths) if tenths < 0 else ("", tenths)
    whole, rest = divmod(tenths, TENTHS)
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"
