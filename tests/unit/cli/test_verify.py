"""`vedette verify` where there is nothing but the bundle, the annex and the libraries of an auditor."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.cli.evidence.bundle_writing import write_bundle
from controller.cli.main import cli
from controller.core.bundle.annex import parsed_annex
from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.statements import exit_code
from controller.core.bundle.verify import statements
from controller.errors import BadInput, Unreachable
from tests.fakes.shell import SHELL
from tests.unit.core.bundle.made import AGENTS, LOG_KEY_OF, ORIGIN, Files, made, raw, without

ANNEX = f"log {ORIGIN} {raw(LOG_KEY_OF).hex()}\n" + "".join(
    f"agent {agent} {raw(key).hex()}  # of the contract\n" for agent, key in AGENTS.items()
)
# Runs the command in a process in which what an auditor does not have cannot be imported.
ALONE = """
import sys
for name in (
    "grpc", "google", "sqlalchemy", "sqlmodel", "alembic", "httpx", "psycopg", "apprise", "cel",
    "icalendar", "typst",
):
    sys.modules[name] = None
from controller.cli.main import cli
cli(sys.argv[1:])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle as a folder and as a zip, and the annex."""
    (tmp_path / "annex.txt").write_text(ANNEX)
    for name in ("bundle", "bundle.zip"):
        put(made(), tmp_path / name)
    return tmp_path


def put(bundle: Files, path: Path) -> None:
    write_bundle(path, [(name, bundle.read(name)) for name in bundle.names()])


def verify(bundle: Path, *more: str) -> Result:
    trust = str(bundle.parent / "annex.txt")
    result = CliRunner().invoke(cli, ["verify", str(bundle), "--trust", trust, *more])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_folder_and_a_zip_are_verified_without_a_server_or_its_libraries(
    folder: Path, name: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, "verify", str(folder / name),
         "--trust", str(folder / "annex.txt")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("OK\n")
    assert "cannot be proved" in done.stdout


def test_what_was_changed_is_named_with_exit_code_1(folder: Path) -> None:
    (folder / "bundle" / "results.jsonl").write_bytes(b"{}\n")
    result = verify(folder / "bundle", "--json")
    assert result.exit_code == 1
    said = json.loads(result.output)
    assert not said["is_valid"]
    assert said["statements"][-1]["holds"] == "FAIL"
    assert said["statements"][-1]["text"].startswith("results.jsonl is not the file")
    assert verify(folder / "bundle").output.endswith("NOT OK\n")


@pytest.mark.parametrize("annex", ["", "log x\n", "agent a b\n", ANNEX + ANNEX, "\xff"])
def test_a_bad_annex_is_refused_in_a_sentence(folder: Path, annex: str) -> None:
    (folder / "annex.txt").write_bytes(annex.encode("latin-1"))
    result = verify(folder / "bundle")
    assert result.exit_code == 2
    assert "is no annex" in result.output


def test_what_is_no_bundle_is_refused_in_a_sentence(folder: Path) -> None:
    (folder / "text").write_text("hello")
    assert "a folder or a zip" in verify(folder / "text").output
    assert "No such file" in verify(folder / "nothing").output
    (folder / "empty").mkdir()
    assert "MANIFEST.note is missing" in verify(folder / "empty").output
    (folder / "bundle" / "keys" / "link").symlink_to("log.pem")
    assert "neither a file nor a folder" in verify(folder / "bundle").output


def test_a_name_that_no_text_has_is_told_in_one_that_is(folder: Path) -> None:
    Path(os.fsdecode(bytes(folder / "bundle") + b"/\xff\x1b[2J")).write_bytes(b"x")
    result = verify(folder / "bundle")
    assert result.exit_code == 1
    assert r"'\udcff\x1b[2J' does not stand in MANIFEST.note" in result.output


def test_a_zip_with_two_files_of_one_name_is_refused(folder: Path) -> None:
    with (
        pytest.warns(UserWarning, match="Duplicate name"),
        zipfile.ZipFile(folder / "bundle.zip", "a") as archive,
    ):
        archive.writestr("claim.note", b"another")
    assert "two files of one name" in verify(folder / "bundle.zip").output


@pytest.mark.parametrize(
    "about",
    [[], ["--contract", "gold"], ["--period", "2026-06"], ["--outage", "OUT-1", "--period", "2026-06"],
     ["--outage", "OUT-1", "--contract", "gold", "--period", "2026-06"]],
)  # fmt: skip
def test_what_is_handed_over_is_one_thing(tmp_path: Path, about: list[str]) -> None:
    command = ["evidence", "export", *about, "-o", str(tmp_path / "new")]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 2
    assert "--contract and --period together, or --outage alone" in result.output


def test_figures_that_nothing_gives_are_not_taken(folder: Path) -> None:
    result = verify(folder / "bundle", "--recompute")
    assert result.exit_code == 1
    assert "fleet.yaml" in result.output


def test_a_bundle_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def cut() -> object:
        yield "README.txt", b"x"
        raise Unreachable("gone")

    for name in ("one", "one.zip"):
        with pytest.raises(Unreachable):
            write_bundle(tmp_path / name, cut())  # type: ignore[arg-type]  # a generator
        with pytest.raises(Unreachable, match="no file of a bundle"):
            write_bundle(tmp_path / name, [("../out", b"x")])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "there").mkdir()
    with pytest.raises(BadInput, match="exists already"):
        write_bundle(tmp_path / "there", [])
    with pytest.raises(BadInput, match="make it first"):
        write_bundle(tmp_path / "no" / "there", [])


def test_parts_of_a_file_are_put_together(tmp_path: Path) -> None:
    parts = [("README.txt", b"a"), ("README.txt", b"b"), ("results.jsonl", b"")]
    assert write_bundle(tmp_path / "one", parts) == 2
    assert (tmp_path / "one" / "README.txt").read_bytes() == b"ab"
    assert (tmp_path / "one" / "results.jsonl").read_bytes() == b""


SCRIPT = files("controller.services.bundling") / "verify.sh"


def by_shell(bundle: Files, folder: Path) -> tuple[int, str]:
    """What the script of the release says of it."""
    where = folder / "told"
    put(bundle, where)
    done = subprocess.run(
        [SHELL, str(where / "verify.sh"), str(folder / "annex.txt")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    shutil.rmtree(where)
    return done.returncode, done.stdout + done.stderr


def with_script(
    change: Callable[[dict[str, bytes]], None] = lambda _: None,
) -> Callable[[dict[str, bytes]], None]:
    """With the script in it, and changed before it was signed."""

    def changed(held: dict[str, bytes]) -> None:
        held["verify.sh"] = SCRIPT.read_bytes()
        change(held)

    return changed


def test_what_is_larger_than_a_note_is_not_read_as_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("controller.cli.evidence.bundle_files.BUNDLE_NOTE_BYTES_MAX", 64)
    assert "MANIFEST.note: expected at most 64 bytes" in verify(folder / "bundle.zip").output
    monkeypatch.undo()
    note = folder / "bundle" / "MANIFEST.note"
    with note.open("r+b") as file:
        file.truncate(3 * 1024**3)
    result = verify(folder / "bundle")
    assert result.exit_code == 1
    assert "MANIFEST.note: expected at most" in result.output
    done = subprocess.run(
        [SHELL, "-c", SCRIPT.read_text(), str(folder / "bundle" / "verify.sh"), str(folder / "annex.txt")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "FAIL MANIFEST.note: larger than a note\n"


def of_streams(**said: Any) -> Callable[[ClaimNote], ClaimNote]:
    return lambda claim: replace(claim, streams=[replace(one, **said) for one in claim.streams])


def without_streams(held: dict[str, bytes]) -> None:
    """Nothing is left that anybody but the log signed."""
    for name in [
        one for one in held if one.startswith(("streams/", *map("keys/{}.".format, AGENTS)))
    ]:
        del held[name]
    held["results.jsonl"] = b""


def swapped(held: dict[str, bytes]) -> None:
    one, other = (f"streams/fra-1/e1/shop/0000000{n}.note" for n in (1, 2))
    held[one], held[other] = held[other], held[one]


INSIDERS: dict[str, Files] = {
    "seals without end": made(of_streams(last=10**18), with_script()),
    "more seals than there are": made(of_streams(last=4), with_script()),
    "fewer seals than there are": made(of_streams(last=2), with_script()),
    "another first seal": made(of_streams(first_sha256="0" * 64), with_script()),
    "another last seal": made(of_streams(last_sha256="0" * 64), with_script()),
    "a stream left out": made(lambda claim: without(claim, "nyc-1"), with_script()),
    "all streams left out": made(
        lambda claim: replace(claim, streams=[]), with_script(without_streams)
    ),
    "other figures": made(lambda claim: replace(claim, attainment_sha256="0" * 64), with_script()),
    "seals swapped": made(change=with_script(swapped)),
    "a gap that is none": made(
        lambda claim: replace(
            claim, streams=[replace(claim.streams[0], last=1), replace(claim.streams[0], first=3)]
        ),
        with_script(),
    ),
    "a gap whose end is not proved": made(
        change=with_script(
            lambda held: held.__delitem__("streams/fra-1/e1/shop/00000001.tlog-proof")
        ),
        missing=[2],
    ),
    "figures of an outage": made(
        lambda claim: replace(claim, label="OUT-1", check="home"), with_script()
    ),
    "a contract without figures": made(
        lambda claim: replace(claim, attainment_sha256=None), with_script()
    ),
    "lines where there were none": made(
        change=with_script(
            lambda held: held.update({"streams/fra-1/e1/shop/00000002.jsonl": b"{}\n"})
        )
    ),
    "results in another order": made(
        change=with_script(
            lambda held: held.update(
                {"results.jsonl": b"\n".join(reversed(held["results.jsonl"].split(b"\n"))).lstrip()}
            )
        )
    ),
}


def test_the_script_takes_what_the_program_takes(folder: Path) -> None:
    bundle = made(change=with_script())
    code, said = by_shell(bundle, folder)
    assert code == 0, said
    assert said.endswith(f"OK {len(bundle.names())} files, 2 streams\n")
    done = subprocess.run([SHELL, "-n", str(SCRIPT)], timeout=60, check=False)
    assert done.returncode == 0


def test_what_never_came_both_tell_and_neither_takes_nor_refuses(folder: Path) -> None:
    bundle = made(change=with_script(), missing=[2])
    code, said = by_shell(bundle, folder)
    assert code == 2, said
    assert "INCOMPLETE seals 2 to 2 of stream shop of agent nyc-1 never came\n" in said
    assert said.splitlines()[-1].startswith("INCOMPLETE ")
    put(bundle, folder / "gap")
    result = verify(folder / "gap")
    assert result.exit_code == 2
    assert result.output.endswith("INCOMPLETE\n")


@pytest.mark.parametrize("bundle", INSIDERS.values(), ids=INSIDERS)
def test_what_an_insider_made_up_the_script_refuses_as_the_program_does(
    folder: Path, bundle: Files
) -> None:
    assert exit_code(list(statements(bundle, parsed_annex(ANNEX)))) == 1
    code, said = by_shell(bundle, folder)
    assert code == 1, said
    assert said.splitlines()[-1].startswith("FAIL ")


def test_keys_of_the_annex_may_be_hashes(folder: Path) -> None:
    hashed = "".join(
        f"agent {agent} sha256:{sha256(raw(key)).hexdigest()}\n" for agent, key in AGENTS.items()
    )
    (folder / "annex.txt").write_text(ANNEX.splitlines()[0] + "\n" + hashed)
    assert verify(folder / "bundle").exit_code == 0
    assert by_shell(made(change=with_script()), folder)[0] == 0


def test_an_annex_that_went_through_other_editors_is_the_same(folder: Path) -> None:
    by_whom = ANNEX.replace("  # of the contract", " by acme \t # of the contract")
    edited = "\ufeff" + by_whom.replace("agent ", "  agent ").replace("\n", "\r\n")
    (folder / "annex.txt").write_bytes(edited.encode())
    assert verify(folder / "bundle").exit_code == 0
    code, said = by_shell(made(change=with_script()), folder)
    assert code == 0, said
