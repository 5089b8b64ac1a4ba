"""Lines that were pruned: both verifiers say so, and take no lines for pruned that no leaf of the log names."""

import subprocess
from importlib.resources import files as resources
from pathlib import Path

import pytest

from controller.core.bundle.claim_note import parsed_claim
from controller.core.bundle.layout import CLAIM, RESULTS
from controller.core.bundle.pruned import unrecomputable
from controller.core.bundle.statements import Holds, exit_code
from controller.core.bundle.verify import statements
from tests.fakes.shell import SHELL
from tests.unit.core.bundle.made import (
    AGENTS,
    ANNEX,
    LOG_KEY_OF,
    ORIGIN,
    Files,
    made,
    raw,
)
from vedette.shared.note import parsed_note

RUN = "stream fra-1 e1 shop seals {} lines 1 6 4 bytes 99"
FIRST = "streams/fra-1/e1/shop/00000001.jsonl"
LAST = "streams/fra-1/e1/shop/00000003.jsonl"
OTHER = "streams/nyc-1/e1/shop/00000001.jsonl"
SCRIPT = resources("controller.services.bundling") / "verify.sh"


def lacking(*names: str, runs: list[str] | None = None) -> Files:
    """A bundle without these lines, made so by a controller, or by an insider."""

    def drop(files: dict[str, bytes]) -> None:
        for name in names:
            files[RESULTS] = files[RESULTS].replace(files.pop(name), b"")

    return made(change=drop, pruned=runs or [])


def by_script(bundle: Files, folder: Path, annex_text: bytes = b"") -> tuple[int, str]:
    """Exit code of the script, and what it says, by this annex or the one that holds."""
    for name, data in bundle.files.items():
        (folder / "bundle" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "bundle" / name).write_bytes(data)
    annex = [f"log {ORIGIN} {raw(LOG_KEY_OF).hex()}"]
    annex += [f"agent {agent} {raw(key).hex()}" for agent, key in AGENTS.items()]
    (folder / "annex.txt").write_bytes(annex_text or ("\n".join(annex) + "\n").encode())
    done = subprocess.run(
        [SHELL, "-c", SCRIPT.read_text(), str(folder / "bundle/verify.sh"), str(folder / "annex.txt")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("names", "runs", "code", "sentence"),
    [
        pytest.param([FIRST, LAST], ["1 3"], 2, "2 seals", id="all of a stream"),
        pytest.param([LAST], ["1 1", "3 3"], 2, "1 seals", id="some of it, a leaf naming more"),
        pytest.param([FIRST], [], 1, FIRST, id="no leaf says so"),
        pytest.param([FIRST, LAST], ["2 3"], 1, FIRST, id="a leaf says it of others"),
        pytest.param([OTHER], ["1 3"], 1, OTHER, id="a leaf says it of another stream"),
        pytest.param([LAST], ["- -"], 1, LAST, id="a leaf speaks of lines without seals"),
        pytest.param([LAST], ["3 9999999999"], 1, LAST, id="a leaf of seals without end"),
        pytest.param([], ["1 3"], 0, "", id="what a leaf names is there all the same"),
    ],
)
def test_both_verifiers_say_what_was_pruned_and_miss_what_was_not(
    names: list[str], runs: list[str], code: int, sentence: str, tmp_path: Path
) -> None:
    bundle = lacking(*names, runs=[RUN.format(one) for one in runs])
    found = list(statements(bundle, ANNEX))
    said = [one.text for one in found if one.holds in (Holds.FAIL, Holds.INCOMPLETE)]
    assert exit_code(found) == code, found
    script, told = by_script(bundle, tmp_path)
    assert script == code, told
    if code:
        assert sentence in said[0]
        assert sentence in told
    if code == 2:
        assert all("integrity proved, recomputation impossible" in one for one in (said[0], told))
    claim = parsed_claim(parsed_note(bundle.read(CLAIM)).text.decode())
    if code != 1:
        assert (unrecomputable(bundle, claim, "it") is not None) == (code == 2)


def test_a_leaf_that_the_log_did_not_sign_prunes_nothing(tmp_path: Path) -> None:
    def forge(files: dict[str, bytes]) -> None:
        files[RESULTS] = files[RESULTS].replace(files.pop(FIRST), b"")
        name = next(one for one in files if files[one].startswith(b"vedette.prune/v1"))
        files[name] = files[name].replace(b"seals 3 3", b"seals 1 3")

    bundle = made(change=forge, pruned=[RUN.format("3 3")])
    assert exit_code(statements(bundle, ANNEX)) == 1
    code, told = by_script(bundle, tmp_path)
    assert (code, "not signed by" in told) == (1, True)


def test_strings_that_only_look_like_it_are_nothing(tmp_path: Path) -> None:
    for odd in (" " + RUN.format("1 3"), RUN.format("01 3"), RUN.format("1 3 "), "stream"):
        bundle = lacking(FIRST, runs=[odd])
        assert exit_code(statements(bundle, ANNEX)) == 1, odd
        assert by_script(bundle, tmp_path / odd[:7].strip() / str(len(odd)))[0] == 1, odd
