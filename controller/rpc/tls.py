"""TLS of the two listeners. The server's certificate can be exchanged without a restart."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from typing import Final

import grpc
from cryptography import x509

from controller.errors import Fatal
from controller.identity.authority import SERVER_LIFE, Authority, credential_from_pem
from controller.identity.files import SERVER_CERTIFICATE, StateDirectory

RENEW_AT: Final = SERVER_LIFE / 2

log = logging.getLogger(__name__)


class ServerCertificate:
    """The certificate that both listeners show, made anew when half of its life is over."""

    def __init__(
        self,
        authority: Authority,
        state: StateDirectory,
        names: Sequence[str],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._authority = authority
        self._state = state
        self._names = list(dict.fromkeys(names))
        self._now = now
        self._pair = self._kept_or_new()

    def refresh(self) -> bool:
        """Make a new one if it is time, or if there is a new issuing CA on disk; True if it was.

        New connections see it at once, and those that are open stay as they are.
        """
        if self._authority.adopt(self._state.issuing()):
            log.info("tls.issuing_ca_renewed")
        if self._is_good(self._pair):
            return False
        self._pair = self._new()
        log.info("tls.renewed", extra={"names": self._names})
        return True

    def credentials(self, *, asks_for_certificate: bool) -> grpc.ServerCredentials:
        """Credentials that look at the present certificate on every new connection.

        With `asks_for_certificate`, a peer without a certificate of this CA is refused in the handshake.
        """
        return grpc.dynamic_ssl_server_credentials(
            self._configuration(asks=asks_for_certificate),
            lambda: self._configuration(asks=asks_for_certificate),
            require_client_authentication=asks_for_certificate,
        )

    def _configuration(self, *, asks: bool) -> grpc.ServerCertificateConfiguration:
        chain, key = self._pair
        return grpc.ssl_server_certificate_configuration(
            [(key, chain)], root_certificates=self._authority.root_pem if asks else None
        )

    def _kept_or_new(self) -> tuple[bytes, bytes]:
        kept = self._state.server_pair()
        return kept if kept is not None and self._is_good(kept) else self._new()

    def _new(self) -> tuple[bytes, bytes]:
        pair = self._authority.server(self._names, self._now())
        self._state.save_server_pair(*pair)
        return pair

    def _is_good(self, pair: tuple[bytes, bytes]) -> bool:
        try:
            leaf = credential_from_pem(*pair, SERVER_CERTIFICATE).certificate
        except Fatal as error:
            log.warning("tls.damaged", extra={"reason": str(error)})
            return False
        if not self._authority.has_issued(leaf):
            return False
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        shown = {str(name.value) for name in names}
        return set(self._names) <= shown and leaf.not_valid_after_utc - self._now() > RENEW_AT
