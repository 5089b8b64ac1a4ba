"""What both verifiers say of a folder, and whether that is what they must say of an attack."""

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from controller.cli.evidence.bundle_files import opened_bundle
from controller.cli.evidence.bundle_writing import write_bundle
from controller.core.bundle.layout import CLAIM, MANIFEST, belongs
from controller.core.bundle.statements import Holds, exit_code
from controller.core.bundle.verify import statements
from controller.errors import BadInput
from tests.fakes.shell import SHELL
from tests.mutation.case import Case
from tests.mutation.scene import Scene

_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Said:
    """Exit code, the sentence that refuses, and how many timestamps count."""

    code: int
    text: str
    stamps: int = 0


@dataclass(frozen=True, slots=True)
class Court:
    """A folder in which a bundle is changed, judged and put back, again and again.

    The script is the release's, which stands in the bundle; it is run from a copy that no attack reaches.
    """

    scene: Scene
    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        write_bundle(self.bundle, list(self.scene.files.items()))
        self.annex.write_text(self.scene.annex_text)

    @property
    def bundle(self) -> Path:
        """The bundle."""
        return self.folder / "bundle"

    @property
    def annex(self) -> Path:
        """What both judge by."""
        return self.folder / "annex.txt"

    def program(self) -> Said:
        """What `vedette verify` says; whatever it raises but a refusal in words is raised here too."""
        return by_program(self.bundle, self.scene)

    def script(self) -> Said:
        """What verify.sh says."""
        script = self.scene.files["verify.sh"].decode()
        done = subprocess.run(
            [SHELL, "-c", script, str(self.bundle / "verify.sh"), str(self.annex)],
            capture_output=True, timeout=_SECONDS_MAX, check=False,
        )  # fmt: skip
        if done.stderr:
            return Said(done.returncode, f"on its standard error: {done.stderr!r}")
        told = done.stdout.decode(errors="backslashreplace").strip()
        return Said(done.returncode, told, told.count(" leaves existed at "))

    @contextmanager
    def changed(self, files: Mapping[str, bytes | None]) -> Iterator[None]:
        """With these files as they are given, and then as they were."""
        try:
            self._put(files.items())
            yield
        finally:
            self._put((name, self.scene.files.get(name)) for name in files)

    def _put(self, files: Iterable[tuple[str, bytes | None]]) -> None:
        for name, data in files:
            path = self.bundle / name
            if data is None:
                path.unlink(missing_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def complaints(self, case: Case) -> list[str]:
        """What is wrong with how both judge an attack; nothing if it is as it must be."""
        files = self.scene.signed_anew(case.files) if case.is_signed else case.files
        with self.changed(files):
            return wrong_with(case, self.program(), self.script(), self.scene)


def by_program(bundle: Path, scene: Scene) -> Said:
    """What `vedette verify` says of a folder or a zip."""
    try:
        with opened_bundle(bundle) as files:
            found = list(statements(files, scene.annex))
    except BadInput as error:
        return Said(BadInput.exit_code, str(error))
    failed = " ".join(one.text for one in found if one.holds is Holds.FAIL)
    stamps = [one for one in found if " leaves existed at " in one.text]
    return Said(exit_code(found), failed, len(stamps))


def wrong_with(case: Case, program: Said, script: Said, scene: Scene) -> list[str]:
    """What is wrong with what was said: not refused, not alike, or no file named."""
    wrong: list[str] = []
    if case.is_void and program.code == script.code == 0:
        counts = program.stamps + script.stamps
        return [f"{case}: a forged timestamp counts"] if counts else []
    if program.code != 1:
        wrong.append(f"{case}: the program says {program.code}: {program.text}")
    elif not _names_a_file(program.text, case, scene):
        wrong.append(f"{case}: the program names no file: {program.text}")
    last = script.text.rpartition("\n")[2]
    if case.is_left and script.code == 0:
        if "NOT CHECKED" not in script.text:
            wrong.append(f"{case}: the script does not say what it left out: {script.text}")
    elif script.code != 1 or not last.startswith("FAIL "):
        wrong.append(f"{case}: the script says {script.code}: {script.text[-300:]}")
    elif not _names_a_file(last, case, scene):
        wrong.append(f"{case}: the script names no file: {last}")
    return wrong


def _names_a_file(text: str, case: Case, scene: Scene) -> bool:
    """A file that there is, or is said to be, or a folder of such files."""
    words = {one.strip("/.:,'") for one in re.findall(r"[A-Za-z0-9@._/ -]+", text)}
    words |= {one.strip("/.:,'") for word in words for one in word.split(" ")}
    known = {name.strip("/.: ") for name in (*scene.files, *case.files, case.name)}
    known |= {name.rpartition("/")[0] for name in known} - {""}
    for note in (MANIFEST, CLAIM):
        said = case.files.get(note) or b""
        named = {name.decode(errors="replace") for name in re.findall(rb"\S+", said)}
        # A claim names agents, whose keys are looked for: also of one whom no bundle could have.
        known |= named | {f"keys/{name}.pem" for name in named}
    return any(belongs(one) or one in known for one in words)
