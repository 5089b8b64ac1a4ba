"""What `vedette login` remembers: which controllers, whose token, which CA. One file a controller, 0600.

`contexts/NAME.json` below the user's config directory, and `current` with the name of the one in use.
`context.json` is the one file of earlier versions; it is read as the context `default`.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from controller.errors import BadInput
from controller.identity.files import write_private
from vedette.shared.identity import ID_EXPECTED, is_id

DEFAULT: Final = "default"
VARIABLE: Final = "VEDETTE_CONTEXT"
_FOLDER: Final = "contexts"
_CURRENT: Final = "current"
_FORMER: Final = "context.json"


@dataclass(frozen=True, slots=True)
class LoginContext:
    """How this user reaches a controller."""

    address: str
    token: str = field(repr=False)
    ca_certificate: bytes


def config_directory() -> Path:
    """Where a user's own files are: `$VEDETTE_CONFIG`, or `~/.config/vedette`."""
    named = os.environ.get("VEDETTE_CONFIG")
    return Path(named) if named else Path.home() / ".config" / "vedette"


def context_names() -> list[str]:
    """The contexts that there are, by name."""
    folder = config_directory() / _FOLDER
    names = {path.stem for path in folder.glob("*.json") if is_id(path.stem)}
    if (config_directory() / _FORMER).exists():
        names.add(DEFAULT)
    return sorted(names)


def current_name() -> str:
    """The context in use: `$VEDETTE_CONTEXT`, or the one that was chosen or logged in to last."""
    if named := os.environ.get(VARIABLE):
        return named
    path = config_directory() / _CURRENT
    try:
        return path.read_text().strip() or DEFAULT
    except FileNotFoundError:
        return DEFAULT
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"Cannot read {path}: {error}.") from error


def save_context(name: str, context: LoginContext) -> None:
    """Keep `context` under `name`, and use it from now on."""
    _require_name(name)
    document = {
        "version": 1,
        "address": context.address,
        "token": context.token,
        "ca_certificate": context.ca_certificate.decode(),
    }
    write_private(_path(name), json.dumps(document, indent=2).encode() + b"\n")
    if name == DEFAULT:
        (config_directory() / _FORMER).unlink(missing_ok=True)
    write_private(config_directory() / _CURRENT, f"{name}\n".encode())


def use_context(name: str) -> None:
    """Use the context of that name from now on. BadInput if there is none."""
    _require_known(name)
    write_private(config_directory() / _CURRENT, f"{name}\n".encode())


def forget_context(name: str) -> None:
    """Remove the context of that name. BadInput if there is none."""
    _require_known(name)
    _path(name).unlink(missing_ok=True)
    if name == DEFAULT:
        (config_directory() / _FORMER).unlink(missing_ok=True)


def load_context(name: str | None = None) -> LoginContext:
    """What login stored under `name`, or in the context in use. BadInput says what to do if it is not there."""
    if name is None:
        name = current_name()
        if not context_names():
            raise BadInput(
                "No controller is known here: run `vedette login ADDRESS --ca FILE` first."
            )
    _require_known(name)
    path = _path(name)
    if name == DEFAULT and not path.exists():
        path = config_directory() / _FORMER
    try:
        document = json.loads(path.read_bytes())
        return LoginContext(
            address=str(document["address"]),
            token=str(document["token"]),
            ca_certificate=str(document["ca_certificate"]).encode(),
        )
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} is damaged: run `vedette login` again.") from error


def _path(name: str) -> Path:
    return config_directory() / _FOLDER / f"{name}.json"


def _require_name(name: str) -> None:
    if not is_id(name):
        raise BadInput(f"Expected {ID_EXPECTED} as the name of a context, found {name[:80]!r}.")


def _require_known(name: str) -> None:
    _require_name(name)
    known = context_names()
    if name not in known:
        names = ", ".join(known) or "none"
        raise BadInput(
            f"There is no context {name!r} here ({names}): `vedette login ADDRESS --ca FILE --name"
            f" {name}` makes it."
        )
