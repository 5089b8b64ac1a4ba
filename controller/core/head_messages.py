"""What channels are told of the log: a signed head, whole, so that whoever gets it can keep it and compare it later."""

import re
from typing import Final

from controller.core.channels import EventName
from controller.core.instants import instant_text
from controller.core.wording import Level, Message, reference

SUBJECT: Final = "log"
"""What every such message is about."""
_KEY: Final = re.compile(r"[^/]+/log/([1-9][0-9]{0,18})")


def head_key(channel: str, size: int) -> str:
    """What names the message about the head of so many leaves to a channel."""
    return f"{channel}/{SUBJECT}/{size}"


def head_size(key: str) -> int | None:
    """The size of the head that a message of that key is about; None if it is about none."""
    match = _KEY.fullmatch(key)
    return None if match is None else int(match[1])


def head_message(note: bytes, *, key: str, at_us: int, signed_us: int) -> Message:
    """The note of a head, exact, as a text and for programs."""
    origin, size, root = note.decode().split("\n", 3)[:3]
    text = [
        f"A signed head of the log {origin}: {size} leaves, signed at {instant_text(signed_us)}.",
        "Keep this message. It shows later whether the same history is shown to you:",
        "`vedette verify BUNDLE --trust annex.txt --since THIS-MESSAGE.txt`.",
        "",
        *note.decode().rstrip("\n").split("\n"),
        "",
        reference(SUBJECT, key),
    ]
    facts = {"origin": origin, "size": int(size), "root": root, "signed_us": signed_us}
    return Message(
        event=EventName.HEAD,
        key=key,
        subject=SUBJECT,
        at_us=at_us,
        level=Level.INFO,
        title=f"[{SUBJECT}] head of {size} leaves of {origin}",
        text="\n".join(text),
        facts={"log": {**facts, "checkpoint": note.decode()}},
    )
