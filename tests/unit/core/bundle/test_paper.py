"""The paper beside a manifest: both verifiers take it where it is the one that the log signed, and refuse any other."""

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from controller.cli.evidence.bundle_writing import write_bundle
from controller.core.bundle.layout import MANIFEST, PAPER, REPORT_HTML, REPORT_PDF
from controller.core.bundle.manifest import manifest_text, sha256_hex
from controller.core.bundle.statements import exit_code
from controller.core.bundle.verify import statements
from tests.fakes.shell import SHELL
from tests.unit.core.bundle.made import ANNEX, Files, log_note, made, with_paper

SCRIPT = files("controller.services.bundling") / "verify.sh"
BARE = made(change=lambda held: held.update({"verify.sh": SCRIPT.read_bytes()})).files
GOOD = with_paper(BARE).files


def without(name: str, held: dict[str, bytes] = GOOD) -> Files:
    return Files({key: data for key, data in held.items() if key != name})


def listed_as_well() -> Files:
    """An insider lists the report in the manifest, too."""
    rest = {name: data for name, data in GOOD.items() if name not in (MANIFEST, PAPER)}
    note = log_note(manifest_text({name: sha256_hex(data) for name, data in rest.items()}))
    return with_paper({**rest, MANIFEST: note})


def verdicts(bundle: Files, folder: Path) -> tuple[int, int, str]:
    """What the program says, what the script says, and in which words the program does."""
    write_bundle(folder / "bundle", [(name, bundle.read(name)) for name in bundle.names()])
    lines = [f"log {ANNEX.origin} {ANNEX.log_key.hex()}"]
    lines += [f"agent {name} {key}" for name, key in ANNEX.agents.items()]
    (folder / "annex.txt").write_text("".join(f"{line}\n" for line in lines))
    done = subprocess.run(
        [SHELL, str(folder / "bundle" / "verify.sh"), str(folder / "annex.txt")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    found = list(statements(bundle, ANNEX))
    return exit_code(found), done.returncode, "\n".join(map(str, found)) + done.stdout + done.stderr


@pytest.mark.parametrize(
    ("bundle", "words"),
    [
        pytest.param(Files(BARE), "All ", id="no paper"),
        pytest.param(Files(GOOD), "report.html and report.pdf are those of PAPER.note", id="both"),
        pytest.param(
            with_paper(BARE, report_pdf=None), "report.html is that of PAPER.note", id="HTML alone"
        ),
    ],
)
def test_a_paper_that_the_log_signed_is_taken(bundle: Files, words: str, tmp_path: Path) -> None:
    program, script, said = verdicts(bundle, tmp_path)
    assert (program, script) == (0, 0), said
    assert words in said
    assert ("no evidence" in said) == (PAPER in bundle.files)


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param(Files({**GOOD, REPORT_HTML: b"<p>another</p>\n"}), id="another HTML"),
        pytest.param(Files({**GOOD, REPORT_PDF: b"%PDF-1.4\n"}), id="another PDF"),
        pytest.param(without(REPORT_HTML), id="no HTML"),
        pytest.param(without(REPORT_PDF), id="no PDF"),
        pytest.param(without(PAPER), id="no note"),
        pytest.param(
            Files({**with_paper(BARE, report_pdf=None).files, REPORT_PDF: b"x"}), id="PDF unlisted"
        ),
        pytest.param(with_paper(BARE, report_html=None), id="PDF alone"),
        pytest.param(with_paper(BARE, README_txt=BARE["README.txt"]), id="more than that"),
        pytest.param(
            Files({**GOOD, PAPER: with_paper({MANIFEST: b"of another"}).files[PAPER]}),
            id="of another manifest",
        ),
        pytest.param(
            Files({**GOOD, PAPER: GOOD[PAPER].replace(b"paper/v1", b"paper/v2")}), id="unsigned"
        ),
        pytest.param(Files({**GOOD, PAPER: BARE[MANIFEST]}), id="a manifest in its place"),
        pytest.param(listed_as_well(), id="in the manifest as well"),
    ],
)
def test_any_other_is_refused_by_both_verifiers(bundle: Files, tmp_path: Path) -> None:
    program, script, said = verdicts(bundle, tmp_path)
    assert (program, script) == (1, 1), said
