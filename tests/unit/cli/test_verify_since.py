"""`vedette verify --since`: nobody who kept a head of the log can be shown another history."""

import json
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.core.log_view import LogView
from controller.cli.evidence.held_heads import newest_head
from controller.core.bundle.log import opened_head
from controller.core.bundle.since import Held, grown_since
from controller.core.bundle.statements import Holds
from controller.errors import BadInput
from tests.unit.cli.test_verify import ANNEX, put, verify
from tests.unit.core.bundle.made import HEADS, LOG_KEY_OF, ORIGIN, Files, log_note, made, raw
from vedette.shared.checkpoint import Checkpoint
from vedette.shared.note import Verifier, signed_note

OLD, NEW = HEADS[1], HEADS[-1]
OTHER = Checkpoint(ORIGIN, OLD, bytes(32)).text()
GOOD = made()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle, the annex, and what somebody may hold: all forms of it, and all that it must not be."""
    where = tmp_path_factory.mktemp("since")
    (where / "annex.txt").write_text(ANNEX)
    put(GOOD, where / "bundle")
    kept = ("checkpoints/3", f"checkpoints/{OLD}", f"consistency/3-{OLD}.proof")
    for name in ("old", "old.zip"):
        put(Files({name: GOOD.read(name) for name in kept}), where / name)
    put(Files({**{name: GOOD.read(name) for name in kept[:2]}}), where / "unproved")
    put(Files({"README.txt": b""}), where / "headless")
    head = GOOD.read(f"checkpoints/{OLD}")
    (where / "head").write_bytes(head)
    (where / "mail").write_bytes(head.replace(b"\n", b"\r\n"))
    seen = LogView(ORIGIN, raw(LOG_KEY_OF), OLD, bytes(32), head)
    (where / "seen.json").write_bytes(msgspec.json.encode(seen))
    for size in (5, 12):
        (where / f"of-{size}").write_bytes(log_note(Checkpoint(ORIGIN, size, bytes(32)).text()))
    (where / "forked").write_bytes(log_note(OTHER))
    stranger = Ed25519PrivateKey.generate()
    (where / "strangers").write_bytes(signed_note(OTHER, ORIGIN, stranger))
    (where / "other.json").write_text(json.dumps({"note": 3}))
    (where / "text").write_bytes(b"hello\n")
    return where


@pytest.mark.parametrize("name", ["head", "mail", "seen.json", "old", "old.zip"])
def test_what_goes_on_from_what_is_held_is_said_to(folder: Path, name: str) -> None:
    result = verify(folder / "bundle", "--since", str(folder / name))
    assert result.exit_code == 0, result.output
    assert (
        f"PASS         The log is append-only since {folder / name}, which you hold ({OLD} -> {NEW}"
        in result.output
    )


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("of-5", 2, "no proof from there is in this bundle (9). Ask for one"),
        ("of-12", 2, "is newer (12 leaves) than this bundle (9)"),
        ("forked", 1, "the log was forked; keep both, together they are the proof"),
        ("strangers", 2, "holds no history of the log"),
        ("unproved", 2, "consistency/3-6.proof is missing"),
        ("headless", 2, "Expected heads of a log"),
        ("other.json", 2, "Expected a signed head of a log as `note`"),
        ("text", 2, "holds no history of the log"),
        ("nothing", 2, "Cannot read"),
    ],
)
def test_what_does_not_is_refused_or_named(folder: Path, name: str, code: int, said: str) -> None:
    result = verify(folder / "bundle", "--since", str(folder / name))
    assert result.exit_code == code, result.output
    assert said in result.output


def test_one_that_does_not_fit_counts_among_several_that_do(folder: Path) -> None:
    since = ("--since", str(folder / "head"), "--since", str(folder / "of-5"))
    assert verify(folder / "bundle", *since).exit_code == 2
    since = ("--since", str(folder / "forked"), "--since", str(folder / "head"))
    assert verify(folder / "bundle", *since).exit_code == 1


def test_a_bundle_that_is_older_than_what_is_held_is_the_beginning_of_it() -> None:
    heads = {size: Checkpoint(ORIGIN, size, bytes([size]) * 32) for size in (3, 6, 9)}
    held = Held("newer.zip", [heads[6], heads[9]])
    (told,) = grown_since({size: heads[size] for size in (3, 6)}, [held])
    assert told.holds is Holds.PASS
    assert told.text.endswith("its log begins with the 6 of this bundle.")


@pytest.mark.parametrize("name", ["head", "mail", "seen.json", "old", "old.zip"])
def test_a_proof_is_asked_for_from_the_newest_head_that_is_held(folder: Path, name: str) -> None:
    assert (
        newest_head(folder / name).head
        == opened_head(GOOD.read(f"checkpoints/{OLD}"), Verifier(ORIGIN, raw(LOG_KEY_OF)), "").head
    )


@pytest.mark.parametrize("name", ["headless", "text", "other.json", "nothing"])
def test_nothing_is_asked_for_where_no_head_is(folder: Path, name: str) -> None:
    with pytest.raises(BadInput, match=name):
        newest_head(folder / name)


def test_a_zip_that_is_damaged_holds_nothing(folder: Path, tmp_path: Path) -> None:
    data = (folder / "old.zip").read_bytes()
    place = data.index(b"checkpoints/3") + len("checkpoints/3") + 20
    (tmp_path / "bad.zip").write_bytes(data[:place] + b"\xff\xff\xff" + data[place + 3 :])
    with pytest.raises(BadInput, match=r"bad\.zip"):
        newest_head(tmp_path / "bad.zip")
