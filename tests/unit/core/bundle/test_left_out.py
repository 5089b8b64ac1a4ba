"""What an insider leaves out of a claim, or writes otherwise than it is written: both verifiers say the same of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller.core.bundle.annex import BadAnnex, parsed_annex
from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import CLAIM, MANIFEST
from controller.core.bundle.manifest import manifest_text, sha256_hex
from controller.core.bundle.statements import Holds, exit_code
from controller.core.bundle.verify import statements
from tests.unit.core.bundle.made import (
    AGENTS,
    ANNEX,
    LOG_KEY_OF,
    ORIGIN,
    Files,
    log_note,
    made,
    raw,
)
from tests.unit.core.bundle.test_pruned import RUN, by_script, lacking

EARLY = "streams/{}/e1/shop/00000001.tlog-proof"


def both(bundle: Files, folder: Path) -> tuple[int, str]:
    """What both say: one exit code, or they do not agree."""
    found = list(statements(bundle, ANNEX))
    code, said = by_script(bundle, folder)
    assert code == exit_code(found), (said, found)
    return code, said


def apart(claim: ClaimNote) -> ClaimNote:
    """Runs of a stream between which seals never came, with another stream in between: nobody sees a gap."""
    return replace(claim, streams=sorted(claim.streams, key=lambda one: one.first))


def test_a_gap_is_not_hidden_between_other_streams(tmp_path: Path) -> None:
    def without_proofs(files: dict[str, bytes]) -> None:
        for agent in AGENTS:
            del files[EARLY.format(agent)]

    code, said = both(made(apart, without_proofs, missing={2}), tmp_path)
    assert code == 1
    assert "the runs of stream fra-1 e1 shop together" in said


def test_the_first_hour_of_a_stream_is_not_left_out_in_silence(tmp_path: Path) -> None:
    code, said = both(made(missing={1}), tmp_path)
    assert code == 2
    assert "INCOMPLETE seals before 2 of stream shop of agent fra-1 are not here" in said
    later = made(lambda claim: replace(claim, from_us=2), missing={1})
    assert both(later, tmp_path / "later")[0] == 0


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda text: text + "note that all was well\n", id="another line"),
        pytest.param(lambda text: text.replace("stream fra-1 ", "stream  fra-1 "), id="two spaces"),
        pytest.param(lambda text: text.replace(" 0 1000\n", " 0 01000\n"), id="another number"),
        pytest.param(lambda text: text.replace("as-of", "as of"), id="another word"),
        pytest.param(lambda text: text.replace("\nas-of", "\nperiod a 1 2\nas-of"), id="a line twice"),
    ],
)  # fmt: skip
def test_a_claim_is_written_in_one_way(written: Callable[[str], str], tmp_path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        text = files[CLAIM].decode().partition("\n\n")[0] + "\n"
        files[CLAIM] = log_note(written(text))

    code, said = both(made(change=change), tmp_path)
    assert (code, "FAIL claim.note: " in said) == (1, True)


@pytest.mark.parametrize(
    "name", ["config/hidden.txt", "keys/FRA.pem", "streams/x", "checkpoints/5.note", "config/7"]
)
def test_no_file_stands_where_no_verifier_looks(name: str, tmp_path: Path) -> None:
    code, said = both(made(change=lambda files: files.update({name: b"x\n"})), tmp_path)
    assert (code, name in said) == (1, True)


def test_a_manifest_names_each_file_once(tmp_path: Path) -> None:
    files = made().files
    del files[MANIFEST]
    text = manifest_text({name: sha256_hex(data) for name, data in files.items()})
    first = text.split("\n")[1] + "\n"
    twice = Files({**files, MANIFEST: log_note(text.replace(first, first + first))})
    assert both(twice, tmp_path)[0] == 1


def test_a_leaf_that_says_it_otherwise_prunes_nothing(tmp_path: Path) -> None:
    run = RUN.format("1 3")
    lines = "streams/fra-1/e1/shop/00000003.jsonl"
    for at, text in enumerate(
        (
            f' vedette.prune/v1\ntime 9\nsubject "PRUNE-1"\ndata {{"runs":["{run}"]}}\n',
            f'vedette.prune/v1\ntime 9\nsubject "PRUNE-1"\ndata {{"runs":[]}}\nruns "{run}"\n',
        )
    ):
        bundle = lacking(lines)
        del bundle.files[MANIFEST]
        bundle.files["config/99.note"] = log_note(text)
        listed = manifest_text({name: sha256_hex(one) for name, one in bundle.files.items()})
        bundle.files[MANIFEST] = log_note(listed)
        assert both(bundle, tmp_path / str(at))[0] == 1


def test_who_was_not_heard_to_the_end_or_at_all_is_told() -> None:
    def told(claim: Callable[[ClaimNote], ClaimNote], annex_more: str = "") -> list[str]:
        annex = replace(
            ANNEX, agents={**ANNEX.agents, **dict.fromkeys(annex_more.split(), "0" * 64)}
        )
        found = list(statements(made(claim), annex))
        assert exit_code(found) == 0
        return [one.text for one in found if one.holds is Holds.NOT_CHECKED and "Ask" in one.text]

    assert not told(lambda claim: claim)
    (said,) = told(lambda claim: replace(claim, as_of_us=10**10))
    assert "after their last seal here, before it ended: fra-1 (after 1970-01-01" in said
    (said,) = told(lambda claim: claim, "sin-1")
    assert "no lines are here of sin-1" in said


def _lines() -> list[str]:
    keys = [f"log {ORIGIN} {raw(LOG_KEY_OF).hex()}"]
    return keys + [f"agent {agent} {raw(key).hex()} by acme" for agent, key in AGENTS.items()]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("\r\n".join(_lines()) + "\r\n", 0, id="from Windows"),
        pytest.param("\n".join(f"  {one}\t# ours" for one in _lines()), 0, id="with room"),
        pytest.param("\n".join([*_lines(), f"agent fra-1 {'0' * 64}"]), 2, id="two keys of an agent"),
        pytest.param("\n".join([*_lines(), f"log b/log {'0' * 64}"]), 2, id="two logs"),
        pytest.param("\n".join(_lines()).replace("agent fra", "# by mail\x0bagent fra"), 1, id="a remark with a key"),
    ],
)  # fmt: skip
def test_both_read_an_annex_alike(text: str, code: int, tmp_path: Path) -> None:
    try:
        found = exit_code(list(statements(made(), parsed_annex(text))))
    except BadAnnex:
        found = 2
    assert (found, by_script(made(), tmp_path, text.encode())[0]) == (code, code)
