"""Endpoints: a host with or without a port, as people write them."""

import re
from dataclasses import dataclass
from typing import Final

from vedette.shared.probes.host import host_problem

EXPECTED: Final = (
    "a name or an address, with or without a port: 192.0.2.1, ns1.example:5353, [2001:db8::1]:53"
)

_BRACKETED: Final = re.compile(r"\[([^\]]*)\](?::(\d{1,5}))?")
_WITH_PORT: Final = re.compile(r"([^:]*):(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host, and its port where one is written."""

    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """The endpoint that `text` says. ValueError, with what was expected, if it says none.

        An IPv6 address stands in brackets when a port follows, as in a URL; without a port it may stand bare.
        """
        match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
        host, port = (match[1], match[2]) if match else (text, None)
        if match is not None and text.startswith("[") and ":" not in host:
            raise ValueError(EXPECTED)
        if host_problem(host):
            raise ValueError(EXPECTED)
        if port is not None and not 1 <= int(port) <= 65535:
            raise ValueError("a port from 1 to 65535")
        return cls(host, None if port is None else int(port))


def endpoint_problem(text: str) -> str | None:
    """What `text` should have been, if it is no endpoint."""
    try:
        Endpoint.parse(text)
    except ValueError as error:
        return str(error)
    return None
