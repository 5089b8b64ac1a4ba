"""A sample of the attacks of `make mutate`, the same in every run: both verifiers refuse each, and agree."""

import random
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from controller.cli.evidence.bundle_files import opened_bundle
from controller.cli.main import cli
from controller.core.bundle.log import heads
from controller.core.bundle.since import Held
from controller.core.bundle.statements import Holds
from controller.core.bundle.verify import statements
from tests.mutation.attacks import Attacks
from tests.mutation.forgeries import forked
from tests.mutation.judges import Court, by_program
from tests.mutation.odd import OddFolder, odd_folders, odd_zips, zipped
from tests.mutation.scene import Scene, made_scene
from vedette.shared.note import Verifier

SEED: Final = 7
OF_EACH_KIND: Final = 1


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return made_scene(tmp_path_factory.mktemp("controller"))


@pytest.fixture(scope="module")
def court(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Court:
    return Court(scene, tmp_path_factory.mktemp("court"))


def test_both_take_what_nobody_touched(court: Court) -> None:
    program, script = court.program(), court.script()
    assert (program.code, script.code) == (0, 0), (program, script)
    assert "NOT CHECKED" in script.text


def test_both_refuse_some_attacks_of_each_kind(scene: Scene, court: Court) -> None:
    found = Attacks(scene).sample(random.Random(SEED), OF_EACH_KIND)
    wrong = [complaint for case in found for complaint in court.complaints(case)]
    assert not wrong, "\n".join(wrong)
    assert len({case.kind for case in found}) >= 16


@pytest.mark.parametrize("odd", list(odd_folders()), ids=lambda odd: odd.what)
def test_both_refuse_what_no_bundle_has_in_its_folder(
    scene: Scene, odd: OddFolder, tmp_path: Path
) -> None:
    court = Court(scene, tmp_path)
    odd.make(court.bundle)
    program, script = court.program(), court.script()
    assert (program.code, script.code) == (1, 1), (program, script)
    assert script.text.isprintable()


def test_zips_that_were_made_to_harm_are_refused_in_words(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(zipped(scene.files))
    assert by_program(path, scene).code == 0
    for odd in odd_zips(scene):
        path.write_bytes(odd.data)
        said = by_program(path, scene)
        assert (said.code, bool(said.text)) == (odd.code, True), f"{odd.what}: {said}"


def test_a_log_forked_as_a_whole_is_seen_by_whoever_holds_a_head_of_it(
    scene: Scene, court: Court
) -> None:
    """Nothing inside a bundle shows it: what was stamped does, and what the reader has kept."""
    stamps: dict[str, bytes | None] = dict.fromkeys(
        one for one in scene.files if one.startswith("timestamps/")
    )
    log = Verifier(scene.insider.origin, scene.annex.log_key)
    with opened_bundle(court.bundle) as files:
        held = Held("mine.zip", heads(files, log))
    with court.changed(scene.signed_anew({**forked(scene), **stamps})):
        assert (court.program().code, court.script().code) == (0, 0)
        with opened_bundle(court.bundle) as files:
            alone = list(statements(files, scene.annex))
            found = list(statements(files, scene.annex, [held]))
    assert any("all of them could have been rewritten" in one.text for one in alone)
    assert found[-1].holds is Holds.FAIL
    assert "the log was forked" in found[-1].text


def test_the_command_says_what_its_statements_say(scene: Scene, court: Court) -> None:
    words = ["verify", str(court.bundle), "--trust", str(court.annex)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    for case in Attacks(scene).sample(random.Random(SEED + 1), 1)[::3]:
        files = scene.signed_anew(case.files) if case.is_signed else case.files
        with court.changed(files):
            said = CliRunner().invoke(cli, words)
            expected = court.program()
        assert said.exit_code == expected.code, f"{case}: {said.output}"
        assert isinstance(said.exception, SystemExit | None), case
        assert expected.text in said.output
