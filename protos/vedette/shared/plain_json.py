"""JSON that every reader reads alike: strict UTF-8, every key once in its object, nested only so deep.

A line is evidence, and the other side reads it with a parser of its own. Where parsers differ (which of two
equal keys counts, what a broken character is, how deep is too deep) a line could say one thing here and
another there.
"""

import json
import re
from typing import Any, Final

from vedette.shared.limits import LINE_DEPTH_MAX

_OPENING: Final = b"[{"
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKET: Final = re.compile(rb"[\[\]{}]")
# What differs from line to line of one check. Taken out, nearly all lines of an agent look the same.
_VARYING: Final = b"0123456789abcdef"
_LEFT_OUT: Final = dict.fromkeys(_VARYING + b'\\"\n\t\r')
_SHAPES_MAX: Final = 16_384
# Written in one way only and without weight for where strings end once they are gone; the first one first.
_ESCAPES: Final = (rb"\\", rb"\"", rb"\n", rb"\t", rb"\r")
_shapes: Final[set[bytes]] = set()


def require_plain(data: bytes) -> None:
    """ValueError unless `data`, which is one JSON document, can be read in one way only.

    Takes well below a microsecond for a line that looks like one that was seen before (a few with escapes
    in it), and tens otherwise.
    """
    if not data.isascii():
        _require_utf8(data)
    bare = data
    if b"\\" in data:
        for escape in _ESCAPES:
            bare = bare.replace(escape, b"")
    shape = bare.translate(None, _VARYING)
    if shape in _shapes:
        return
    if data.count(b"[") + data.count(b"{") > LINE_DEPTH_MAX:
        _require_depth(data)
    if _are_keys_apart(data) and b"\\" not in shape:
        if len(_shapes) >= _SHAPES_MAX:
            _shapes.clear()
        _shapes.add(shape)


def _require_utf8(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"expected UTF-8, found byte {data[error.start]:#04x}") from error


def _require_depth(data: bytes) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in _OPENING else -1
        if depth > LINE_DEPTH_MAX:
            raise ValueError(too_deep())


def too_deep() -> str:
    """What is wrong with a line that is nested deeper than any reader has to follow."""
    return f"expected at most {LINE_DEPTH_MAX} objects and arrays inside one another, found more"


def _are_keys_apart(data: bytes) -> bool:
    """Whether the keys of every object differ even with what varies taken out of them.

    Only then does the shape of the line say that no key stands twice: strings and brackets are where they
    are in every line of that shape. A shape with an escape left in it says nothing: a letter of a key may be
    spelt by one. ValueError if a key stands twice.
    """
    is_apart = True

    def members(pairs: list[tuple[str, Any]]) -> None:
        nonlocal is_apart
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            twice = next(key for place, key in enumerate(keys) if key in keys[:place])
            raise ValueError(f"expected every key once, found {twice[:80]!r} twice")
        if len({key.translate(_LEFT_OUT) for key in keys}) < len(keys):
            is_apart = False

    json.loads(data, object_pairs_hook=members, parse_int=len, parse_float=len)
    return is_apart
