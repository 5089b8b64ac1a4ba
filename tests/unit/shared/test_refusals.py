"""Wrong checks: refused by plan, apply and probe alike, with file, line, path, expected and found."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.check_file import read_check
from agent.errors import BadInput
from controller.core.fleet import read_fleet
from tests.fakes.storage import FakeStorage
from tests.unit.services.conftest import World
from vedette.shared.documents import Problem

HEAD = """\
version: 1
regions: [{id: fra}]
services: [{id: shop}]
checks:
  - id: probe
    service: shop
"""
HTTP = "url: http://a.example/"
# (check, line in it, path, words of what was expected, words of what was found)
WRONG = {
    "an unknown key of the check": (f"evry: 5s\nhttp: {{{HTTP}}}", 1, "evry", "no such key", "'evry'"),
    "an unknown key of the probe": (f"http:\n  {HTTP}\n  metod: GET", 3, "http.metod", "no such key", "'metod'"),
    "an unknown key deep inside": (f"http:\n  {HTTP}\n  redirects:\n    folow: true", 4, "http.redirects.folow", "no such key", "'folow'"),
    "no probe": ("every: 60s", 1, "", "exactly one of http, dns, icmp, tcp", "none"),
    "two probes": (f"http: {{{HTTP}}}\ndns: {{name: a.example}}", 1, "", "exactly one of", "http and dns"),
    "a number for text": ("dns:\n  name: 5", 2, "dns.name", "text", "5"),
    "no url": ("http:\n  method: GET", 1, "http.url", "a value", "nothing"),
    "another scheme": ("http:\n  url: ftp://a.example/", 2, "http.url", "http:// or https://", "ftp://a.example/"),
    "a url without a host": ("http:\n  url: http:///x", 2, "http.url", "a URL with a host", "http:///x"),
    "a url with a space": ("http:\n  url: http://a b/", 2, "http.url", "without spaces", "http://a b/"),
    "a url with a wrong port": ("http:\n  url: http://a.example:70000/", 2, "http.url", "a URL", "70000"),
    "a header that the agent sets": (f"http:\n  {HTTP}\n  headers:\n    Content-Length: '5'", 4, "http.headers.Content-Length", "a header that the agent does not set itself", "Content-Length"),
    "two bodies": (f"http:\n  {HTTP}\n  body: a\n  body_base64: YQ==", 4, "http.body_base64", "body or body_base64", "both"),
    "a CA that is no certificate": (f"http:\n  {HTTP}\n  tls:\n    ca: x", 4, "http.tls.ca", "PEM", ""),
    "all addresses behind a proxy": (f"http:\n  {HTTP}\n  proxy: http://p.example:3128\n  addresses: all", 4, "http.addresses", "addresses: any", "all"),
    "no duration": (f"every: soon\nhttp: {{{HTTP}}}", 1, "every", "a duration such as 250ms", "'soon'"),
    "an interval below a second": (f"every: 500ms\ntimeout: 100ms\nhttp: {{{HTTP}}}", 1, "every", "from 1s to 24h", "500ms"),
    "a timeout past the interval": (f"every: 60s\ntimeout: 61s\nquorum: {{freshness: 5m}}\nhttp: {{{HTTP}}}", 2, "timeout", "below the interval (60s)", "61s"),
    "a soft limit past the timeout": (f"timeout: 5s\ndegraded_over: 6s\nhttp: {{{HTTP}}}", 2, "degraded_over", "below the timeout (5s)", "6s"),
    "k without k_of": (f"quorum:\n  rule: majority\n  k: 2\nhttp: {{{HTTP}}}", 3, "quorum.k", "rule k_of", "2"),
    "an unknown rule": (f"quorum:\n  rule: most\nhttp: {{{HTTP}}}", 2, "quorum.rule", "one of all, any", "most"),
    "an unknown record type": ("dns:\n  name: a.example\n  type: AX", 3, "dns.type", "a record type such as A, AAAA", "'AX'"),
    "a label without a character": ("dns:\n  name: a..example", 2, "dns.name", "labels of 1 to 63", "a..example"),
    "an unknown transport": ("dns:\n  name: a.example\n  transport: quic", 3, "dns.transport", "one of", "quic"),
    "more requests than time": ("timeout: 2s\nicmp:\n  host: a.example\n  count: 50\n  spacing: 1s", 5, "icmp.spacing", "fit into the timeout (2s)", "50 requests over 49s"),
    "no port": ("tcp:\n  host: a.example", 1, "tcp.port", "a value", "nothing"),
    "a step that does two things": ("tcp:\n  host: a.example\n  port: 25\n  dialogue:\n    - {expect: a, line: b}", 5, "tcp.dialogue[0]", "exactly one of expect", "expect and line"),
    "a step with a bad pattern": ("tcp:\n  host: a.example\n  port: 25\n  dialogue:\n    - expect: '('", 5, "tcp.dialogue[0].expect", "a regular expression", "'('"),
}  # fmt: skip
# (expression, kind, column or None, words of the reason)
WRONG_EXPRESSIONS = {
    "no CEL": ("status === 200", "http", 10, "Syntax error"),
    "CEL that just ends": ("status ==", "http", 10, "Syntax error"),
    "a name that the probe never has": ("status == 200 && rcode == 'NOERROR'", "http", 18, "unknown variable rcode"),
    "a misspelt name": ("statos == 200", "http", 1, "unknown variable statos; http probes have addr"),
    "a bad regular expression": ("body.matches('[')", "http", 14, "not a regular expression"),
    "a response code that there is not": ("rcode == 'NXDOMAN'", "dns", 11, "unknown response code NXDOMAN"),
}  # fmt: skip
PROBE = {"http": HTTP, "dns": "name: a.example"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    storage = FakeStorage()
    yield World(storage)
    storage.close()


def fleet_of(check: str) -> bytes:
    return (HEAD + "".join(f"    {line}\n" for line in check.splitlines())).encode()


def refused(world: World, check: str) -> tuple[list[Problem], list[Problem]]:
    """What `plan` and `apply` say; neither may leave anything behind."""
    text = fleet_of(check)
    planned, applied = world.fleets.plan(text, "fleet.yaml"), world.fleets.apply(text, "fleet.yaml", "ada")  # fmt: skip
    assert not planned.changes
    assert not applied.changes
    assert world.fleets.export() is None
    return list(planned.problems), list(applied.problems)


def probed(folder: Path, check: str) -> list[str]:
    """What `probe` says, line by line."""
    file = folder / "check.yaml"
    file.write_text(check)
    with pytest.raises(BadInput) as caught:
        read_check(file)
    return str(caught.value).replace(str(file), "check.yaml").splitlines()


@pytest.mark.parametrize("name", WRONG)
def test_plan_apply_and_probe_refuse(name: str, world: World, tmp_path: Path) -> None:
    check, line, path, expected, found = WRONG[name]
    # What has no line of its own is told at the line of the check.
    at = HEAD.count("\n") + line if path else HEAD.count("\n") - 1
    whole = f"checks[0].{path}".rstrip(".")
    for problems in refused(world, check):
        (problem,) = problems
        assert (problem.file, problem.line, problem.path) == ("fleet.yaml", at, whole)
        assert expected in problem.expected
        assert found in problem.found
    (said,) = probed(tmp_path, check)
    assert said.startswith(f"check.yaml:{line}: {path}{': ' if path else ''}expected ")
    assert expected in said
    assert found in said.partition(", found ")[2]


@pytest.mark.parametrize("name", WRONG_EXPRESSIONS)
def test_a_wrong_expression_is_refused_with_its_column(
    name: str, world: World, tmp_path: Path
) -> None:
    text, kind, column, reason = WRONG_EXPRESSIONS[name]
    good = "took_ms > 0.0"
    check = f'{kind}:\n  {PROBE[kind]}\n  expect:\n    - "{good}"\n    - "{text}"'
    for problems in refused(world, check):
        (problem,) = problems
        assert (problem.line, problem.path) == (HEAD.count("\n") + 5, f"checks[0].{kind}.expect[1]")
        assert reason in str(problem)
        assert f"(column {column})" in str(problem)
    (said,) = probed(tmp_path, check)
    assert said.startswith(f"check.yaml:5: {kind}.expect[1]: expected a CEL expression")
    assert reason in said
    assert f"(column {column})" in said


def test_everything_that_is_wrong_is_said_at_once(world: World, tmp_path: Path) -> None:
    check = "every: soon\nhttp:\n  url: ftp://a.example/\n  metod: GET\n  expect: [statos == 200]"
    for problems in refused(world, check):
        assert {"checks[0].every", "checks[0].http.metod", "checks[0].http.expect[0]"} <= {
            problem.path for problem in problems
        }
    assert len(probed(tmp_path, check)) >= 2


@pytest.mark.parametrize("length", ["30s", "31s"])
def test_a_timeout_is_below_the_interval(world: World, tmp_path: Path, length: str) -> None:
    check = f"every: 30s\ntimeout: {length}\nhttp:\n  {HTTP}\n"
    for problems in refused(world, check):
        (problem,) = problems
        assert (problem.path, problem.found) == ("checks[0].timeout", length)
        assert "below the interval (30s), so that runs do not overlap" in problem.expected
    assert any("below the interval (30s)" in said for said in probed(tmp_path, check))


def test_a_fleet_that_was_in_force_may_have_a_timeout_as_long_as_the_interval() -> None:
    check = f"every: 30s\ntimeout: 30s\nhttp:\n  {HTTP}\n"
    (read,) = read_fleet(fleet_of(check), "fleet.yaml").checks.values()
    assert read.timeout_us == read.interval_us


@pytest.mark.parametrize("every", ["1s", "3s", "12500ms", "1m", "24h"])
def test_the_default_timeout_is_below_the_interval(world: World, every: str) -> None:
    check = f"every: {every}\nhttp:\n  {HTTP}\n"
    assert not world.fleets.plan(fleet_of(check), "fleet.yaml").problems


@pytest.mark.parametrize("text", ["http: {url: [", "", "- a\n- b", "just words", "checks: []"])
def test_what_is_no_check_at_all_is_a_sentence(text: str, tmp_path: Path) -> None:
    assert all("expected" in said and "found" in said for said in probed(tmp_path, text))
