"""Attacks on the files of a bundle: by somebody who can write there, and by an insider who holds the log's key."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from random import Random

from controller.core.bundle.layout import (
    ATTAINMENT,
    CLAIM,
    FLEET,
    MANIFEST,
    PAPER,
    README,
    REPORT_HTML,
    REPORT_PDF,
    RESULTS,
    SCRIPT,
    TIMELINE,
)
from tests.mutation.case import Case, is_proof
from tests.mutation.edits import Edit, brief, full
from tests.mutation.forgeries import forgeries
from tests.mutation.scene import Scene

Changed = dict[str, bytes | None]
# Read by people and by nobody else: an insider can write there what they like, and it proves nothing.
PROSE = {README, SCRIPT, PAPER, REPORT_HTML, REPORT_PDF}
_SAMPLED_FILES = 24
_FIGURES = (FLEET, TIMELINE, ATTAINMENT)


@dataclass(frozen=True)
class Attacks:
    """Every attack on the files of a scene, or on some of them."""

    scene: Scene
    among: frozenset[str] | None = None

    @property
    def names(self) -> list[str]:
        """The files that are attacked."""
        return [one for one in self.scene.files if self.among is None or one in self.among]

    def all(self) -> Iterator[Case]:
        """All of them, kind by kind."""
        yield from self.edited()
        yield from self.signed_anew()
        yield from self.claims()
        yield from self.manifests()
        yield from self.moved()
        yield from forgeries(self.scene)

    def sample(self, chosen: Random, of_each_kind: int, files: int = _SAMPLED_FILES) -> list[Case]:
        """So many of each kind, or all where there are fewer, on some of the files."""
        kinds: dict[str, list[Case]] = {}
        among = chosen.sample(sorted(self.scene.files), min(files, len(self.scene.files)))
        for case in Attacks(self.scene, frozenset(among)).all():
            kinds.setdefault(case.kind, []).append(case)
        return [
            case
            for cases in kinds.values()
            for case in chosen.sample(cases, min(of_each_kind, len(cases)))
        ]

    def edited(self) -> Iterator[Case]:
        """Bytes of every file, by somebody who has no key."""
        for name in self.names:
            before = self.scene.files[name]
            for what, data in full(before) if name == MANIFEST else brief(before):
                yield Case("bytes", name, what, {name: data})

    def signed_anew(self) -> Iterator[Case]:
        """The same by an insider, who signs the manifest anew."""
        for name in sorted(set(self.names) - PROSE - {MANIFEST}):
            for what, data in self._edits(name):
                yield self.by_insider("bytes, manifest signed anew", name, what, {name: data})

    def claims(self) -> Iterator[Case]:
        """A claim that says otherwise, signed anew with the manifest: it is not the one in the log."""
        kind = "claim signed anew"
        text = _text(self.scene.files[CLAIM])
        for what, edited in full(text):
            if (note := self._signed(edited)) is not None:
                yield self.by_insider(kind, CLAIM, what, {CLAIM: note}, is_left=True)
        for name in (one for one in _FIGURES if one in self.scene.files):
            before = sha256(self.scene.files[name]).hexdigest().encode()
            for what, data in brief(self.scene.files[name]):
                after = sha256(data).hexdigest().encode()
                note = self._signed(text.replace(before, after))
                changed: Changed = {name: data, CLAIM: note}
                yield self.by_insider(kind, name, what, changed, is_left=True)

    def manifests(self) -> Iterator[Case]:
        """A manifest that is written otherwise, and signed."""
        for what, edited in full(_text(self.scene.files[MANIFEST])):
            if (note := self._signed(edited)) is not None:
                yield Case(
                    "manifest signed anew",
                    MANIFEST,
                    what,
                    {MANIFEST: note, **self.scene.beside(note)},
                )

    def moved(self) -> Iterator[Case]:
        """Files that are gone, come from elsewhere, stand elsewhere or are more than there were."""
        for kind, name, what, changed in self._moves():
            yield Case(kind, name, what, changed)
            if name not in PROSE:
                yield self.by_insider(
                    f"{kind}, manifest signed anew", name, what, changed, is_left=is_proof(name)
                )

    def by_insider(
        self, kind: str, name: str, what: str, changed: Changed, *, is_left: bool = False
    ) -> Case:
        """With a manifest of the files as they are then, by the log's own key."""
        is_root = name.startswith("timestamps/") and name.endswith(".pem")
        is_void = is_root or self._is_of_witnesses(name, changed.get(name))
        return Case(kind, name, what, changed, True, is_left or is_proof(name), is_void)

    def _is_of_witnesses(self, name: str, after: bytes | None) -> bool:
        """Nothing but the words of witnesses under a head is another: who holds the log's key can leave them out."""
        if after is None or not name.startswith("checkpoints/"):
            return False
        before = self.scene.files.get(name, b"")
        bare = before[: before.find(b"\n", before.find(b"\n\n") + 2) + 1]
        return bare != before and after.startswith(bare)

    def _edits(self, name: str) -> Iterator[Edit]:
        data = self.scene.files[name]
        if not data:
            return iter([("not empty", b"\n")])
        return full(data) if name in self._whole_names else brief(data)

    @cached_property
    def _whole_names(self) -> set[str]:
        """Of files of one kind the one in the middle: all of its fields are edited."""
        return {names[len(names) // 2] for names in self._by_kind().values()}

    def _by_kind(self) -> dict[str, list[str]]:
        kinds: dict[str, list[str]] = {}
        for name in self.scene.files:
            kinds.setdefault(_kind_of(name), []).append(name)
        return kinds

    def _signed(self, text: bytes) -> bytes | None:
        """A note of the log that says so; None where no note can."""
        try:
            return self.scene.insider.note(text.decode())
        except (ValueError, UnicodeDecodeError):
            return None

    def _moves(self) -> Iterator[tuple[str, str, str, Changed]]:
        files = self.scene.files
        for name in self.names:
            if name != MANIFEST:
                yield "gone", name, "gone", {name: None}
        yield from self._swaps()
        yield from self._streams()
        for name in self.names:
            if name == MANIFEST:
                continue
            folder, _, leaf = name.rpartition("/")
            for other in (
                name + ".bak",
                name.upper(),
                f"{folder}/../{leaf}x".removeprefix("/"),
                f"{name} ",
            ):
                if other != name and other not in files:
                    yield "renamed", name, f"to {other!r}", {name: None, other: files[name]}
        for name in ("extra.txt", "keys/other.pem", f"{RESULTS}.bak", ".hidden", "config/a b.note", "notes/\\x",
                     "PAPER.NOTE", "streams/x", "timestamps/1", "config/01x.note"):  # fmt: skip
            yield "more", name, "more than was signed for", {name: b"x\n"}

    def _swaps(self) -> Iterator[tuple[str, str, str, Changed]]:
        """Two files of one kind change places; and a file of another bundle comes in."""
        files, other = self.scene.files, self.scene.other
        for names in self._by_kind().values():
            for one, two in itertools.pairwise(names):
                if files[one] != files[two]:
                    yield "swapped within", one, f"with {two}", {one: files[two], two: files[one]}
        for name in sorted(files.keys() & other.keys() - PROSE):
            if files[name] != other[name]:
                yield "from another bundle", name, "in its place", {name: other[name]}

    def _streams(self) -> Iterator[tuple[str, str, str, Changed]]:
        """Seals of a stream, with their lines, cut off at its ends and out of its middle; and the whole."""
        folders = sorted({name.rpartition("/")[0] for name in self.scene.files if "/00" in name})
        for folder in folders:
            own = [name for name in self.scene.files if name.startswith(f"{folder}/")]
            seals = sorted({name.rpartition(".")[0] for name in own if "/00" in name})
            third = max(1, len(seals) // 3)
            middle = len(seals) // 2
            for what, some in (
                ("first seal", seals[:1]), ("first seals", seals[:third]), ("a middle seal", seals[middle : middle + 1]),
                ("middle seals", seals[third : 2 * third]), ("last seal", seals[-1:]), ("last seals", seals[-third:]),
            ):  # fmt: skip
                gone = {name: None for name in own if name.rpartition(".")[0] in some}
                yield "cut streams", folder, f"{what} gone", dict(gone)
                rest = self._results_without(gone)
                yield "cut streams", folder, f"{what} gone, results too", {**gone, RESULTS: rest}
            yield "cut streams", folder, "all of it gone", dict.fromkeys(own)
            last = f"{folder}/{int(seals[-1][-8:]) + 1:08}"
            for end in (".note", ".jsonl"):
                if (data := self.scene.files.get(seals[-1] + end)) is not None:
                    yield "cut streams", folder, f"{end} twice", {last + end: data}

    def _results_without(self, gone: Mapping[str, bytes | None]) -> bytes:
        whole = self.scene.files[RESULTS]
        for name in gone:
            if name.endswith(".jsonl"):
                whole = whole.replace(self.scene.files[name], b"")
        return whole


def _text(note: bytes) -> bytes:
    return note[: note.rfind(b"\n\n") + 1]


def _kind_of(name: str) -> str:
    """Files that are written alike: the folder, and how the name ends."""
    folder = name.partition("/")[0] if "/" in name else name
    leaf = name.rpartition("/")[2]
    return f"{folder}{leaf[leaf.rfind('.') :] if '.' in leaf else ''}"
