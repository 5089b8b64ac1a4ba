"""Edits of the bytes of one file: every class of byte of it, cuts, line endings, and numbers that no bundle has."""

import re
from collections.abc import Iterator
from typing import Final

Edit = tuple[str, bytes]

# What stands between white space and punctuation: a number, a word, a hash, base64.
_FIELD: Final = re.compile(rb"[0-9A-Za-z+/=_.@-]+")
_CLASSES: Final = {
    "digit": re.compile(rb"[0-9]"),
    "small letter": re.compile(rb"[a-z]"),
    "capital": re.compile(rb"[A-Z]"),
    "punctuation": re.compile(rb"[^0-9A-Za-z \n]"),
    "space": re.compile(rb" "),
    "newline": re.compile(rb"\n"),
}
_NUMBER: Final = re.compile(rb"(?<![0-9A-Za-z+/=])-?[0-9]{1,19}(?![0-9A-Za-z+/=])")
_HUGE: Final = b"9" * 40
# Of a file of many lines: the first, the middle and the last ones.
_LINES_MAX: Final = 12


def brief(data: bytes) -> Iterator[Edit]:
    """What is done to a file as a whole, and one byte of each class."""
    yield from _distinct(data, [*_whole(data), *_classes(data, ends=False)])


def full(data: bytes) -> Iterator[Edit]:
    """The same, and every field of every line (of a long file: of lines at its ends and in its middle)."""
    found = [*_whole(data), *_written_otherwise(data), *_classes(data, ends=True)]
    for number, start, end in _lines(data):
        found += _of_line(data, number, start, end)
    yield from _distinct(data, found)


def _distinct(data: bytes, found: list[Edit]) -> Iterator[Edit]:
    """Each result once, and none that is what it was."""
    seen = {data}
    for what, edited in found:
        if edited not in seen:
            seen.add(edited)
            yield what, edited


def _whole(data: bytes) -> Iterator[Edit]:
    middle, last = len(data) // 2, len(data) - 1
    for place, at in (("first", 0), ("middle", middle), ("last", last)):
        yield f"a bit of the {place} byte", _put(data, at, bytes([data[at] ^ 0x01]))
    quarter = max(1, len(data) // 4)
    yield "head cut off", data[quarter:]
    yield "middle cut out", data[:middle] + data[middle + quarter :]
    yield "tail cut off", data[:-quarter]
    yield "last byte gone", data[:-1]
    yield "empty", b""
    yield "twice", data * 2
    yield "a newline at its end", data + b"\n"
    yield "lines end in CR LF", data.replace(b"\n", b"\r\n")
    yield "other case", data.swapcase()


def _written_otherwise(data: bytes) -> Iterator[Edit]:
    middle, last = len(data) // 2, len(data) - 1
    for place, at in (("first", 0), ("middle", middle), ("last", last)):
        for bit in (0x20, 0x80):
            yield f"bit {bit:#04x} of the {place} byte", _put(data, at, bytes([data[at] ^ bit]))
        yield f"{place} byte taken out", _put(data, at, b"")
        yield f"{place} byte twice", _put(data, at, data[at : at + 1] * 2)
    yield "a byte order mark", b"\xef\xbb\xbf" + data
    yield "in UTF-16", data.decode(errors="replace").encode("utf-16")
    yield "not UTF-8", _put(data, middle, b"\xff" + data[middle : middle + 1])
    yield "a zero byte at its end", data + b"\0"
    yield "a newline before it", b"\n" + data
    yield "a space at its end", data[:-1] + b" " + data[-1:]
    yield "lines end in CR", data.replace(b"\n", b"\r")
    yield "tabs for spaces", data.replace(b" ", b"\t")
    yield "in capitals", data.upper()


def _classes(data: bytes, *, ends: bool) -> Iterator[Edit]:
    """A byte in the middle of each class, or also the first and the last, becomes another of its class."""
    for name, pattern in _CLASSES.items():
        places = [match.start() for match in pattern.finditer(data)]
        for at in _ends(places) if ends else places[len(places) // 2 : len(places) // 2 + 1]:
            yield f"{name} at {at}", _put(data, at, _next(data[at]))


def _of_line(data: bytes, number: int, start: int, end: int) -> Iterator[Edit]:
    line = data[start:end]
    where = f"line {number}"
    yield f"{where} left out", data[:start] + data[end + 1 :]
    yield f"{where} twice", data[:end] + b"\n" + line + data[end:]
    after = data.find(b"\n", end + 1)
    if after > 0:
        following = data[end + 1 : after]
        yield f"{where} after the next", data[:start] + following + b"\n" + line + data[after:]
    yield f"{where} with a space behind", data[:end] + b" " + data[end:]
    yield f"{where} with CR behind", data[:end] + b"\r" + data[end:]
    yield f"{where} with a space before", data[:start] + b" " + data[start:]
    yield f"{where} in another case", data[:start] + line.swapcase() + data[end:]
    for match in _FIELD.finditer(data, start, end):
        yield from _of_field(data, where, match.start(), match.end())
    for match in _NUMBER.finditer(data, start, end):
        for what, other in (
            ("huge", _HUGE), ("negative", b"-" + match[0]), ("zero before", b"0" + match[0]),
            ("zero", b"0"), ("one more", b"%d" % (int(match[0]) + 1)), ("one less", b"%d" % (int(match[0]) - 1)),
        ):  # fmt: skip
            text = data[: match.start()] + other + data[match.end() :]
            yield f"{where}, number {match[0].decode()}: {what}", text


def _of_field(data: bytes, where: str, start: int, end: int) -> Iterator[Edit]:
    for at in _ends(list(range(start, end))):
        yield f"{where}, byte {at}", _put(data, at, _next(data[at]))
    yield f"{where}, field at {start} gone", data[:start] + data[end:]
    yield (
        f"{where}, field at {start} in another case",
        (data[:start] + data[start:end].swapcase() + data[end:]),
    )
    if end < len(data) and data[end : end + 1] == b" ":
        yield f"{where}, space at {end} twice", _put(data, end, b"  ")


def _lines(data: bytes) -> list[tuple[int, int, int]]:
    """Number, start and end of the lines to be edited."""
    found: list[tuple[int, int, int]] = []
    start = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if line:
            found.append((number, start, start + len(line)))
        start += len(line) + 1
    if len(found) <= _LINES_MAX:
        return found
    middle = len(found) // 2
    return [*found[:2], *found[middle : middle + 2], *found[-3:]]


def _ends(places: list[int]) -> list[int]:
    """The first, the middle and the last, each once."""
    return sorted({places[0], places[len(places) // 2], places[-1]}) if places else []


def _next(byte: int) -> bytes:
    """Another byte of the same class."""
    one = bytes([byte])
    if one.isdigit():
        return b"%d" % ((byte - ord("0") + 1) % 10)
    if one.isalpha():
        return {b"z": b"a", b"Z": b"A", b"f": b"a"}.get(one, bytes([byte + 1]))
    return {b" ": b"_", b"\n": b" ", b"/": b"+", b"+": b"/"}.get(one, bytes([byte ^ 0x01]))


def _put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + 1 :]
