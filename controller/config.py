"""What `vedette serve` is told: folder, database, addresses."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

AGENTS_PORT: Final = 7443
PEOPLE_PORT: Final = 7444
ADDRESS_EXPECTED: Final = "an address such as 0.0.0.0:7443 or [::]:7443"
_PORT_MAX: Final = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 lets the system choose."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The address that `text` says. ValueError if it says none."""
        host, colon, port = text.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if (
            not colon
            or not bare
            or (":" in bare and bare == host)
            or not (port.isascii() and port.isdigit())
            or int(port) > _PORT_MAX
        ):
            raise ValueError(f"expected {ADDRESS_EXPECTED}, found {text!r}")
        return cls(bare, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """How to run a controller. `public_host` is what agents and people are told to connect to."""

    state: Path
    database_url: str | None = None
    agents_address: Address = Address("0.0.0.0", AGENTS_PORT)  # noqa: S104 - agents are elsewhere
    people_address: Address = Address("0.0.0.0", PEOPLE_PORT)  # noqa: S104 - so are people
    public_host: str | None = None


def default_state() -> Path:
    """The state directory: `$VEDETTE_STATE`, or `~/.local/state/vedette`."""
    named = os.environ.get("VEDETTE_STATE")
    return Path(named) if named else Path.home() / ".local" / "state" / "vedette"
