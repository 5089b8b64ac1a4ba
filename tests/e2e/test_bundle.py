"""A bundle from real processes: both verifiers take it, and both refuse whatever was done to it."""

import json
import random
import subprocess
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.cli.demo.targets import Weather, targets
from controller.cli.evidence.bundle_files import opened_bundle
from controller.core.bundle.annex import Annex, parsed_annex
from controller.core.bundle.layout import SCRIPT
from controller.core.bundle.manifest import sha256_hex
from controller.core.bundle.statements import Holds, exit_code
from controller.core.bundle.verify import statements
from tests.e2e.sealing_stage import SealingStage
from tests.fakes.shell import SHELL
from tests.mutation.attacks import Attacks
from tests.mutation.judges import Court
from tests.mutation.scene import Scene, insider_of

WAIT_SECONDS_MAX = 60.0
FLEET = """\
version: 1
regions: [{{id: fra}}]
services: [{{id: shop}}]
checks:
  - {{id: home, service: shop, every: 1s, timeout: 500ms, http: {{url: "http://127.0.0.1:{http}/"}}}}
contracts:
  - id: gold
    party: ACME
    effective_from: 2026-01-01T00:00:00Z
    scope: {{checks: [home]}}
    period: {{kind: year}}
    objectives: [{{id: availability, target: "99", min_coverage: "0"}}]
    acknowledge_unmeasurable: true
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SealingStage]:
    folder = tmp_path_factory.mktemp("bundle")
    with SealingStage(folder) as stage, targets(Weather()) as ports:
        stage.start_controller()
        (folder / "fleet.yaml").write_text(FLEET.format(http=ports.http))
        stage.command("apply", "-f", str(folder / "fleet.yaml"))
        stage.enrol("fra")
        stage.start_agent("fra", "--witness")
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not (_has_sealed(stage, 3) and "witness " in stage.command("evidence", "annex")):
            assert stage.dead() is None, stage.dead()
            assert time.monotonic() < deadline
        (folder / "annex.txt").write_text(stage.command("evidence", "annex"))
        year = time.strftime("%Y", time.gmtime())
        export = ("evidence", "export", "--contract", "gold", "--period", year)
        old = str(folder / "bundle")
        stage.command(*export, "-o", old)
        stage.command(*export, "-o", f"{old}.zip", "--since", old)
        yield stage


def _has_sealed(stage: SealingStage, seals: int) -> bool:
    found = json.loads(stage.command("evidence", "streams", "--json"))["streams"]
    return any(one["stream"] == "shop" and one["seals"] >= seals for one in found)


@pytest.fixture
def annex(stage: SealingStage) -> Annex:
    return parsed_annex((stage.folder / "annex.txt").read_text())


def by_shell(stage: SealingStage) -> tuple[int, str]:
    """What the verifier of the release says, not one that stands in the bundle, which may be tampered with."""
    script = stage.folder / "bundle" / SCRIPT
    done = subprocess.run(
        [SHELL, str(script), str(stage.folder / "annex.txt")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def by_program(stage: SealingStage, annex: Annex) -> int:
    with opened_bundle(stage.folder / "bundle") as files:
        return exit_code(list(statements(files, annex)))


def held(stage: SealingStage, name: str) -> dict[str, bytes]:
    """Every file of a bundle."""
    with opened_bundle(stage.folder / name) as files:
        return {one: files.read(one) for one in files.names()}


def test_both_verifiers_take_a_bundle_and_say_what_they_did_not_check(
    stage: SealingStage, annex: Annex
) -> None:
    assert by_program(stage, annex) == 0
    code, said = by_shell(stage)
    assert code == 0, said
    assert "OK" in said
    assert "NOT CHECKED" in said
    for name in ("bundle", "bundle.zip"):
        where, trust = str(stage.folder / name), str(stage.folder / "annex.txt")
        told = stage.command("verify", where, "--trust", trust, "--recompute")
        assert told.rstrip().endswith("OK")
        assert "FAIL" not in told
        assert "attainment.json is what fleet.yaml and timeline.json give" in told
        assert "report.html and report.pdf are those of PAPER.note" in told
        assert "report.html is what the bundle gives, byte for byte" in told
    acts = json.loads(stage.command("audit", "list", "--json"))["acts"]
    assert [one["action"] for one in acts].count("evidence.export") == 2
    # The second bundle says which claim it stands in place of, and goes on from the first.
    old = str(stage.folder / "bundle")
    annex_file = str(stage.folder / "annex.txt")
    told = stage.command("verify", f"{old}.zip", "--trust", annex_file, "--since", old)
    assert f"The log is append-only since {old}, which you hold" in told
    with opened_bundle(stage.folder / "bundle.zip") as files:
        first = sha256_hex((stage.folder / "bundle" / "claim.note").read_bytes())
        assert f"supersedes {first}\n".encode() in files.read("claim.note")


def test_what_the_witness_saw_up_to_the_claim_is_verified_by_the_key_that_its_site_names(
    stage: SealingStage, annex: Annex
) -> None:
    state = str(stage.folder / "agent-fra")
    named = json.loads(stage.command("status", "--state", state, "--json", program="agent"))
    line = named["witness"]
    assert f"{line}\n" in (stage.folder / "annex.txt").read_text()
    name, last = line.split()[1], 0
    for where in ("bundle", "bundle.zip"):
        with opened_bundle(stage.folder / where) as files:
            last = max(int(one[12:]) for one in files.names() if one.startswith("checkpoints/"))
            assert f"\n\u2014 {name} ".encode() in files.read(f"checkpoints/{last}")
            said = [
                one
                for one in statements(files, annex)
                if f"Witness {name}, run by vedette, saw" in one.text
            ]
        assert [one.holds for one in said] == [Holds.PASS]
        assert f"the first {last} leaves" in said[0].text
    assert f"{name}  witness" in stage.command("evidence", "timestamps")
    shown = json.loads(stage.command("evidence", "timestamps", "--json"))["witnesses"]
    assert [(one["name"], one["key"]) for one in shown] == [(name, line.split()[2])]
    assert shown[0]["size"] >= last


def test_nothing_is_overwritten_and_nothing_half_is_left(stage: SealingStage) -> None:
    for name in ("bundle", "bundle.zip"):
        with pytest.raises(Exception, match="exists already"):
            stage.command(
                "evidence", "export", "--contract", "gold", "--period", "2026",
                "-o", str(stage.folder / name),
            )  # fmt: skip
    for period, sentence in (("2199", "has not begun"), ("soon", "expected")):
        with pytest.raises(Exception, match=f"(?i){sentence}"):
            stage.command(
                "evidence", "export", "--contract", "gold", "--period", period,
                "-o", str(stage.folder / "other"),
            )  # fmt: skip
    assert not (stage.folder / "other").exists()
    assert not list(stage.folder.glob(".other*"))


def test_whatever_is_changed_both_verifiers_refuse_it(stage: SealingStage) -> None:
    """Some of what `make mutate` does, on a bundle of real processes."""
    scene = Scene(
        held(stage, "bundle"), held(stage, "bundle.zip"), (stage.folder / "annex.txt").read_text(),
        insider_of(stage.folder / "controller", "vedette/log"),
    )  # fmt: skip
    court = Court(scene, stage.folder / "court")
    found = Attacks(scene).sample(random.Random(7), 1)
    wrong = [complaint for case in found for complaint in court.complaints(case)]
    assert not wrong, "\n".join(wrong)
    assert len(found) >= 16


def test_keys_that_are_not_in_the_annex_are_refused_by_both(stage: SealingStage) -> None:
    path = stage.folder / "annex.txt"
    before = path.read_text()
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    log, agent = (line for line in before.splitlines() if line.startswith(("log ", "agent ")))
    log, agent = log.rstrip(), agent.partition(" by ")[0]
    try:
        for lines in ([log[:-64] + stranger, agent], [log, agent[:-64] + stranger], [log]):
            path.write_text("\n".join(lines) + "\n")
            assert by_program(stage, parsed_annex(path.read_text())) == 1
            code, said = by_shell(stage)
            assert code == 1
            assert "in the annex" in said
    finally:
        path.write_text(before)
