"""Servers on loopback that begin in plain text and go on in TLS: SMTP, IMAP and FTP by script."""

import asyncio
import ssl
from dataclasses import dataclass, field

from tests.fakes.tcp_target import Script


@dataclass
class Talk:
    """What a server says: a greeting, then an answer to each line by its first word, and where TLS begins."""

    greeting: bytes
    answers: dict[bytes, bytes]
    tls: ssl.SSLContext | None = None
    tls_after: bytes = b""
    heard: list[bytes] = field(default_factory=list)

    def script(self) -> Script:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(self.greeting)
            while line := await reader.readline():
                self.heard.append(line.rstrip(b"\r\n"))
                words = line.split()
                key = next((w.upper() for w in words if w.upper() in self.answers), b"")
                writer.write(self.answers.get(key, b"500 what\r\n"))
                await writer.drain()
                if self.tls is not None and key and key == self.tls_after:
                    await writer.start_tls(self.tls)

        return run


def smtp(tls: ssl.SSLContext | None, **answers: bytes) -> Talk:
    offers = b"250-mail.example greets you\r\n250-PIPELINING\r\n250 STARTTLS\r\n"
    known = {b"EHLO": offers, b"STARTTLS": b"220 go ahead\r\n", b"QUIT": b"221 bye\r\n"}
    return Talk(
        b"220-mail.example ESMTP\r\n220 ready\r\n",
        {**known, **{k.encode(): v for k, v in answers.items()}},
        tls,
        b"STARTTLS",
    )


def imap(tls: ssl.SSLContext | None, **answers: bytes) -> Talk:
    known = {b"STARTTLS": b"* 3 EXISTS\r\nvedette1 OK begin\r\n", b"NOOP": b"a NOOP done\r\n"}
    return Talk(
        b"* OK IMAP4rev1 ready\r\n",
        {**known, **{k.encode(): v for k, v in answers.items()}},
        tls,
        b"STARTTLS",
    )


def ftp(tls: ssl.SSLContext | None, **answers: bytes) -> Talk:
    known = {b"AUTH": b"234 AUTH TLS ok\r\n", b"NOOP": b"200 fine\r\n"}
    return Talk(
        b"220-Welcome\r\n 220 is not the end yet\r\n220 ftp.example\r\n",
        {**known, **{k.encode(): v for k, v in answers.items()}},
        tls,
        b"AUTH",
    )
