"""What an assignment means to an agent: what runs, what cannot, what changed."""

import msgspec
import pytest

from agent.core.assignment import Program, difference, program_of, whole
from agent.core.backoff import Backoff
from agent.core.echoes import echo_variables
from agent.core.redaction import redacted_url
from agent.errors import UnknownBase
from agent.ports import AssignedCheck, Assignment
from tests.unit.agent.checks import check_of
from vedette.shared.definitions import Check, canonical_bytes, digest_of

ALL = ("http", "dns", "icmp")


def assigned(*checks: Check) -> Assignment:
    parts = [canonical_bytes(check) for check in checks]
    return Assignment("r", tuple(AssignedCheck(part, digest_of(part)) for part in parts))


def reasons(assignment: Assignment, can_probe: tuple[str, ...] = ALL) -> list[str]:
    return [u.reason for u in program_of(assignment, "fra", can_probe).unrunnable]


def test_what_can_be_run_is_run() -> None:
    check = check_of(regions=["fra", "nyc"])
    program = program_of(assigned(check), "fra", ALL)
    assert program.checks["c"].check == check
    assert program.checks["c"].digest == digest_of(canonical_bytes(check))
    assert program.unrunnable == ()


@pytest.mark.parametrize(
    ("check", "said"),
    [
        pytest.param(check_of(regions=["nyc"]), "not for region fra (nyc)", id="another region"),
        pytest.param(
            check_of(http={"url": "gopher://x/"}), "http.url: expected a URL", id="a bad URL"
        ),
        pytest.param(
            check_of(http={"url": "http://x/", "expect": ["a = 1"]}),
            "expect[0]",
            id="a bad expression",
        ),
        pytest.param(
            check_of(http={"url": "http://x/", "headers": {"A": "Bearer ${secret:shop}"}}),
            "does not hold the secret shop",
            id="a secret",
        ),
    ],
)
def test_what_cannot_be_run_has_its_reason(check: Check, said: str) -> None:
    (reason,) = reasons(assigned(check))
    assert said in reason


def test_a_kind_that_this_agent_lacks_is_named() -> None:
    assert (
        "cannot run http probes (dns, icmp only)"
        in reasons(assigned(check_of()), ("icmp", "dns"))[0]
    )


@pytest.mark.parametrize(
    "definition",
    [
        b"", b"{", b"[]", b"{}", b'{"id":"c"}', b'{"id":"c","service":"s"}', b"\xff\xfe",
        b'{"id":"c","service":"s","http":{"url":"http://x/","from":"the future"}}',
        b'{"id":"c","service":"s","http":{"url":"http://x/"},"dns":{"name":"x"}}',
        b'{"every":"1000d","id":"c","service":"s","http":{"url":"http://x/"}}',
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_read_stops_no_other(definition: bytes) -> None:
    good = assigned(check_of(id="good"))
    bad = AssignedCheck(definition, digest_of(definition))
    program = program_of(Assignment("r", (bad, *good.checks)), "fra", ALL)
    assert list(program.checks) == ["good"]
    assert len(program.unrunnable) == 1


def test_a_definition_must_be_the_one_that_its_digest_names() -> None:
    part = canonical_bytes(check_of())
    found = reasons(Assignment("r", (AssignedCheck(part, "0" * 64),)))
    assert found == ["its digest is not that of its definition"]


def test_a_check_that_comes_twice_runs_once() -> None:
    assert "twice" in reasons(assigned(check_of(), check_of(timeout="5s")))[0]


def test_difference_names_what_came_changed_and_went() -> None:
    old = program_of(assigned(check_of(id="a"), check_of(id="b"), check_of(id="c")), "fra", ALL)
    new = program_of(
        assigned(check_of(id="a"), check_of(id="b", every="30s"), check_of(id="d")), "fra", ALL
    )
    found = difference(old, new)
    assert (found.added, found.changed, found.removed) == (("d",), ("b",), ("c",))
    assert difference(Program(), Program()) == difference(new, new)


def test_backoff_doubles_up_to_its_bound_and_is_spread() -> None:
    backoff = Backoff(0.2, 30.0)
    assert [round(backoff.wait_seconds(n, 1.0), 3) for n in (1, 2, 3)] == [0.4, 0.8, 1.6]
    assert backoff.wait_seconds(10**6, 0.999999) <= 30.0
    assert backoff.wait_seconds(7, 0.0) == 0.2


@pytest.mark.parametrize(
    ("rtts", "expected"),
    [
        pytest.param(
            [1000, None, 3000],
            {"sent": 3, "received": 2, "loss": 1 / 3, "rtt_ms": {
                "min": 1.0, "avg": 2.0, "max": 3.0, "p50": 1.0, "p95": 3.0, "jitter": 2.0}},
            id="two of three",
        ),
        pytest.param([None] * 15, {"sent": 15, "received": 0, "loss": 1.0}, id="none of fifteen"),
        pytest.param(
            [500],
            {"sent": 1, "received": 1, "loss": 0.0, "rtt_ms": {
                "min": 0.5, "avg": 0.5, "max": 0.5, "p50": 0.5, "p95": 0.5}},
            id="one has no jitter",
        ),
        pytest.param([], {"sent": 0, "received": 0}, id="nothing was sent"),
    ],
)  # fmt: skip
def test_echo_statistics(rtts: list[int | None], expected: dict[str, object]) -> None:
    assert echo_variables(rtts) == expected


@pytest.mark.parametrize(
    ("url", "redacted"),
    [
        ("http://user:pw@x.example/p?a=1&b=2#f", "http://x.example/p?a=*&b=*"),
        ("https://x.example:8443/", "https://x.example:8443/"),
        ("http://x/?canary", "http://x/?*"),
        ("http://[bad", "*"),
    ],
)
def test_urls_are_redacted(url: str, redacted: str) -> None:
    assert redacted_url(url) == redacted


def test_assigned_checks_survive_the_wire() -> None:
    assert msgspec.json.decode(canonical_bytes(check_of()), type=Check) == check_of()


def parts(*checks: Check) -> tuple[AssignedCheck, ...]:
    return assigned(*checks).checks


def test_a_change_makes_the_assignment_that_it_was_made_for() -> None:
    a, b, c, changed = (check_of(id="a"), check_of(id="b"), check_of(id="c"),
                        check_of(id="b", every="30s"))  # fmt: skip
    base = Assignment("r1", parts(a, b), anchors=(b"{}",), place=1)
    gone = parts(b)[0].digest
    made = whole(
        Assignment("r2", parts(c, changed), base="r1", removed=(gone,), anchors=(b"[]",), place=2),
        base,
    )
    assert {part.digest for part in made.checks} == {p.digest for p in parts(a, c, changed)}
    assert (made.revision, made.base, made.removed) == ("r2", "", ())
    assert (made.anchors, made.place) == ((b"[]",), 2)
    assert whole(made, Assignment("")) is made
    assert whole(Assignment("r3", base="r2", removed=tuple(p.digest for p in made.checks)), made
                 ).checks == ()  # fmt: skip


@pytest.mark.parametrize("runs", ["", "r0"])
def test_a_change_of_another_assignment_is_not_made(runs: str) -> None:
    with pytest.raises(UnknownBase, match=r"Assignment r2 changes r1, and (none|r0) is being run"):
        whole(Assignment("r2", base="r1"), Assignment(runs))
