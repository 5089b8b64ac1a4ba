"""Documents: YAML with lines, and every problem at once."""

import msgspec
import pytest

from vedette.shared.definitions import Check
from vedette.shared.documents import BadDocument, convert, parse, path_text


def problems_of(text: str) -> list[str]:
    with pytest.raises(BadDocument) as caught:
        parse(text.encode(), "fleet.yaml")
    return [str(p) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("on", "on", id="on is a word, not true"),
        pytest.param("yes", "yes", id="yes is a word"),
        pytest.param("2026-05-01", "2026-05-01", id="a date is text"),
        pytest.param("12:30", "12:30", id="a time is text, not base 60"),
        pytest.param("017", 17, id="no octal surprise"),
        pytest.param("1.5", 1.5, id="a number with a point"),
        pytest.param("true", True, id="true"),
        pytest.param("null", None, id="null"),
        pytest.param("'12'", "12", id="quotes make text"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert parse(f"a: {text}".encode(), "f").data == {"a": value}


def test_the_key_on_stays_a_key() -> None:
    assert parse(b"on: [a]", "f").data == {"on": ["a"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "fleet.yaml: expected a document, found an empty file"),
        ("a: 1\na: 2", "fleet.yaml:2: a: expected each key once, found it twice"),
        (
            "a: [1",
            "fleet.yaml:2: expected valid YAML, found a syntax error (did not find expected ',' or ']')",
        ),
        ("{a: 1}: 2", "fleet.yaml:1: expected a plain key, found a mapping or list as key"),
    ],
)
def test_what_is_not_a_document_is_refused(text: str, message: str) -> None:
    assert problems_of(text) == [message]


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(BadDocument, match="expected UTF-8, found byte 3 is not"):
        parse(b"a: \xff", "f")


def test_a_bomb_of_aliases_is_refused() -> None:
    text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)
    )
    with pytest.raises(BadDocument, match=r"at most [0-9]+ values"):
        parse(text.encode(), "f")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 200_000 + "]" * 200_000, id="lists, closed"),
        pytest.param("a: " + "[" * 200_000, id="lists, open"),
        pytest.param('{"a":' * 200_000 + "1" + "}" * 200_000, id="JSON"),
        pytest.param("- " * 100_000 + "a", id="dashes"),
        pytest.param("\n".join(" " * depth + "a:" for depth in range(2_000)), id="indented"),
        pytest.param("? " * 100_000 + "a", id="keys of keys"),
    ],
)
def test_what_is_nested_without_end_is_refused_and_ends_nothing(text: str) -> None:
    """PyYAML recurses in C: without a bound of ours the whole process dies of it."""
    with pytest.raises(BadDocument, match="nested at most 100 deep, found more"):
        parse(text.encode(), "f")


def test_what_is_nested_as_deep_as_is_allowed_is_read() -> None:
    data = parse(("[" * 100 + "1" + "]" * 100).encode(), "f").data
    for _ in range(100):
        (data,) = data
    assert data == 1
    with pytest.raises(BadDocument, match="nested at most 100 deep"):
        parse(("[" * 101 + "1" + "]" * 101).encode(), "f")


def test_merge_keys_give_defaults() -> None:
    data = parse(b"base: &b {x: 1, y: 2}\nthing: {<<: *b, y: 3}", "f").data
    assert data["thing"] == {"x": 1, "y": 3}


def test_all_problems_of_a_part_come_at_once_with_their_lines() -> None:
    document = parse(
        b"id: Shop\nservice: shop\nevery: 60\nhttp:\n  url: http://x\n  method: get\n  speed: 1\n"
        b"quorum: {rule: majorty, fail_after: 0}\n",
        "check.yaml",
    )
    value, problems = convert(document, (), document.data, Check)
    assert value is None
    assert [(p.line, p.path) for p in problems] == [
        (1, "id"),
        (3, "every"),
        (6, "http.method"),
        (7, "http.speed"),
        (8, "quorum.rule"),
        (8, "quorum.fail_after"),
    ]
    assert problems[3].expected == "no such key"
    assert "majority" in problems[4].expected
    assert problems[4].found == "'majorty'"


def test_a_missing_field_is_named() -> None:
    document = parse(b"service: shop\nhttp: {url: http://x}\n", "check.yaml")
    _, problems = convert(document, (), document.data, Check)
    assert [str(p) for p in problems] == ["check.yaml:1: id: expected a value, found nothing"]


def test_a_good_part_converts_without_problems() -> None:
    class Pair(msgspec.Struct):
        a: int
        b: list[str]

    document = parse(b"a: 1\nb: [x, y]", "f")
    assert convert(document, (), document.data, Pair) == (Pair(1, ["x", "y"]), [])


def test_paths_read_as_people_write_them() -> None:
    assert path_text(("checks", 0, "http", "url")) == "checks[0].http.url"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tcp: {host: x, port: 70000}", "tcp.port: expected a whole number from 1 to 65535, found 70000"),
        ("dns: {name: x, port: 0}", "dns.port: expected a whole number from 1 to 65535, found 0"),
        ("dns: {name: ''}", "dns.name: expected text of 1 to 255 characters, found ''"),
        ("dns: {name: x, type: a b}", "dns.type: expected a record type such as A, AAAA"),
        ("dns: {name: x, path: x}", "dns.path: expected the path of DNS over HTTPS, beginning with /, found 'x'"),
        ('"ev\\nry": 1\ndns: {name: x}', "ev\\nry: expected no such key"),
    ],
)  # fmt: skip
def test_bounds_and_patterns_are_said_in_words(text: str, said: str) -> None:
    document = parse(f"id: a\nservice: b\n{text}".encode(), "fleet.yaml")
    _, problems = convert(document, (), document.data, Check)
    assert [said in str(problem) for problem in problems] == [True]
    assert all(str(problem).isprintable() for problem in problems)
