import hashlib
from dataclasses import replace

import pytest

from vedette.shared.seal import (
    BadSeal,
    ClockState,
    Payload,
    Seal,
    Slots,
    Span,
    StreamName,
    checks_digest,
    parsed_seal,
)

EMPTY = Payload(0, 0, 0, hashlib.sha256().hexdigest(), 0)
SEAL = Seal(
    StreamName("example.net", "fra-1", "shop", "9f31c2d0"),
    1234,
    "a" * 64,
    Payload(5, 9, 4, "b" * 64, 2000),
    Slots(4, 1),
    checks_digest(["d" * 64, "c" * 64]),
    Span(1_000_000, 61_000_000, 5_000_000_000, 65_000_000_000),
    ClockState(True, -120, 900, 0),
)


def test_a_seal_is_ten_plain_lines() -> None:
    assert SEAL.text() == (
        "vedette.seal/v1\n"
        "stream example.net/agent/fra-1 shop epoch 9f31c2d0\n"
        "seal 1234\n"
        f"prev {'a' * 64}\n"
        "lines 5 9 4\n"
        f"payload {'b' * 64} 2000\n"
        "slots 5 4 1\n"
        f"checks {hashlib.sha256(('c' * 64 + chr(10) + 'd' * 64 + chr(10)).encode()).hexdigest()}\n"
        "time 1000000 61000000 mono 5000000000 65000000000\n"
        "clock synced=1 offset_us=-120 error_us=900 step_us=0\n"
    )


@pytest.mark.parametrize(
    "seal",
    [
        pytest.param(SEAL, id="full"),
        pytest.param(replace(SEAL, number=1, prev=None), id="first"),
        pytest.param(replace(SEAL, payload=EMPTY, slots=Slots(0, 7)), id="nothing but absence"),
        pytest.param(replace(SEAL, clock=ClockState()), id="a clock of which nothing is known"),
        pytest.param(
            replace(SEAL, name=replace(SEAL.name, stream="@anchors")), id="a stream of anchors"
        ),
    ],
)
def test_what_is_written_is_read_the_same(seal: Seal) -> None:
    assert parsed_seal(seal.text()) == seal


def test_a_wall_clock_that_was_moved_shows() -> None:
    assert Span(0, 60_000_000, 0, 60_000_000_000).step_us == 0
    assert Span(0, 3_660_000_000, 0, 60_000_000_000).step_us == 3_600_000_000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("vedette.seal/v1", "vedette.seal/v2", "line 1", id="another kind"),
        pytest.param("seal 1234", "seal 01234", "line 3", id="leading zero"),
        pytest.param("seal 1234", "seal 1234 ", "line 3", id="trailing space"),
        pytest.param("seal 1234", "seal 0", "seals from 1", id="number zero"),
        pytest.param("seal 1234", "seal 1", "without `prev`", id="a first one with a prev"),
        pytest.param(f"prev {'a' * 64}", "prev -", "without `prev`", id="a later one without"),
        pytest.param("a" * 64, "A" * 64, "line 4", id="upper-case hash"),
        pytest.param("lines 5 9 4", "lines 5 9 6", "first to last", id="more than fit"),
        pytest.param("lines 5 9 4", "lines 9 5 4", "first to last", id="backwards"),
        pytest.param("lines 5 9 4", "lines 5 9 0", "hash of nothing", id="hash of absent lines"),
        pytest.param("lines 5 9 4", "lines - - 4", "line 5", id="a count of no lines"),
        pytest.param(
            "slots 5 4 1", "slots 6 4 1", "done . missed = scheduled", id="slots that do not add up"
        ),
        pytest.param("slots 5 4 1", "slots 3 4 -1", "line 7", id="negative slots"),
        pytest.param("synced=1", "synced=2", "line 10", id="clock state"),
        pytest.param("seal 1234", "seal " + "9" * 19, "line 3", id="a number past any table's"),
        pytest.param("epoch 9f31c2d0", "epoch ../x", "an epoch", id="no epoch"),
        pytest.param("step_us=0\n", "step_us=0", "expected 10 lines", id="no last newline"),
        pytest.param("step_us=0\n", "step_us=0\nmore\n", "expected 10 lines", id="one line more"),
    ],
)
def test_anything_else_is_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(BadSeal, match=said):
        parsed_seal(SEAL.text().replace(old, new))
