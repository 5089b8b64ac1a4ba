"""What a check demands of TLS: whom to trust, as whom to come, and which versions."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from vedette.shared.limits import CA_CHARS_MAX, PINS_MAX
from vedette.shared.probes.host import host_problem
from vedette.shared.probes.part import Finding, Part
from vedette.shared.probes.pem import certificates_problem, key_problem

TlsVersion = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
Pin = Annotated[
    str,
    Meta(
        pattern=r"^(cert|spki):[0-9a-f]{64}$",
        description="cert: or spki: and the SHA-256, 64 hexadecimal digits in lower case",
    ),
]
Pem = Annotated[str, Meta(min_length=1, max_length=CA_CHARS_MAX)]
_ORDER: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


class ClientCertificate(Part, frozen=True):
    """What the agent shows a target that asks who it is. Both in PEM; the key without a passphrase."""

    certificate: Pem
    key: Pem


class TlsDemands(Part, frozen=True):
    """What is demanded of a peer. Means nothing where a hop is not TLS.

    `verify`, `ca` and the versions hold for every hop; `server_name`, `pins` and `client` belong to the
    check's own host, and a redirect to another host takes none of them along.
    A pin is of the first certificate, whole (`cert:`) or its public key (`spki:`); one must match.
    """

    verify: bool = True
    ca: Pem | None = None
    server_name: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    min_version: TlsVersion | None = None
    max_version: TlsVersion | None = None
    pins: Annotated[tuple[Pin, ...], Meta(max_length=PINS_MAX)] = ()
    client: ClientCertificate | None = None

    def problems(self) -> list[Finding]:
        """What is wrong between its fields."""
        found: list[Finding] = []
        if self.ca is not None and (wrong := certificates_problem(self.ca)):
            found.append((("ca",), *wrong))
        if self.ca is not None and not self.verify:
            found.append((("ca",), "a CA together with verify: true", "verify: false"))
        if self.server_name is not None and (wrong_name := host_problem(self.server_name)):
            found.append((("server_name",), wrong_name, repr(self.server_name)))
        least, most = self.min_version, self.max_version
        if least and most and _ORDER.index(least) > _ORDER.index(most):
            expected = f"a version up to max_version ({most})"
            found.append((("min_version",), expected, least))
        if self.client is not None:
            found += _client_problems(self.client)
        return found


def _client_problems(client: ClientCertificate) -> list[Finding]:
    if wrong := certificates_problem(client.certificate):
        return [(("client", "certificate"), *wrong)]
    if wrong := key_problem(client.certificate, client.key):
        return [(("client", "key"), *wrong)]
    return []
