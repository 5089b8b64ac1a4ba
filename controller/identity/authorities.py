"""The timestamp authorities of a controller: each a file in its state directory with its address and its pinned roots."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from controller.core.stamps import NotStamped
from controller.errors import BadInput, Fatal, NotFound, Rejected
from controller.identity.files import StateDirectory, write_private
from controller.identity.timestamping import Authority, Stamp, stamped
from vedette.shared.probes.host import url_problem

FOLDER: Final = "authorities"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_AUTHORITIES_MAX: Final = 8


def authorities(state: StateDirectory) -> Sequence[Authority]:
    """Every authority, by name. Fatal if a file is damaged."""
    return [_read(path) for path in sorted((state.path / FOLDER).glob("*.json"))]


def add_authority(state: StateDirectory, name: str, url: str, roots_pem: bytes) -> Authority:
    """Pin an authority under a name of its own. BadInput or Rejected say what is wrong."""
    state.settings()
    if _NAME.fullmatch(name) is None:
        raise BadInput(f"Expected a name of lower-case letters, digits and '-', found {name!r}.")
    if wrong := url_problem(url):
        raise BadInput(f"Expected as address of the authority {wrong}, found {url!r}.")
    roots = _roots(roots_pem)
    known = authorities(state)
    if any(one.name == name for one in known):
        raise Rejected(f"There is an authority {name} already: remove it first, or name it anew.")
    if len(known) >= _AUTHORITIES_MAX:
        raise Rejected(f"There are {_AUTHORITIES_MAX} authorities already, which is the most.")
    document = {"url": url, "roots": roots_pem.decode()}
    write_private(_path(state, name), json.dumps(document, indent=2).encode() + b"\n")
    return Authority(name, url, roots)


def remove_authority(state: StateDirectory, name: str) -> None:
    """Ask it no more; its timestamps stay. NotFound if there is none of that name."""
    try:
        _path(state, name).unlink()
    except FileNotFoundError as error:
        known = ", ".join(one.name for one in authorities(state)) or "none"
        raise NotFound(f"Expected an authority ({known}), found {name!r}.") from error


def _path(state: StateDirectory, name: str) -> Path:
    return state.path / FOLDER / f"{name}.json"


def _roots(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except (ValueError, x509.InvalidVersion) as error:
        raise BadInput(f"Expected certificates in PEM, found another text: {error}.") from error


def _read(path: Path) -> Authority:
    try:
        document = json.loads(path.read_bytes())
        return Authority(path.stem, str(document["url"]), _roots(document["roots"].encode()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadInput) as error:
        raise Fatal(
            f"Expected an authority's address and certificates in {path}; it is damaged."
            " `vedette evidence authority remove` and `add` make it anew."
        ) from error


@dataclass(frozen=True, slots=True)
class PinnedAuthority:
    """controller.services.evidence.stamping.Timestamper over the network."""

    authority: Authority

    @property
    def name(self) -> str:
        """Which one."""
        return self.authority.name

    async def stamp(self, data: bytes) -> Stamp | str:
        """A verified timestamp of these bytes; or why there is none, in words."""
        try:
            return await stamped(self.authority, data)
        except NotStamped as error:
            return str(error)


def timestampers(state: StateDirectory) -> Sequence[PinnedAuthority]:
    """Every authority, ready to be asked. Fatal if a file is damaged."""
    return [PinnedAuthority(one) for one in authorities(state)]
