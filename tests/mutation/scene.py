"""Two real bundles of one controller, and the keys that an insider would hold."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from controller.core.bundle.annex import Annex, parsed_annex
from controller.core.bundle.layout import MANIFEST, PAPER, REPORT_HTML, REPORT_PDF
from controller.core.bundle.manifest import PAPER_KIND, manifest_text, sha256_hex
from controller.core.bundle.paper import BESIDE
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.identity.timestamping import Authority
from controller.ports.leaves import StoredTimestamp
from tests.fakes.storage import FakeStorage
from tests.fakes.timestamp_authority import LocalAuthority
from tests.unit.services.conftest import SECOND, START, Running, World
from tests.unit.services.report_stage import Stage
from tests.unit.services.sealed_day import KEYS, LABEL, SealedDay
from vedette.shared.limits import BUNDLE_NOTE_BYTES_MAX
from vedette.shared.note import signed_note

Files = Mapping[str, bytes]
# A seal for six hours: the same kinds of files, and few enough to be judged ten thousand times.
_SEAL_LINES: Final = 360


@dataclass(frozen=True)
class Insider:
    """Who holds the log's key: signs whatever they like under its name."""

    origin: str
    secret: bytes

    def note(self, text: str) -> bytes:
        """A note of the log that says this."""
        key = Ed25519PrivateKey.from_private_bytes(self.secret)
        return signed_note(text, self.origin, key, bytes_max=BUNDLE_NOTE_BYTES_MAX)

    def manifest(self, hashes: Mapping[str, str]) -> bytes:
        """A manifest of files by their hashes."""
        return self.note(manifest_text(hashes))


@dataclass(frozen=True)
class Scene:
    """A bundle, another of the same controller, the annex that both are checked by, and its insider.

    `stranger` is an authority that the annex does not name; where there is none, no timestamps are forged. `agents`
    are the agents' own keys, where an attacker has them.
    """

    files: Files
    other: Files
    annex_text: str
    insider: Insider
    stranger: LocalAuthority | None = None
    agents: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def annex(self) -> Annex:
        """What both verifiers judge by."""
        return parsed_annex(self.annex_text)

    @cached_property
    def roots(self) -> Sequence[x509.Certificate]:
        """The roots of authorities in the bundle."""
        names = [
            one for one in self.files if one.startswith("timestamps/") and one.endswith(".pem")
        ]
        return [x509.load_pem_x509_certificate(self.files[one]) for one in names]

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """The SHA-256 of every file that the manifest lists."""
        return {name: sha256_hex(data) for name, data in self.files.items() if name not in BESIDE}

    def signed_anew(self, changed: Mapping[str, bytes | None]) -> Mapping[str, bytes | None]:
        """These changes with a manifest of what comes of them, by the insider."""
        hashes = {name: one for name, one in self.hashes.items() if name not in changed}
        hashes |= {name: sha256_hex(one) for name, one in changed.items() if one is not None}
        note = self.insider.manifest(hashes)
        return {**changed, MANIFEST: note, **self.beside(note)}

    def beside(self, manifest: bytes) -> Mapping[str, bytes]:
        """The note that binds the paper of the bundle, if it has one, to that manifest."""
        if PAPER not in self.files:
            return {}
        reports = {
            name: self.files[name] for name in (REPORT_HTML, REPORT_PDF) if name in self.files
        }
        bound = {name: sha256_hex(data) for name, data in {**reports, MANIFEST: manifest}.items()}
        return {PAPER: self.insider.note(manifest_text(bound, PAPER_KIND))}


def made_scene(folder: Path) -> Scene:
    """Bundles of a day that is over and of the one after it, from a controller with its log's key in `folder`."""
    return asyncio.run(_made(folder))


async def _made(folder: Path) -> Scene:
    now_us = START - 3600 * SECOND
    notary = LogNotary(StateDirectory(folder), "example.net", lambda: now_us)
    storage = FakeStorage(notary)
    world = World(storage)
    running = Running(world)
    running.start()
    authority = LocalAuthority(folder / "authority")
    roots = x509.load_pem_x509_certificates(authority.root_pem)
    try:
        day = SealedDay(
            Stage(world, running),
            notary,
            pinned=[Authority("tsa", "", roots)],
            seal_lines=_SEAL_LINES,
        )
        day.logbook.checkpoint()
        await day.play()
        _stamp(day, authority)
        files, other = day.bundle(LABEL).files, day.bundle("2025-06-17").files
        stranger = LocalAuthority(folder / "stranger")
        agents = {name: key.private_bytes_raw() for name, key in KEYS.items()}
        return Scene(files, other, day.bundles().annex(), insider_of(folder), stranger, agents)
    finally:
        await running.stop()
        storage.close()


def _stamp(day: SealedDay, authority: LocalAuthority) -> None:
    """A head of the log that is there, stamped."""
    head = day.logbook.checkpoint()
    assert head is not None
    query = query_for(head.note)
    stamp = StoredTimestamp(head.size, "tsa", query, authority.reply(query), 5)
    with day.stage.world.storage.transaction() as tx:
        tx.put_timestamp(stamp)


def query_for(data: bytes) -> bytes:
    """What an authority is asked (DER)."""
    return (
        TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build().as_bytes()
    )


def insider_of(state: Path, origin: str = "example.net/log") -> Insider:
    """The holder of the log's key in a controller's state directory."""
    key = load_pem_private_key((state / "log.key").read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return Insider(origin, key.private_bytes_raw())
