"""A bundle that nobody touched is taken; one that anybody did is not, whatever was done and by whom."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.core.bundle.layout import MANIFEST, RESULTS, Stream, belongs
from controller.core.bundle.manifest import manifest_text, sha256_hex
from controller.core.bundle.statements import Holds, Statement, exit_code
from controller.core.bundle.verify import statements
from tests.unit.core.bundle.made import (
    AGENTS,
    ANNEX,
    Files,
    changed,
    log_note,
    made,
    pem,
    raw,
    without,
)

FRA = Stream("fra-1", "e1", "shop")
NYC = Stream("nyc-1", "e1", "shop")
GOOD = made().files


def said(bundle: Files) -> list[Statement]:
    return list(statements(bundle, ANNEX))


def refusal(bundle: Files) -> str:
    """The statement that does not hold; the one before it did."""
    (found,) = [one for one in said(bundle) if one.holds is Holds.FAIL]
    return found.text


def signed_anew(files: dict[str, bytes]) -> Files:
    """With a manifest of the files as they are now, by the log's own key."""
    rest = {name: data for name, data in files.items() if name != MANIFEST}
    listed = manifest_text({name: sha256_hex(data) for name, data in rest.items()})
    return Files({**rest, MANIFEST: log_note(listed)})


def test_an_untouched_bundle_holds_and_says_what_cannot_be_proved() -> None:
    found = said(Files(GOOD))
    assert [one.holds for one in found] == [Holds.PASS] * (len(found) - 2) + [Holds.NOT_CHECKED] * 2
    assert "cannot be proved" in found[-1].text
    assert exit_code(found) == 0
    assert any("4 lines; 6 of 6 slots missed" in one.text for one in found)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_any_flipped_bit_of_any_file_is_seen(name: str) -> None:
    step = max(1, len(GOOD[name]) // 40)
    for at in range(0, len(GOOD[name]), step):
        assert exit_code(said(changed(GOOD, name, at))) == 1, f"{name} byte {at}"


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_and_a_cut_file_is_seen(name: str) -> None:
    rest = {other: data for other, data in GOOD.items() if other != name}
    assert name in refusal(Files(rest))
    assert exit_code(said(Files({**rest, name: GOOD[name][:-1]}))) == 1
    assert exit_code(said(Files({**rest, name: b""}))) == 1


def test_a_file_that_does_not_belong_is_seen() -> None:
    assert "does not stand in" in refusal(Files({**GOOD, "extra.txt": b""}))
    assert "no file of a bundle" in refusal(signed_anew({**GOOD, "../../etc/passwd": b"x"}))


# Files that say nothing by themselves: an insider can write any text there, and it proves nothing.
PROSE = {"README.txt", "verify.sh"}


@pytest.mark.parametrize("name", sorted(GOOD.keys() - PROSE - {MANIFEST}))
def test_an_insider_who_signs_the_manifest_anew_is_caught(name: str) -> None:
    step = max(1, len(GOOD[name]) // 40)
    for at in range(0, len(GOOD[name]), step):
        tampered = changed(GOOD, name, at).files
        assert exit_code(said(signed_anew(tampered))) == 1, f"{name} byte {at}"
    rest = {other: data for other, data in GOOD.items() if other != name}
    assert exit_code(said(signed_anew(rest))) == 1


def drop_tail(files: dict[str, bytes]) -> None:
    for stream in (FRA, NYC):
        del files[stream.note(3)], files[stream.lines(3)]


def swap_streams(files: dict[str, bytes]) -> None:
    for number in (1, 3):
        mine, yours = FRA.lines(number), NYC.lines(number)
        files[mine], files[yours] = files[yours], files[mine]


def forge_lines(files: dict[str, bytes]) -> None:
    files[FRA.lines(1)] = files[FRA.lines(1)].replace(b'"n":1', b'"n":9')
    files[RESULTS] = files[RESULTS].replace(
        b'"n":1}\n{"agent":"fra-1"', b'"n":9}\n{"agent":"fra-1"'
    )


def other_agent_key(files: dict[str, bytes]) -> None:
    files["keys/fra-1.pem"] = pem(AGENTS["nyc-1"])


def another_history(files: dict[str, bytes]) -> None:
    files["checkpoints/3"] = files["checkpoints/6"]


CASES: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "the tail cut off": (drop_tail, "is missing"),
    "lines of another agent": (swap_streams, "expected 2 lines"),
    "lines that were never seen": (forge_lines, "expected 2 lines"),
    "another key for an agent": (other_agent_key, "not a key of agent fra-1"),
    "another head of the log": (another_history, "expected a head of 3 leaves"),
}


@pytest.mark.parametrize(("change", "sentence"), CASES.values(), ids=CASES)
def test_what_an_insider_changes_before_signing_is_seen(
    change: Callable[[dict[str, bytes]], None], sentence: str
) -> None:
    assert sentence in refusal(made(change=change))


def test_a_stream_that_the_claim_leaves_out_is_seen() -> None:
    bundle = made(lambda claim: without(claim, "nyc-1"))
    assert "belongs to no stream" in refusal(bundle)


def test_a_claim_of_fewer_seals_is_seen() -> None:
    bundle = made(
        lambda claim: replace(
            claim, streams=[replace(one, last=2, last_sha256="0" * 64) for one in claim.streams]
        )
    )
    assert "belongs to no stream" in refusal(bundle)


def test_a_claim_of_seals_without_end_is_refused_at_once() -> None:
    bundle = made(
        lambda claim: replace(claim, streams=[replace(one, last=10**18) for one in claim.streams])
    )
    assert "found fewer files" in refusal(bundle)


def test_a_seal_that_never_came_is_named_and_nothing_else_is_wrong() -> None:
    found = said(made(missing=[2]))
    assert exit_code(found) == 2
    assert {one.holds for one in found} == {Holds.PASS, Holds.INCOMPLETE, Holds.NOT_CHECKED}
    gaps = [one.text for one in found if one.holds is Holds.INCOMPLETE]
    assert len(gaps) == len(AGENTS)
    assert gaps[0].startswith("Seal 2 of stream shop of agent fra-1 (epoch e1) never came")
    note = GOOD[FRA.note(2)]
    assert sha256_hex(note) in gaps[0]


@pytest.mark.parametrize("name", sorted(made(missing=[2]).files.keys() - PROSE - {MANIFEST}))
def test_a_bundle_with_a_gap_is_as_hard_to_change(name: str) -> None:
    whole = made(missing=[2]).files
    for at in (0, len(whole[name]) // 2):
        assert exit_code(said(signed_anew(changed(whole, name, at).files))) == 1, f"byte {at}"
    rest = {other: data for other, data in whole.items() if other != name}
    assert exit_code(said(signed_anew(rest))) == 1


def test_a_claim_that_supersedes_what_is_not_here_is_refused() -> None:
    said_so = refusal(made(lambda claim: replace(claim, supersedes="1" * 64)))
    assert f"supersedes the claim with SHA-256 {'1' * 64}: in config/ is no such note" in said_so


def test_a_definition_that_no_revision_names_is_refused() -> None:
    said_so = refusal(made(change=lambda held: held.update({"config/0.json": b"{}"})))
    assert said_so == "config/0.json belongs to no revision of a check."


def test_a_seal_that_is_there_is_no_gap() -> None:
    gap = made(missing=[2]).files
    assert "belongs to no stream" in refusal(signed_anew({**gap, FRA.note(2): GOOD[FRA.note(2)]}))
    for first in (2, 1):
        bundle = made(
            lambda claim, first=first: replace(  # type: ignore[misc]
                claim, streams=[claim.streams[0], replace(claim.streams[0], first=first)]
            )
        )
        assert "claim.note: expected seals of" in refusal(bundle)


def test_a_key_that_the_annex_does_not_have_counts_nowhere() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes([9] * 32))
    annex = replace(ANNEX, agents={**ANNEX.agents, "fra-1": raw(stranger).hex()})
    found = list(statements(Files(GOOD), annex))
    assert "not a key of agent fra-1 in the annex" in found[-1].text
    annex = replace(ANNEX, log_key=raw(stranger))
    assert exit_code(list(statements(Files(GOOD), annex))) == 1


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../a", "streams/a/b", "streams/fra-1/e1/shop/1.note", "keys/../x.pem",
     "checkpoints/", "streams/fra-1/e1/../00000001.note", "config/x.note", "README.txt\n"],
)  # fmt: skip
def test_names_that_lead_elsewhere_belong_nowhere(name: str) -> None:
    assert not belongs(name)
