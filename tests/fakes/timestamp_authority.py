"""A timestamp authority (RFC 3161) on loopback: `openssl ts` behind HTTP, honest or not."""

import subprocess
import threading
from base64 import encodebytes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_CONFIG = """\
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = {folder}/serial
signer_cert = {folder}/stamper.pem
signer_key = {folder}/stamper.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
"""


class LocalAuthority:
    """An authority of its own root, made in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        (folder / "openssl.cnf").write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        self._make("ca", "/CN=Root", "-x509", "-days", "30", "-extensions", "ca")
        self._make("stamper", "/CN=Stamper", "-x509", "-days", "30", "-extensions", "stamper",
                   "-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca.key"))  # fmt: skip

    @property
    def root_pem(self) -> bytes:
        """What is pinned."""
        return (self._folder / "ca.pem").read_bytes()

    def reply(self, query: bytes) -> bytes:
        """A timestamp (DER) as it is asked for."""
        (self._folder / "query").write_bytes(query)
        self._openssl(
            "ts", "-reply", "-config", "openssl.cnf", "-queryfile", "query", "-out", "reply"
        )
        return (self._folder / "reply").read_bytes()

    def _make(self, name: str, subject: str, *words: str) -> None:
        self._openssl("req", "-config", "openssl.cnf", "-newkey", "rsa:2048", "-nodes",
                      "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", subject, *words)  # fmt: skip

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self._folder, check=True, capture_output=True)


def without_version(pem: bytes) -> bytes:
    """A certificate (PEM) of a version that there is none of."""
    der = bytearray(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER))
    der[der.index(bytes.fromhex("a003020102")) + 4] = 5
    text = encodebytes(bytes(der))
    return b"-----BEGIN CERTIFICATE-----\n" + text + b"-----END CERTIFICATE-----\n"


@contextmanager
def served(answer: Callable[[bytes], tuple[int, bytes]]) -> Iterator[str]:
    """The address of a server that answers a query so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            status, body = answer(query)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
