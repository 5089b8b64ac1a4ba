"""A server on loopback that takes messages: it records them, and answers as it is told to."""

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

WAIT_SECONDS_MAX: Final = 60.0
KEY: Final = bytes(range(32))
SECRET: Final = "whsec_" + base64.b64encode(KEY).decode()


class Ill(StrEnum):
    """Ways in which a server can be a bad one."""

    SILENT = "takes the request and says nothing"
    DRIPPING = "sends a byte of headers now and then, without end"
    FLOODING = "sends a body without end"
    GARBAGE = "does not speak HTTP"
    CLOSING = "closes without an answer"


Answer = int | Ill | tuple[int, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body read."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def event(self) -> str:
        """What it tells."""
        return str(self.json["type"])

    @property
    def is_signed(self) -> bool:
        """Its signature is that of `KEY`; written here anew, from the scheme's own page."""
        signed = ".".join([self.headers["webhook-id"], self.headers["webhook-timestamp"], ""])
        digest = hmac.new(KEY, signed.encode() + self.body, hashlib.sha256).digest()
        return self.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


class WebhookTarget:
    """Records; answers 204, or what stands next in `answers`."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.received: list[Received] = []
        self.ended = threading.Event()
        self._changed = threading.Condition()
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                target.answer(self)

            do_GET = do_POST  # noqa: N815 - the library's name

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.server_address[1])

    def url(self, path: str = "/hook") -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}{path}"

    def wait_for(self, count: int) -> list[Received]:
        """What came, once it is at least so much."""
        with self._changed:
            done = self._changed.wait_for(lambda: len(self.received) >= count, WAIT_SECONDS_MAX)
            assert done, f"{count} messages expected, these came: {self.received}"
            return list(self.received)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Take a request and answer it."""
        length = int(request.headers.get("content-length", 0))
        body = request.rfile.read(length)
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._changed:
            self.received.append(Received(request.path, headers, body))
            answer = self.answers.popleft() if self.answers else 204
            self._changed.notify_all()
        with contextlib.suppress(OSError):
            if isinstance(answer, Ill):
                self._answer_ill(request, answer)
            else:
                status, more = answer if isinstance(answer, tuple) else (answer, {})
                request.send_response(status)
                for name, value in {"Content-Length": "0", **more}.items():
                    request.send_header(name, value)
                request.end_headers()

    def _answer_ill(self, request: BaseHTTPRequestHandler, ill: Ill) -> None:
        out = request.wfile
        request.close_connection = True
        match ill:
            case Ill.SILENT:
                self.ended.wait(WAIT_SECONDS_MAX)
            case Ill.GARBAGE:
                out.write(b"SSH-2.0-OpenSSH_9.9\r\n")
            case Ill.CLOSING:
                request.connection.shutdown(socket.SHUT_RDWR)
            case Ill.DRIPPING:
                out.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not self.ended.wait(0.1):
                    out.write(b"x")
                    out.flush()
            case Ill.FLOODING:
                out.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while not self.ended.is_set():
                    out.write(b"x" * 65536)


@contextmanager
def webhook_target() -> Iterator[WebhookTarget]:
    """A target that listens until the block ends."""
    target = WebhookTarget()
    thread = threading.Thread(
        target=target.server.serve_forever, args=(0.01,), name="webhooks", daemon=True
    )
    thread.start()
    try:
        yield target
    finally:
        target.ended.set()
        target.server.shutdown()
        target.server.server_close()
        thread.join(timeout=10)
