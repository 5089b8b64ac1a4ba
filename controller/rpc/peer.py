"""Who is at the other end of an agent's connection, read from the certificate that it showed.

TLS has checked the chain; everything else is checked here, because gRPC accepts any certificate of the
CA: one without the client purpose, one of a server, one that was replaced, one that has expired since.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from controller.errors import Unauthenticated
from controller.identity.authority import ends_us, serial_text
from controller.services.agents.admission import Claim
from vedette.shared.identity import agent_of_uri

_PEM: Final = "x509_pem_cert"
_EXPECTED: Final = "Expected a certificate that this controller gave to an agent"


@dataclass(frozen=True, slots=True)
class Peer:
    """An agent as its certificate names it, and the address that it calls from."""

    agent: str
    serial: str
    ends_us: int
    address: str = ""

    @property
    def claim(self) -> Claim:
        """What it shows, to be admitted."""
        return Claim(self.agent, self.serial, self.ends_us, self.address)


def peer_of(
    auth_context: Mapping[str, list[bytes]], organisation: str, now_us: int, address: str = ""
) -> Peer:
    """The agent behind the connection. Unauthenticated says what its certificate lacks."""
    shown = auth_context.get(_PEM)
    if not shown:
        raise Unauthenticated(f"{_EXPECTED}; none was shown.")
    try:
        certificate = x509.load_pem_x509_certificate(shown[0])
        extensions = certificate.extensions
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise Unauthenticated(f"{_EXPECTED}; the one shown lacks a name or a purpose.") from error
    if list(purposes) != [ExtendedKeyUsageOID.CLIENT_AUTH]:
        raise Unauthenticated(f"{_EXPECTED}; the one shown is not for clients.")
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    agent = agent_of_uri(uris[0], organisation) if len(uris) == 1 else None
    if agent is None:
        raise Unauthenticated(f"{_EXPECTED}; the one shown names no agent of {organisation}.")
    peer = Peer(agent, serial_text(certificate), ends_us(certificate), address)
    check_expiry(peer, now_us)
    return peer


def check_expiry(peer: Peer, now_us: int) -> None:
    """Unauthenticated if the certificate has expired: TLS looks only when a connection is made."""
    if peer.ends_us <= now_us:
        ended = dt.datetime.fromtimestamp(peer.ends_us // 1_000_000, dt.UTC)
        raise Unauthenticated(
            f"The certificate of agent {peer.agent} ended at {ended:%Y-%m-%dT%H:%M:%SZ}; it can"
            " recover with its evidence key, or be enrolled again with a new join file."
        )
