"""The ways from plain text to TLS: SMTP (RFC 3207), IMAP (RFC 3501 6.2.1) and FTP (RFC 4217)."""

from typing import assert_never

from agent.probers.network.fault import Fault
from agent.probers.tcp.conversation import Conversation, quoted
from vedette.shared.failure import Failure
from vedette.shared.probes import StartTls

_GREETING = b"EHLO vedette-agent.invalid\r\n"
_TAG = b"vedette1"


async def agree(conversation: Conversation, protocol: StartTls) -> None:
    """Speak `protocol` up to where the handshake begins. Fault if the target will not have TLS."""
    match protocol:
        case StartTls.SMTP:
            await _by_smtp(conversation)
        case StartTls.IMAP:
            await _by_imap(conversation)
        case StartTls.FTP:
            await _by_ftp(conversation)
        case _:
            assert_never(protocol)


async def _by_smtp(conversation: Conversation) -> None:
    await _demand(conversation, b"220", "a greeting (220)")
    await conversation.say(_GREETING)
    offers = await _demand(conversation, b"250", "what it offers (250)")
    words = {line[4:].strip().upper() for line in offers}
    if b"STARTTLS" not in words:
        raise Fault(Failure.STARTTLS_REFUSED, f"{conversation.where} does not offer STARTTLS")
    await conversation.say(b"STARTTLS\r\n")
    await _consent(conversation, b"220")


async def _by_ftp(conversation: Conversation) -> None:
    await _demand(conversation, b"220", "a greeting (220)")
    await conversation.say(b"AUTH TLS\r\n")
    await _consent(conversation, b"234")


async def _by_imap(conversation: Conversation) -> None:
    greeting = await _line(conversation, "a greeting (* OK)")
    if not greeting.upper().startswith(b"* OK"):
        raise _unexpected(conversation, "a greeting (* OK)", greeting)
    await conversation.say(_TAG + b" STARTTLS\r\n")
    while True:
        line = await _line(conversation, "consent to STARTTLS")
        tag, _, rest = line.partition(b" ")
        if tag != _TAG:
            continue  # untagged: news that nobody asked for
        if rest.upper().startswith(b"OK"):
            return
        said = f"{conversation.where} refuses STARTTLS: {quoted(line)}"
        raise Fault(Failure.STARTTLS_REFUSED, said)


async def _consent(conversation: Conversation, code: bytes) -> None:
    lines = await _reply(conversation, f"consent to TLS ({code.decode()})")
    if lines[-1][:3] != code:
        said = f"{conversation.where} refuses TLS: {quoted(lines[-1])}"
        raise Fault(Failure.STARTTLS_REFUSED, said)


async def _demand(conversation: Conversation, code: bytes, what: str) -> list[bytes]:
    """The lines of the next reply, which must have `code`."""
    lines = await _reply(conversation, what)
    if lines[-1][:3] != code:
        raise _unexpected(conversation, what, lines[-1])
    return lines


async def _reply(conversation: Conversation, what: str) -> list[bytes]:
    """The lines of one reply of SMTP or FTP: from `250-` up to the line with `250 `."""
    first = await _line(conversation, what)
    code = first[:3]
    if len(code) < 3 or not code.isdigit():
        raise _unexpected(conversation, what, first)
    lines = [first]
    is_open = first[3:4] == b"-"
    while is_open:
        line = await _line(conversation, what)
        lines.append(line)
        is_open = not (line[:3] == code and line[3:4] in (b" ", b""))
    return lines


async def _line(conversation: Conversation, what: str) -> bytes:
    late = f"{conversation.where} did not say {what}"
    conversation.steps.now(Failure.DIALOGUE_TIMEOUT, late)
    line = await conversation.line()
    if line is None:
        said = f"{conversation.where} closed the connection instead of saying {what}"
        raise Fault(Failure.CONNECTION_LOST, said)
    return line


def _unexpected(conversation: Conversation, what: str, line: bytes) -> Fault:
    said = f"{conversation.where} was to say {what}, and said {quoted(line)}"
    return Fault(Failure.UNEXPECTED_REPLY, said)
