"""The bytes of a head of a log that stands in a file: by itself, in a message that somebody got, in an agent's memory."""

import base64
import binascii
import email
import email.policy
import html
import json
import re
from pathlib import Path
from typing import Final

from controller.cli.sources import read_file
from controller.errors import BadInput

# Of lines that were quoted or indented.
_EDGE: Final = " \t\r>"
_TAG: Final = re.compile(r"<(br|/p|/div|/tr)\b[^>]*>\s*|<[^>]*>", re.IGNORECASE)


def head_note(path: Path) -> bytes:
    """The note in a file. BadInput if there is none; whether it is signed is looked at by whoever uses it."""
    data = read_file(path)
    if data.lstrip().startswith(b"{"):
        return _of_json(data, path)
    text = data.decode(errors="replace").replace("\r\n", "\n")
    note = note_within(text) or note_within(_mailed(data))
    # What holds no note that can be found is taken as one: what is wrong with it is then told by line.
    return note.encode() if note is not None else data.replace(b"\r\n", b"\n")


def _of_json(data: bytes, path: Path) -> bytes:
    """From what an agent remembers, or from the body of a webhook."""
    try:
        found = json.loads(data)
        if "data" in found:
            return str(found["data"]["log"]["checkpoint"]).encode()
        return base64.b64decode(found["note"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise BadInput(
            f"Expected a signed head of a log as `note` in {path}, as an agent remembers it, or as"
            " `data.log.checkpoint`, as a webhook tells it."
        ) from error


def _mailed(data: bytes) -> str:
    """The text of a message as mail programs save it; nothing if it cannot be read as one."""
    try:
        message = email.message_from_bytes(data, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        text = "" if body is None else str(body.get_content())
    except (LookupError, ValueError, TypeError, AttributeError):
        return ""
    if body is not None and body.get_content_subtype() == "html":
        text = html.unescape(_TAG.sub(lambda tag: "\n" if tag[1] else "", text))
    return text.replace("\r\n", "\n").replace("\xa0", " ")


def note_within(text: str) -> str | None:
    """The first note of a head that stands in a text, also quoted or indented; None if there is none."""
    lines = [line.strip(_EDGE) for line in text.split("\n")]
    for at in range(1, len(lines) - 3):
        if not lines[at].isdecimal() or lines[at + 2] or not _is_signature(lines[at + 3]):
            continue
        end = at + 3
        while end < len(lines) and _is_signature(lines[end]):
            end += 1
        return "\n".join(lines[at - 1 : end]) + "\n"
    return None


def _is_signature(line: str) -> bool:
    return line.startswith("\u2014 ")
