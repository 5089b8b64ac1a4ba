"""The result line: what is refused, whichever key it stands in, and what of it is not looked at twice."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from vedette.shared import plain_json
from vedette.shared.limits import LINE_BYTES_MAX, LINE_DEPTH_MAX
from vedette.shared.result import Outcome, ResultLine, decode_line, encode_line

HEAD = (
    b'{"agent":"fra-1","epoch":"e1","stream":"shop","seq":7,"check":"shop-home","region":"fra",'
    b'"at":1750000000000000,"outcome":"up"'
)


def line(rest: bytes) -> bytes:
    return HEAD + rest + b"}"


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        pytest.param(
            b',"x":' + b"[" * 1500 + b"]" * 1500, "objects and arrays inside one another",
            id="deeper than the parser can follow",
        ),
        pytest.param(
            b',"x":' + b"[" * LINE_DEPTH_MAX + b"]" * LINE_DEPTH_MAX,
            "objects and arrays inside one another", id="deeper than another parser may follow",
        ),
        pytest.param(
            b',"outcome":"down"', "every key once, found 'outcome' twice", id="two outcomes"
        ),
        pytest.param(
            b',"out\\u0063ome":"down"', "every key once, found 'outcome' twice",
            id="two outcomes, one of them spelt with an escape",
        ),
        pytest.param(b',"x":1,"x":2', "found 'x' twice", id="an unknown key twice"),
        pytest.param(b',"x":[{"a1":1,"a1":2}]', "found 'a1' twice", id="a key twice far inside"),
        pytest.param(
            b',"clock":{"offset":0,"offset":9}', "found 'offset' twice", id="two clock offsets"
        ),
        pytest.param(b',"x\\"":1,"x\\u0022":2', "found 'x\"' twice", id="a quote spelt in two ways"),
        pytest.param(b',"x":"\xff"', "expected UTF-8, found byte 0xff", id="no UTF-8"),
        pytest.param(b',"\xc3":1', "expected UTF-8", id="no UTF-8 in an unknown key"),
        pytest.param(b',"kind":"\xff"', "UTF-8", id="no UTF-8 in a known value"),
        pytest.param(b',"x":"' + b"y" * LINE_BYTES_MAX + b'"', "at most 16384 bytes", id="long"),
        pytest.param(b',"x":NaN', "JSON is malformed", id="not a number"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_seen", [False, True])
def test_a_line_that_can_be_read_in_two_ways_is_refused(
    rest: bytes, reason: str, *, is_seen: bool
) -> None:
    if is_seen:
        # A line of nearly the same shape that is fine must not speak for this one.
        decode_line(line(b',"clock":{"offset":0},"x":[{"a1":1,"a2":2}]'))
        decode_line(line(b',"x":1,"x2":2'))
        decode_line(line(b',"x":"a\xc3\xa9"'))
        decode_line(line(b',"x\\"":1,"x\\\\":2'))
    with pytest.raises(ValueError, match=reason):
        decode_line(line(rest))


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"", id="plain"),
        pytest.param(b',"x":' + b"[" * 31 + b"]" * 31, id="as deep as allowed"),
        pytest.param(b',"x":"' + b"[{" * 200 + b'"', id="brackets in a string"),
        pytest.param(b',"x":"\\"[[[\\\\"', id="quotes and brackets in a string"),
        pytest.param(b',"x":[{"a":1},{"a":2}]', id="a key again in another object"),
        pytest.param(b',"x":' + b"9" * 5000, id="a number longer than a parser of Python takes"),
        pytest.param(',"detail":"später \u2028"'.encode(), id="letters beyond ASCII"),
    ],
)
def test_a_line_that_can_be_read_in_one_way_is_taken(rest: bytes) -> None:
    for _ in range(2):
        assert decode_line(line(rest)).outcome is Outcome.UP


def test_lines_that_look_alike_are_looked_into_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []
    inner = plain_json._are_keys_apart
    monkeypatch.setattr(plain_json, "_shapes", set())

    def counted(data: bytes) -> bool:
        looked.append(data)
        return inner(data)

    monkeypatch.setattr(plain_json, "_are_keys_apart", counted)
    sha = "9f31c2d0" * 8
    for seq in range(1, 1000):
        data = {
            "agent": "fra-1", "epoch": "9f31", "stream": "shop", "seq": seq, "check": f"check-{seq % 50}",
            "region": "fra", "at": 1_750_000_000_000_000 + seq, "took": seq * 31, "outcome": "up",
            "http": {"status": 200, "body_sha256": sha[seq % 8 :]},
            "detail": f'found "{seq}" and \\ {seq}\n',
        }  # fmt: skip
        decode_line(msgspec.json.encode(data))
    assert len(looked) == 1


def test_what_is_remembered_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_json, "_shapes", set())
    monkeypatch.setattr(plain_json, "_SHAPES_MAX", 4)
    for letter in b"ghijklmnopqrst":
        decode_line(line(b',"x":"%c"' % letter))
    assert len(plain_json._shapes) <= 4


@pytest.mark.parametrize(
    "unseen",
    ["\x7f", "\x80", "\x9b2J", "\x9f", "\u061c", "\u200e", "\u2028", "\u202e", "\u2069", "\ufeff"],
)
@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(lambda text: {"tcp": {"banner": text}}, id="a greeting"),
        pytest.param(lambda text: {"http": {"reason": text}}, id="a reason"),
        pytest.param(lambda text: {"dns": {"answers": [text]}}, id="a TXT record"),
        pytest.param(lambda text: {"http": {"tls": {"subject": text}}}, id="a subject"),
        pytest.param(lambda text: {"detail": text}, id="a detail"),
    ],
)
def test_characters_that_act_instead_of_being_seen_are_escaped(
    unseen: str, facts: Callable[[str], dict[str, Any]]
) -> None:
    said = facts(f"ü{unseen}€")
    written = encode_line(
        ResultLine(
            agent="a", epoch="e", seq=1, check="c", region="r", at=1, outcome=Outcome.UP, **said
        )
    )
    assert all(c.isprintable() for c in written.decode().removesuffix("\n"))
    assert "ü" in written.decode()
    assert decode_line(written).seq == 1
    again = msgspec.json.decode(written)
    assert {key: again[key] for key in said} == said
