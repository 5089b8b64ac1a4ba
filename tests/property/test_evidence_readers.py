"""Laws of what reads evidence: whatever it is given, it gives a value or the refusal that it names, and nothing else."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.cli.evidence.bundle_files import opened_bundle
from controller.core.admission import admitted_line
from controller.core.bundle.annex import BadAnnex, parsed_annex
from controller.core.bundle.claim_note import BadClaim, ClaimNote, parsed_claim
from controller.core.bundle.manifest import BadManifest, parsed_manifest
from controller.core.bundle.recompute import recomputed
from controller.core.bundle.statements import Broken, exit_code
from controller.core.bundle.verify import opened_claim, statements
from controller.core.fleet import read_fleet
from controller.core.replay import decode_replay
from controller.core.stamps import NotStamped, nonce_of, stamped_at
from controller.errors import BadInput
from tests.mutation.odd import zipped
from tests.mutation.scene import Scene, made_scene
from tests.unit.core.bundle.made import ANNEX, LOG_KEY_OF, ORIGIN, Files, log_note, made, raw
from tests.unit.core.bundle.test_verify import signed_anew
from vedette.shared.checkpoint import (
    BadCheckpoint,
    parsed_checkpoint,
    parsed_consistency,
    parsed_inclusion,
)
from vedette.shared.documents import BadDocument
from vedette.shared.merkle import BadProof
from vedette.shared.note import BadNote, KeyKind, Verifier, cosigned_s, opened_note, parsed_note
from vedette.shared.seal import BadSeal, parsed_seal

# Sixteen laws of one kind share what one law is given elsewhere.
LAWS = settings(deadline=None, max_examples=settings().max_examples // 4)
LOG = Verifier(ORIGIN, raw(LOG_KEY_OF))
GOOD = made().files
# What readers of text stumble over: numbers without end, nesting, other line ends, what is no text.
ODD = st.sampled_from(
    [
        b"9" * 30, b"-1", b"0", b"1e400", b"NaN", b"0x10", b"_1", b"\xd9\xa3", b"\xff", b"\0", b"\r\n", b"\n\n",
        b"[" * 3000, b'{"a":' * 3000, b"\xe2\x80\x94 ", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"&a [*a,*a]", b"-", b" ",
        b"99999999999999999999999999999999", b"9223372036854775807", b"18446744073709551616",
    ]
)  # fmt: skip


NUMBER = re.compile(rb"-?[0-9]+")
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.integers(-3, 3), st.sampled_from([2**63 - 1, 2**63, -(2**63), 10**18, 10**40])
).map(lambda one: b"%d" % one)  # fmt: skip


def text_of(note: bytes) -> bytes:
    """The text under the signatures."""
    return note[: note.rfind(b"\n\n") + 1]


class Reader(NamedTuple):
    """What reads, what it refuses with, and something that it takes."""

    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...]
    good: bytes


def of_text(read: Callable[[str], object], refusal: type[Exception], good: bytes) -> Reader:
    """A reader that its caller gives text, decoded and checked as that of a note."""
    return Reader(lambda data: read(data.decode(errors="replace")), (refusal,), good)


SEAL = GOOD["streams/fra-1/e1/shop/00000001.note"]
LINE = (
    b'{"agent":"fra-1","epoch":"e1","stream":"shop","seq":1,"check":"home","region":"fra","at":1750000000000000,'
    b'"took":5,"clock":{"offset":3},"outcome":"up","ok":1,"total":2}'
)
TIMELINE = (
    b'{"version":1,"from":0,"to":10,"horizon":10,"checks":{"home":{"intervals":[{"from":0,"to":10,"verdict":"UP"}],'
    b'"downtime":0,"downtime_min":0,"downtime_max":0,"outages":[],"partial":[{"from":0,"to":10,"weights":["0","0","1/3"]}]'
    b"}}}\n"
)
FLEET = b"""\
version: 1
regions: [{id: fra}]
services: [{id: shop}]
checks:
  - {id: home, service: shop, every: 60s, timeout: 10s, http: {url: "https://shop.example/"}}
contracts:
  - id: gold
    party: ACME
    effective_from: 2026-01-01T00:00:00Z
    scope: {checks: [home]}
    period: {kind: year}
    objectives: [{id: availability, target: "99"}]
    acknowledge_unmeasurable: true
"""
ANNEX_TEXT = (
    f"log {ORIGIN} {'ab' * 32}\nagent fra-1 sha256:{'cd' * 32} by acme  # theirs\n"
    f"authority tsa sha256:{'ef' * 32}\nwitness acme/w {'12' * 32}\n"
)
READERS = {
    "note": Reader(lambda data: opened_note(data, [LOG]), (BadNote,), GOOD["claim.note"]),
    "witness": Reader(
        lambda data: cosigned_s(parsed_note(data), Verifier("w", bytes(32), KeyKind.COSIGNATURE)),
        (BadNote,), GOOD["checkpoints/9"],
    ),
    "checkpoint": of_text(
        lambda text: parsed_checkpoint(text, ORIGIN), BadCheckpoint, text_of(GOOD["checkpoints/9"])
    ),
    "place": Reader(parsed_inclusion, (BadProof,), GOOD["claim.tlog-proof"]),
    "growth": Reader(parsed_consistency, (BadProof,), GOOD["consistency/3-6.proof"]),
    "seal": of_text(parsed_seal, BadSeal, text_of(SEAL)),
    "claim": of_text(parsed_claim, BadClaim, text_of(GOOD["claim.note"])),
    "manifest": of_text(parsed_manifest, BadManifest, text_of(GOOD["MANIFEST.note"])),
    "annex": of_text(parsed_annex, BadAnnex, ANNEX_TEXT.encode()),
    "line": Reader(admitted_line, (ValueError,), LINE),
    "timeline": Reader(decode_replay, (ValueError,), TIMELINE),
    "fleet": Reader(lambda data: read_fleet(data, "fleet.yaml"), (BadDocument,), FLEET),
}  # fmt: skip


@st.composite
def tampered(draw: st.DrawFn, good: bytes) -> bytes:
    """Good bytes with some of them replaced, left out, moved or said twice; or any bytes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = good
    for _ in range(draw(st.integers(1, 3))):
        is_number = draw(st.booleans())
        numbers = [match.span() for match in NUMBER.finditer(data)]
        if numbers and is_number:
            start, end = draw(st.sampled_from(numbers))
            data = data[:start] + draw(NUMBERS) + data[end:]
            continue
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from([0, 0, 1, 1, 2, 8, 40, 200])))
        new = draw(
            st.one_of(ODD, st.binary(max_size=3), st.just(data[start:end] * 2), st.just(b""))
        )
        data = data[:start] + new + data[end:]
    return data


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@LAWS
@given(data=st.data())
def test_a_reader_gives_a_value_or_its_refusal(reader: Reader, data: st.DataObject) -> None:
    reader.read(reader.good)
    try:
        reader.read(data.draw(tampered(reader.good)))
    except reader.refusals as refusal:
        _require_words(refusal)


@LAWS
@given(data=st.data(), is_insider=st.booleans())
def test_a_bundle_is_judged_whatever_stands_in_it(data: st.DataObject, is_insider: bool) -> None:
    name = data.draw(st.sampled_from(sorted(GOOD)))
    new = data.draw(tampered(GOOD[name]))
    if is_insider and data.draw(st.booleans()):
        new = signed(new)
    files = {**GOOD, name: new}
    found = list(statements(signed_anew(files) if is_insider else Files(files), ANNEX))
    assert exit_code(found) in (0, 1, 2)


def signed(data: bytes) -> bytes:
    """The text of a note as an insider signs it, where a note can hold it."""
    try:
        return log_note(text_of(data).decode())
    except ValueError:
        return data


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return made_scene(tmp_path_factory.mktemp("controller"))


@dataclass(frozen=True)
class Computed:
    """A real claim about a day, of which one seal is enough, and what can be changed in it."""

    files: Mapping[str, bytes]
    claim: ClaimNote
    names: Sequence[str]

    def said(self, changed: Mapping[str, bytes]) -> list[str]:
        """What is said where these files are others."""
        found = recomputed(Files({**self.files, **changed}), self.claim)
        return [one.text for one in found]


@pytest.fixture(scope="module")
def computed(scene: Scene) -> Computed:
    claim = opened_claim(Files(dict(scene.files)), Verifier(ORIGIN, scene.annex.log_key))
    last = claim.streams[-1]
    few = replace(claim, streams=[replace(last, first=last.last, first_sha256=last.last_sha256)])
    lines = last.stream.lines(last.last)
    rules = [name for name in scene.files if name.startswith("config/") and name.endswith("e")]
    files = {**scene.files, lines: b"".join(scene.files[lines].splitlines(keepends=True)[:40])}
    return Computed(files, few, ["fleet.yaml", "timeline.json", "attainment.json", lines, *rules])


@LAWS
@given(data=st.data())
def test_figures_are_computed_anew_from_whatever_stands_there(
    computed: Computed, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(computed.names))
    assert computed.said({name: data.draw(tampered(computed.files[name]))})


@pytest.mark.parametrize("key", ["from", "to", "horizon"])
@pytest.mark.parametrize("at_us", [-(2**63), 0, 2**63 - 1])
def test_absurd_times_of_a_timeline_are_computed_in_no_time(
    computed: Computed, key: str, at_us: int
) -> None:
    document = json.loads(computed.files["timeline.json"])
    absurd = json.dumps({**document, key: at_us}).encode()
    assert computed.said({"timeline.json": absurd})


@LAWS
@given(data=st.data())
def test_a_timestamp_is_one_or_is_refused(scene: Scene, data: st.DataObject) -> None:
    (at,) = [name[:-4] for name in scene.files if name.endswith(".tsr")]
    head = scene.files["checkpoints/" + at.removeprefix("timestamps/").partition(".")[0]]
    for kind, read in (
        ("tsr", lambda given: stamped_at(scene.roots, head, given)),
        ("tsq", lambda given: nonce_of(given, head)),
    ):
        with_der = data.draw(tampered(scene.files[f"{at}.{kind}"]))
        refused(read, with_der)


def refused(read: Callable[[bytes], Any], data: bytes) -> None:
    try:
        read(data)
    except NotStamped as refusal:
        _require_words(refusal)


SMALL = {name: GOOD[name] for name in ("README.txt", "claim.note", "MANIFEST.note")}
ZIP = zipped(SMALL)


@LAWS
@given(data=st.data())
def test_a_zip_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.zip"
    path.write_bytes(data.draw(tampered(ZIP)))
    read_all(path)


def read_all(path: Path) -> None:
    try:
        with opened_bundle(path) as bundle:
            for name in bundle.names():
                try:
                    bundle.read(name)
                except Broken as refusal:
                    _require_words(refusal)
    except BadInput as refusal:
        _require_words(refusal)


def _require_words(refusal: Exception) -> None:
    assert str(refusal), "a refusal says what is wrong"
