"""What may be said of a part from which something had to be left out."""

import pytest

from vedette.shared.documents import Path
from vedette.shared.probes import Finding
from vedette.shared.remains import sayable


def finding(*path: str | int) -> Finding:
    return path, "this", "that"


EVERYTHING = (
    finding(), finding("every"), finding("quorum", "k"), finding("regions", 0),
    finding("http", "tls", "pins", 0), finding("http", "tls", "min_version"), finding("http", "expect", 3),
)  # fmt: skip


@pytest.mark.parametrize(
    ("left_out", "silent"),
    [
        pytest.param(set(), set(), id="nothing"),
        pytest.param({("http", "tls", "pins", 0)}, {0, 4}, id="an item of a list"),
        pytest.param({("http", "expect", 0)}, {0, 6}, id="an item before others"),
        pytest.param({("http", "method")}, {0, 4, 5, 6}, id="a key of a part"),
        pytest.param({("timeout",)}, {0, 1, 2}, id="a key that others hang on"),
        pytest.param({("regions", 1), ("timeout",)}, {0, 1, 2, 3}, id="both"),
    ],
)
def test_what_hangs_on_what_was_left_out_is_not_said(left_out: set[Path], silent: set[int]) -> None:
    said = list(sayable(EVERYTHING, left_out))
    assert [one for place, one in enumerate(EVERYTHING) if place not in silent] == said
