"""What `vedette login` remembers: which controller, whose token, which CA."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from controller.errors import BadInput

_FILE: Final = "context.json"


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


def context_path() -> Path:
    """The file of the login context."""
    return config_directory() / _FILE


def context_bytes(context: LoginContext) -> bytes:
    """`context` as it is stored."""
    document = {
        "version": 1,
        "address": context.address,
        "token": context.token,
        "ca_certificate": context.ca_certificate.decode(),
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def load_context() -> LoginContext:
    """What login stored. BadInput says what to do if there is nothing."""
    path = context_path()
    try:
        document = json.loads(path.read_bytes())
        return LoginContext(
            address=str(document["address"]),
            token=str(document["token"]),
            ca_certificate=str(document["ca_certificate"]).encode(),
        )
    except FileNotFoundError as error:
        raise BadInput(
            "No controller is known here: run `vedette login ADDRESS --ca FILE` first."
        ) from error
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} is damaged: run `vedette login` again.") from error
