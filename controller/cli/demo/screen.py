"""What the demo shows while it runs: a table that changes on a terminal, plain lines elsewhere."""

import time
from collections.abc import Sequence
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vedette.v1 import fleet_pb2

STYLES: Final = {
    "UP": "green", "DOWN": "bold white on red", "PARTIAL": "yellow", "DEGRADED": "yellow",
    "UNKNOWN": "dim", "NONE": "dim",
}  # fmt: skip


class Screen:
    """Shows progress. `event` is for what happens, `show` for how the checks do at present."""

    def __init__(self, console: Console, regions: Sequence[str]) -> None:
        self._console = console
        self._regions = regions
        self._started = time.monotonic()
        self._events: list[Text] = []
        self._verdicts: dict[str, str] = {}
        self._live = Live(console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        if self._console.is_terminal:
            for event in self._events:
                self._console.print(event)

    def event(self, text: str, style: str = "") -> None:
        """Something happened; it stays on the screen."""
        line = Text.assemble((f"{time.monotonic() - self._started:5.1f} s  ", "dim"), (text, style))
        self._events.append(line)
        if not self._console.is_terminal:
            self._console.print(line)
        else:
            self._live.update(self._picture([]))

    def show(self, checks: Sequence[fleet_pb2.Check]) -> None:
        """The checks as they are now; a verdict that changed is an event."""
        for check in checks:
            before = self._verdicts.get(check.id)
            if before is not None and before != check.verdict:
                labels = ", ".join(f"{v.region} {v.label}" for v in check.labels)
                self.event(
                    f"{check.id}: {before} -> {check.verdict}  ({labels})", STYLES[check.verdict]
                )
            self._verdicts[check.id] = check.verdict
        if self._console.is_terminal:
            self._live.update(self._picture(checks))

    def _picture(self, checks: Sequence[fleet_pb2.Check]) -> Group:
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
        for heading in ("CHECK", "TARGET", *self._regions, "VERDICT"):
            table.add_column(heading)
        for check in checks:
            labels = {v.region: v.label for v in check.labels}
            cells = [labels.get(region, "NONE") for region in self._regions]
            table.add_row(
                check.id, check.target, *(Text(c, STYLES[c]) for c in cells),
                Text(check.verdict, STYLES[check.verdict]),
            )  # fmt: skip
        return Group(*self._events, Text(), table)
