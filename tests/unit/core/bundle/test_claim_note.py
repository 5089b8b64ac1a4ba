"""The text of a claim: written and read alike, and refused where it says what no claim does."""

from dataclasses import replace

import pytest

from controller.core.bundle.claim_note import BadClaim, ClaimNote, Run, Unsealed, parsed_claim
from controller.core.bundle.layout import CLAIM, Stream
from tests.unit.core.bundle.made import made

FRA = Stream("fra-1", "e1", "shop")


def claim(*, missing: tuple[int, ...] = ()) -> ClaimNote:
    text = made(missing=missing).files[CLAIM].decode().partition("\n\n")[0]
    return parsed_claim(f"{text}\n")


WHOLE = claim()
GAP = claim(missing=(2,))
OUTAGE = replace(WHOLE, contract="", label="OUT-3", check="home", attainment_sha256=None)


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(WHOLE, id="a contract and a period"),
        pytest.param(GAP, id="seals that never came"),
        pytest.param(OUTAGE, id="an outage"),
        pytest.param(replace(WHOLE, supersedes="0" * 64), id="in place of another"),
        pytest.param(
            replace(
                WHOLE,
                unsealed=[Unsealed(FRA, 7, 9, 1000, 2000), Unsealed(FRA, 11, 11, 3000, 3000)],
                late=[Run(FRA, 3, 4)],
            ),
            id="lines beside the seals",
        ),
    ],
)
def test_what_is_written_is_read(one: ClaimNote) -> None:
    assert parsed_claim(one.text()) == one


def test_a_claim_says_what_it_is_about() -> None:
    assert WHOLE.subject == "gold (revision 1) over 2026-06"
    assert OUTAGE.subject == "outage OUT-3 of check home (revision 1)"


TEXT = replace(WHOLE, unsealed=[Unsealed(FRA, 7, 9, 1, 2)], late=[Run(FRA, 3, 4)]).text()
BAD = {
    "another kind": (TEXT.replace("claim/v1", "claim/v2"), "line 1: expected vedette.claim/v1"),
    "no streams' end": (TEXT[:-1], "expected at least"),
    "no streams": (replace(WHOLE, streams=[]).text(), "expected at least one `stream`, found none"),
    "neither contract nor outage": (TEXT.replace("contract gold", "check gold"), "line 2: expected `contract` or"),
    "an outage with figures": (TEXT.replace("contract gold", "outage OUT-1 check gold"), "a contract and its"),
    "an outage under another name": (
        OUTAGE.text().replace("period OUT-3", "period OUT-4"), "a contract and its"
    ),
    "a contract without figures": (
        TEXT.replace(f"attainment {WHOLE.attainment_sha256}", "attainment -"), "a contract and its"
    ),
    "lines that end before they begin": (TEXT.replace("lines 3 4", "lines 4 3"), "expected lines from first"),
    "line nought": (TEXT.replace("lines 3 4", "lines 0 4"), "expected lines from first"),
    "unsealed lines of no time": (TEXT.replace(" time 1 2", ""), "written otherwise"),
    "late lines of a time": (TEXT.replace("lines 3 4", "lines 3 4 time 1 2"), "written otherwise"),
    "late before unsealed": (
        replace(WHOLE, late=[Run(FRA, 3, 4)]).text() + "unsealed fra-1 e1 shop lines 7 9 time 1 2\n",
        "written otherwise",
    ),
    "another word": (TEXT.replace("late fra-1", "soon fra-1"), "expected `unsealed` or `late`"),
    "runs of a stream apart": (
        replace(GAP, streams=[*GAP.streams[::2], *GAP.streams[1::2]]).text(), "runs of each stream together",
    ),
    "runs in another order": (
        replace(GAP, streams=[*GAP.streams[1::-1], *GAP.streams[2:]]).text(), "expected seals of streams/fra-1",
    ),
    "a gap of nothing": (
        replace(GAP, streams=[replace(GAP.streams[0], last=2), *GAP.streams[1:]]).text(),
        "after 3, found 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), BAD.values(), ids=BAD)
def test_what_no_claim_says_is_refused_in_words(text: str, sentence: str) -> None:
    with pytest.raises(BadClaim) as refused:
        parsed_claim(text)
    assert sentence in str(refused.value)
