"""The controller's state directory: identity on disk, readable by its owner only, written whole or not at all.

```
controller.json    organisation and host names          ca.pem          what clients trust
root-ca.key        to be taken offline after init       issuing-ca.pem, issuing-ca.key
vault.key          opens the controller's copies of secrets
server.pem, server.key   30 days, made anew by serve    vedette.db      the database, unless --db says otherwise
```
"""

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from controller.errors import BadInput, Fatal, Rejected
from controller.identity.authority import Authority, Credential, credential_from_pem

SETTINGS: Final = "controller.json"
ROOT_CERTIFICATE: Final = "ca.pem"
ROOT_KEY: Final = "root-ca.key"
ISSUING_CERTIFICATE: Final = "issuing-ca.pem"
ISSUING_KEY: Final = "issuing-ca.key"
SERVER_CERTIFICATE: Final = "server.pem"
SERVER_KEY: Final = "server.key"
DATABASE: Final = "vedette.db"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was decided at init: the trust domain, and the names that the server answers to."""

    organisation: str
    names: Sequence[str]


def write_private(path: Path, data: bytes) -> None:
    """Put `data` at `path`, 0600: whole and durable, or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise Fatal(f"Cannot write {path}: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise Fatal(f"Cannot write {path}: {error.strerror}.") from error


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class StateDirectory:
    """The folder that holds a controller's identity."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def database_url(self) -> str:
        """Where the database is unless another one is named."""
        return f"sqlite:///{(self.path / DATABASE).absolute()}"

    @property
    def is_initialised(self) -> bool:
        """`vedette init` was completed here: its last file is there."""
        return (self.path / SETTINGS).exists()

    def prepare(self, root_key: Path) -> None:
        """Make the folder, refusing one that already holds an identity."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Fatal(f"Cannot make the folder {self.path}: {error.strerror}.") from error
        taken = [
            path for path in (self.path / SETTINGS, self.path / DATABASE, root_key) if path.exists()
        ]
        if taken:
            raise Rejected(
                f"{taken[0]} is already there, and init never overwrites: name another folder with"
                " --state, or remove the old one if you are sure that nothing trusts it any more."
            )

    def save_identity(
        self, settings: Settings, root: Credential, issuing: Credential, root_key: Path
    ) -> None:
        """Write what init made. The settings come last: they are what makes the folder complete."""
        write_private(root_key, root.key_pem)
        write_private(self.path / ROOT_CERTIFICATE, root.certificate_pem)
        write_private(self.path / ISSUING_CERTIFICATE, issuing.certificate_pem)
        write_private(self.path / ISSUING_KEY, issuing.key_pem)
        document = {
            "version": 1,
            "organisation": settings.organisation,
            "names": list(settings.names),
        }
        write_private(self.path / SETTINGS, json.dumps(document, indent=2).encode() + b"\n")

    def settings(self) -> Settings:
        """What init decided. BadInput with what to do if there was no init."""
        if not self.is_initialised:
            raise BadInput(
                f"There is no controller in {self.path}: run `vedette init` first, or name its"
                " folder with --state."
            )
        path = self.path / SETTINGS
        try:
            document = json.loads(self._read(SETTINGS))
            return Settings(str(document["organisation"]), [str(n) for n in document["names"]])
        except (ValueError, KeyError, TypeError) as error:
            raise Fatal(f"Expected the settings that init wrote in {path}; it is damaged.") from (
                error
            )

    def authority(self) -> Authority:
        """The issuing CA that lives here."""
        settings = self.settings()
        return Authority(self.root(), self.issuing(), settings.organisation)

    def issuing(self) -> Credential:
        """The issuing CA as it stands on disk now, which may be newer than the one at work."""
        path = self.path / ISSUING_CERTIFICATE
        return credential_from_pem(
            self._read(ISSUING_CERTIFICATE), self._read(ISSUING_KEY), str(path)
        )

    def save_issuing(self, issuing: Credential) -> None:
        """Put a new issuing CA in place. Torn between its two files, it is refused and made again."""
        write_private(self.path / ISSUING_KEY, issuing.key_pem)
        write_private(self.path / ISSUING_CERTIFICATE, issuing.certificate_pem)

    def root(self) -> x509.Certificate:
        """The certificate that clients trust."""
        try:
            return x509.load_pem_x509_certificate(self._read(ROOT_CERTIFICATE))
        except ValueError as error:
            path = self.path / ROOT_CERTIFICATE
            raise Fatal(f"Expected a PEM certificate in {path}; it is damaged.") from error

    def server_pair(self) -> tuple[bytes, bytes] | None:
        """(chain PEM, key PEM) of the present server certificate, or None if there is none yet."""
        if not all((self.path / name).exists() for name in (SERVER_CERTIFICATE, SERVER_KEY)):
            return None
        return self._read(SERVER_CERTIFICATE), self._read(SERVER_KEY)

    def save_server_pair(self, chain_pem: bytes, key_pem: bytes) -> None:
        """Keep a new server certificate. The key goes first; a torn pair is noticed and made anew."""
        write_private(self.path / SERVER_KEY, key_pem)
        write_private(self.path / SERVER_CERTIFICATE, chain_pem)

    def _read(self, name: str) -> bytes:
        path = self.path / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise Fatal(f"Cannot read {path}: {error.strerror}.") from error
