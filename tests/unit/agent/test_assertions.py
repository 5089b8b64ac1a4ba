"""Expectations over what was seen, and the verdict that they give."""

from typing import Any

import msgspec
import pytest

from agent.core.evaluation import DEFAULTS, evaluated, names_read
from agent.core.verdict import clipped, verdict
from agent.ports import Observation
from vedette.shared.definitions import Check
from vedette.shared.expectations import BadExpectation, compiled, problems_of_expectations
from vedette.shared.failure import Failure
from vedette.shared.limits import DETAIL_CHARS_MAX

SEEN: dict[str, Any] = {
    "status": 404,
    "headers": {"content-type": "text/html", "x-key": "canary"},
    "body": "canary in a body",
    "json": {"ok": False, "n": [1, 2], "secret": "canary"},
    "phases": {"first_byte_ms": 812.25},
    "hops": [{"url": "http://x/?canary", "status": 404}],
    "url": "http://x/?canary",
}


def check_of(kind: str = "http", *expect: str, **changes: object) -> Check:
    target: dict[str, object] = {
        "http": {"url": "http://x/"},
        "dns": {"name": "x.example"},
        "icmp": {"host": "x.example"},
    }[kind]  # type: ignore[assignment] # of three shapes
    plain = {"id": "c", "service": "s", kind: {**target, "expect": list(expect)}}
    return msgspec.convert({**plain, **changes}, Check)


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        pytest.param("status == 200", "status == 200: status is 404", id="a value"),
        pytest.param(
            "status in [200, 204]", "status in [200, 204]: status is 404", id="one of a list"
        ),
        pytest.param(
            "tls.days_left > 14", "tls.days_left > 14: tls not reached", id="a name that was not reached"
        ),
        pytest.param(
            "phases.tls_ms < 5.0",
            "phases.tls_ms < 5.0: no 'tls_ms' was seen; phases is {first_byte_ms}",
            id="a phase that was not reached",
        ),
        pytest.param(
            "phases.first_byte_ms < 800",
            "phases.first_byte_ms < 800: phases.first_byte_ms is 812.25",
            id="an integer against a fraction",
        ),
        pytest.param("json.ok == true", "json.ok == true: json.ok is false", id="a bool of the body"),
        pytest.param("json.n[1] == 3", "json.n[1] == 3: json.n[1] is a number", id="a number of it"),
        pytest.param(
            "json.secret == 'a'", "json.secret == 'a': json.secret is text of 6 characters", id="a text"
        ),
        pytest.param(
            "body.contains('x')", "body.contains('x'): body is text of 16 characters", id="the body"
        ),
        pytest.param(
            "headers['x-key'] == 'a'",
            "headers['x-key'] == 'a': headers['x-key'] is text of 6 characters",
            id="a header",
        ),
        pytest.param(
            "headers['x-no'] == 'a'",
            "headers['x-no'] == 'a': no 'x-no' was seen; headers is a mapping of 2",
            id="a missing header",
        ),
        pytest.param(
            "hops[0].status == 200", "hops[0].status == 200: hops[0].status is 404", id="of a hop"
        ),
        pytest.param("status", "status: gives 404, not true or false; status is 404", id="no bool"),
        pytest.param(
            "status > 'a'",
            "status > 'a': the types do not fit: a text, a number and true or false cannot be compared or joined; "
            "status is 404",
            id="types that do not fit",
        ),
        pytest.param(
            "status / 0 == 1", "status / 0 == 1: division by zero in CEL expression; status is 404",
            id="a division by zero",
        ),
        pytest.param(
            "size(json.n[0]) == 1",
            "size(json.n[0]) == 1: size() takes a text, a list or a mapping; json.n[0] is a number",
            id="the size of a number",
        ),
        pytest.param(
            "json.n[0].startsWith('a')",
            "json.n[0].startsWith('a'): startsWith() takes texts; json.n[0] is a number",
            id="the beginning of a number",
        ),
        pytest.param(
            "json.n[0].matches('a')",
            "json.n[0].matches('a'): matches() takes a text and a pattern; json.n[0] is a number",
            id="a pattern over a number",
        ),
        pytest.param(
            "body.matches(json.secret + '(')",
            "body.matches(json.secret + '('): matches() takes a regular expression, and was given none, or one too "
            "long; body is text of 16 characters, json.secret is text of 6 characters",
            id="a pattern that is none",
        ),
        pytest.param(
            "headers[json.secret] == 'a'",
            "headers[json.secret] == 'a': no such key was seen; headers is a mapping of 2, json.secret is text of 6 "
            "characters",
            id="a key that the target chose",
        ),
        pytest.param(
            "body + json.secret",
            "body + json.secret: gives text of 22 characters, not true or false; body is text of 16 characters, "
            "json.secret is text of 6 characters",
            id="a text of the target's",
        ),
        pytest.param(
            "int(json.secret) == 1",
            "int(json.secret) == 1: int() takes a number, or a text that is one; json.secret is text of 6 characters",
            id="a number of a text",
        ),
        pytest.param(
            "timestamp(json.secret) > timestamp('2026-01-01T00:00:00Z')",
            "timestamp(json.secret) > timestamp('2026-01-01T00:00:00Z'): timestamp() takes a text such as "
            "'2026-01-31T12:00:00Z'; json.secret is text of 6 characters",
            id="an instant of a text",
        ),
    ],
)  # fmt: skip
def test_a_failed_expectation_says_what_it_saw(text: str, explained: str) -> None:
    (assertion,) = evaluated(check_of("http", text), SEEN)
    assert not assertion.holds
    assert assertion.explained() == explained
    assert "canary" not in assertion.explained()


@pytest.mark.parametrize(
    "text",
    [
        "status == 404 || tls.verified",
        "hops.exists(h, h.status == 404)",
        "has(headers.content) == false",
        "!has(json.missing) && size(json.n) == 2",
        "body.matches('can[a-z]+')",
    ],
)
def test_an_expectation_may_hold_without_everything(text: str) -> None:
    (assertion,) = evaluated(check_of("http", text), SEEN)
    assert assertion.holds, assertion.explained()


def test_a_person_at_the_site_sees_the_values() -> None:
    (assertion,) = evaluated(check_of("http", "headers['x-key'] == 'a'"), SEEN)
    assert assertion.explained(public=False).endswith("headers['x-key'] is 'canary'")


@pytest.mark.parametrize(
    ("kind", "seen", "failure"),
    [
        ("http", {"status": 200}, None),
        ("http", {"status": 299}, None),
        ("http", {"status": 199}, Failure.BAD_STATUS),
        ("http", {"status": 300}, Failure.BAD_STATUS),
        ("dns", {"rcode": "NOERROR", "answers": ["a"]}, None),
        ("dns", {"rcode": "NOERROR", "answers": []}, Failure.NO_ANSWER),
        ("dns", {"rcode": "SERVFAIL", "answers": []}, Failure.BAD_RCODE),
        ("icmp", {"sent": 3, "received": 1}, None),
        ("icmp", {"sent": 3, "received": 0}, Failure.NO_REPLY),
    ],
)
def test_default_expectations(kind: str, seen: dict[str, Any], failure: Failure | None) -> None:
    result = verdict(check_of(kind), Observation(took_us=1, variables=seen))
    assert (result.outcome, result.kind) == ("up" if failure is None else "down", failure)


def test_a_host_that_never_answered_is_named_so_whatever_was_expected() -> None:
    seen = Observation(took_us=1, variables={"sent": 3, "received": 0, "loss": 1.0})
    assert verdict(check_of("icmp", "loss < 0.4"), seen).kind == Failure.NO_REPLY
    assert verdict(check_of("icmp", "received == 0"), seen).outcome == "up"


def test_an_incomplete_probe_is_down_and_nothing_is_expected_of_it() -> None:
    seen = Observation(took_us=1, kind="connect_refused", detail="x", variables={"status": 200})
    result = verdict(check_of("http", "status == 200"), seen)
    assert (result.outcome, result.kind, result.expectations) == ("down", "connect_refused", ())


def test_a_fault_of_the_agent_is_agent_error() -> None:
    seen = Observation(took_us=1, kind="no_route", detail="x", is_agent_fault=True)
    assert verdict(check_of(), seen).outcome == "agent_error"


@pytest.mark.parametrize(("took_us", "outcome"), [(2_000_000, "up"), (2_000_001, "degraded")])
def test_slower_than_the_soft_limit_is_degraded(took_us: int, outcome: str) -> None:
    seen = Observation(took_us=took_us, variables={"status": 200})
    assert verdict(check_of("http", degraded_over="2s"), seen).outcome == outcome


def test_down_is_stronger_than_degraded() -> None:
    seen = Observation(took_us=9_000_000, variables={"status": 500})
    assert verdict(check_of("http", degraded_over="2s"), seen).outcome == "down"


def test_detail_is_one_printable_line_within_its_bound() -> None:
    assert clipped("a\nb\x1b[31m\tc") == "a b?[31m c"
    assert len(clipped("x" * 10_000) or "") == DETAIL_CHARS_MAX
    expect = [f"status == {n}" for n in range(40)]
    detail = verdict(check_of("http", *expect), Observation(1, variables=SEEN)).detail
    assert detail is not None
    assert detail.endswith("and 37 more")


def test_only_what_is_read_has_to_be_made() -> None:
    assert names_read(check_of("http", "json.ok", "status == 1")) == {"json", "status"}
    assert names_read(check_of("http")) == {"status"}


def test_defaults_compile() -> None:
    for kind, expectations in DEFAULTS.items():
        for text, _ in expectations:
            assert compiled(text, kind).text == text


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (
            "http",
            "status = 200",
            "token recognition error at: '= '; write == to compare (column 8)",
        ),
        ("http", "status ==", "Syntax error: mismatched input the end (column 10)"),
        ("http", "status == 1 and true", "mismatched input 'and'; write && for and (column 13)"),
        ("http", "status == 1 or true", "mismatched input 'or'; write || for or (column 13)"),
        ("http", "headers.content-type == 'a'", "write headers['content-type'] (column 17)"),
        (
            "dns",
            "answers contains 'a'",
            "write text.contains('part'), or 'item' in list (column 9)",
        ),
        ("http", "stat == 200", "unknown variable stat; http probes have addr"),
        ("http", "x.exists(y, y == 1)", "unknown variable x"),
        ("http", "body.matches('(')", "not a regular expression: missing ): ( (column 14)"),
        ("dns", "rcode == 'NXDOMAI'", "unknown response code NXDOMAI"),
        ("dns", "rcode in ['NOERROR', 'OK']", "unknown response code OK"),
        ("icmp", "status == 200", "unknown variable status; icmp probes have"),
    ],
)
def test_a_wrong_expression_is_refused_when_it_is_read(kind: str, text: str, said: str) -> None:
    with pytest.raises(BadExpectation) as caught:
        compiled(text, kind)
    assert said in str(caught.value)


def test_all_wrong_expressions_are_told_at_once() -> None:
    check = check_of("http", "status = 1", "status == 1", "nothing == 1")
    assert [path for path, _, _ in problems_of_expectations(check)] == [
        ("http", "expect", 0),
        ("http", "expect", 2),
    ]


def test_a_macro_over_too_much_is_false_and_says_so_instead_of_taking_minutes() -> None:
    check = check_of("http", "json.a.filter(x, x > 0).size() > 0")
    (found,) = evaluated(check, {"json": {"a": [1] * 20_000}})
    assert not found.holds
    assert found.reason is not None
    assert found.reason.startswith("too large to evaluate")
