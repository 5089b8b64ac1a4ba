"""`vedette evidence`: the lines that are kept, the seals under them, and who vouches for the log.

Its commands are imported when they are called: `paper` works where gRPC is not installed.
"""

from collections.abc import Mapping
from typing import Final

from controller.cli.lazy import Lazy, LazyGroup

COMMANDS: Final[Mapping[str, Lazy]] = {
    "annex": Lazy(
        "controller.cli.evidence.export", "annex", "Print the keys that bundles are checked by."
    ),
    "authority": Lazy(
        "controller.cli.evidence.authority",
        "authority",
        "Who stamps the log, on the controller's machine.",
    ),
    "counter": Lazy(
        "controller.cli.evidence.counter", "counter", "What the other side has against it."
    ),
    "export": Lazy("controller.cli.evidence.export", "export", "Hand over a bundle of evidence."),
    "hold": Lazy(
        "controller.cli.evidence.hold", "hold", "Evidence that is kept beyond its retention."
    ),
    "paper": Lazy(
        "controller.cli.evidence.paper", "paper", "Make the report of a bundle for people, offline."
    ),
    "streams": Lazy("controller.cli.evidence.streams", "streams", "List every stream."),
    "timestamps": Lazy(
        "controller.cli.evidence.exposure",
        "timestamps",
        "Say how much of the log is fixed from outside.",
    ),
}
evidence = LazyGroup("evidence", help="Lines, and the seals under them.", table=COMMANDS)
