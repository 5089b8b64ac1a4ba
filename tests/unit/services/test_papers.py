"""The paper of a bundle: made beside it, bound to it, made again from it, and what it says stands in the bundle."""

import datetime as dt
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from pypdf import PdfReader

from controller.cli.evidence.bundle_writing import write_bundle
from controller.cli.main import cli
from controller.core.bundle.layout import MANIFEST, PAPER, REPORT_HTML, REPORT_PDF, TIMELINE
from controller.core.bundle.manifest import PAPER_KIND, manifest_text, sha256_hex
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.services.bundling.handing import Part
from controller.services.bundling.paper import PaperMaker
from tests.fakes.storage import FakeStorage
from tests.fakes.timestamp_authority import without_version
from tests.unit.cli.test_verify import ALONE
from tests.unit.core.bundle.made import Files
from tests.unit.services.conftest import SECOND, START, Running, World
from tests.unit.services.report_stage import ADA, Stage
from tests.unit.services.sealed_day import SealedDay, put_part


@pytest.fixture
def notary(tmp_path: Path) -> LogNotary:
    return LogNotary(StateDirectory(tmp_path), "example.net", lambda: START - 3600 * SECOND)


@pytest.fixture
def storage(notary: LogNotary) -> Iterator[FakeStorage]:
    opened = FakeStorage(notary)
    yield opened
    opened.close()


@pytest.fixture
async def day(world: World, running: Running, notary: LogNotary) -> SealedDay:
    made = SealedDay(Stage(world, running), notary)
    await made.play()
    return made


def with_paper(day: SealedDay, parts: Iterator[Part] | None = None) -> Files:
    """A bundle with its paper, as the service hands it over."""
    maker = PaperMaker(day.notary)
    files: dict[str, bytes] = {}
    for part in day.parts() if parts is None else parts:
        maker.see([part])
        put_part(part, files)
    return Files(files | {one.name: one.content for one in maker.files()})


def put(bundle: Files, folder: Path) -> Path:
    write_bundle(folder, [(name, bundle.read(name)) for name in bundle.names()])
    return folder


def run(*args: str | Path) -> Result:
    result = CliRunner().invoke(cli, list(map(str, args)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def run_alone(*args: str) -> subprocess.CompletedProcess[str]:
    """The command in a process that has nothing but what an auditor has."""
    return subprocess.run(
        [sys.executable, "-c", ALONE, *args],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


async def test_a_paper_is_bound_to_its_bundle_and_made_again_from_it(
    day: SealedDay, tmp_path: Path
) -> None:
    bundle = with_paper(day)
    assert {PAPER, REPORT_HTML, REPORT_PDF} <= set(bundle.names())
    folder, annex = put(bundle, tmp_path / "bundle"), tmp_path / "annex.txt"
    annex.write_text(day.bundles().annex())
    told = run("verify", folder, "--trust", annex, "--recompute")
    assert told.exit_code == 0, told.output
    assert "report.html and report.pdf are those of PAPER.note" in told.output
    assert "report.html is what the bundle gives, byte for byte" in told.output
    for name in (REPORT_HTML, REPORT_PDF):
        assert run("evidence", "paper", folder, "-o", tmp_path / name).exit_code == 0
        assert (tmp_path / name).read_bytes() == bundle.read(name)


async def test_a_paper_is_made_with_the_libraries_of_an_auditor_alone(
    day: SealedDay, tmp_path: Path
) -> None:
    bundle = with_paper(day)
    folder, page = put(bundle, tmp_path / "bundle"), tmp_path / "report.html"
    done = run_alone("evidence", "paper", str(folder), "-o", str(page))
    assert done.returncode == 0, done.stdout + done.stderr
    assert page.read_bytes() == bundle.read(REPORT_HTML)


async def test_an_outage_by_itself_has_a_paper_without_figures(
    day: SealedDay, tmp_path: Path
) -> None:
    bundle = with_paper(day, day.bundles().of_outage("OUT-2", ADA))
    folder, annex = put(bundle, tmp_path / "bundle"), tmp_path / "annex.txt"
    annex.write_text(day.bundles().annex())
    told = run("verify", folder, "--trust", annex, "--recompute")
    assert "report.html is what the bundle gives, byte for byte" in told.output
    assert run("evidence", "paper", folder, "-o", tmp_path / "paper.txt").exit_code == 0
    text = (tmp_path / "paper.txt").read_text()
    assert "Evidence: OUT-2" in text
    assert "fra: DOWN, certain since 2025-06-16 03:01:00 +00:00" in text
    for words in ("What it comes to", "Exclusions\n---", "attainment.json"):
        assert words not in text


async def test_the_hash_of_the_manifest_stands_on_every_page(day: SealedDay) -> None:
    bundle = with_paper(day)
    digest = sha256_hex(bundle.read(MANIFEST))
    html = bundle.read(REPORT_HTML).decode()
    fours = " ".join(digest[at : at + 4] for at in range(0, 32, 4))
    # The first page, the margin of every printed page, the certificate and the end.
    assert html.count(digest) == 4
    assert html.count(fours) == 2
    pages = PdfReader(io.BytesIO(bundle.read(REPORT_PDF))).pages
    assert all(digest in page.extract_text() for page in pages)


async def test_an_insider_who_writes_another_paper_is_caught_by_making_it_again(
    day: SealedDay, tmp_path: Path
) -> None:
    bundle = with_paper(day)
    page = bundle.read(REPORT_HTML).replace(b"99.305 %", b"99.999 %")
    held = {MANIFEST: bundle.read(MANIFEST), REPORT_HTML: page, REPORT_PDF: bundle.read(REPORT_PDF)}
    hashes = {name: sha256_hex(data) for name, data in held.items()}
    note = day.notary.signed(manifest_text(hashes, PAPER_KIND))
    folder = put(Files({**bundle.files, **held, PAPER: note}), tmp_path / "bundle")
    (tmp_path / "annex.txt").write_text(day.bundles().annex())
    assert run("verify", folder, "--trust", tmp_path / "annex.txt").exit_code == 0
    told = run("verify", folder, "--trust", tmp_path / "annex.txt", "--recompute")
    assert told.exit_code == 1
    assert "report.html is not what the bundle gives" in told.output


def certificate() -> bytes:
    """One that is signed by itself, in PEM."""
    key, name = Ed25519PrivateKey.generate(), x509.Name([])
    at = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, at, at)
    return builder.sign(key, None).public_bytes(Encoding.PEM)


SPOILT: dict[str, tuple[bytes | None, str]] = {
    MANIFEST: (None, "MANIFEST.note is missing"),
    "claim.note": (b"x", "claim.note: "),
    "fleet.yaml": (b"version: 2", "fleet.yaml"),
    TIMELINE: (b"[]", "timeline.json"),
    "attainment.json": (b'{"records": [{}]}', "do not fit together"),
    "keys/fra-1.pem": (b"x", "keys/fra-1.pem: expected a public key"),
    "config/0.note": (b"x", "config/0.note: expected an entry"),
    "checkpoints/126": (b"x", "checkpoints/126: "),
    "timestamps/126.tsa.pem": (b"no version", "tsa.pem: expected a certificate in PEM"),
    "streams/fra-1/e1/shop/00000009.note": (b"x", "00000009.note: expected a seal"),
}


async def test_what_is_no_bundle_gives_a_sentence_and_no_paper(
    day: SealedDay, tmp_path: Path
) -> None:
    good, no_version = day.bundle().files, without_version(certificate())
    for number, (name, (data, words)) in enumerate(SPOILT.items()):
        files = {**good, name: no_version if data == b"no version" else data or b""}
        if data is None:
            del files[name]
        folder = put(Files(files), tmp_path / str(number))
        result = run("evidence", "paper", folder, "-o", tmp_path / "paper.html")
        assert result.exit_code == 2, name
        assert words in result.output
    assert not (tmp_path / "paper.html").exists()


async def test_a_bundle_of_which_no_paper_can_be_made_is_handed_over_without(
    day: SealedDay, caplog: pytest.LogCaptureFixture
) -> None:
    maker = PaperMaker(day.notary)
    for part in day.parts():
        maker.see([part._replace(content=b"x") if part.name == TIMELINE else part])
    assert maker.files() == []
    assert [one.message for one in caplog.records] == ["bundle.without_paper"]
