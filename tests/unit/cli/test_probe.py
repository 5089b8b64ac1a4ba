"""`vedette-agent probe`: pages, lines, refusals, exit codes."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent.cli.main import cli

ROOT = Path(__file__).parents[3]


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"ok": true}'
        if self.path == "/cookie":
            self.send_response(302)
            self.send_header("Location", "/200")
            self.send_header("Set-Cookie", f"a=b; expires=1 a {'1' * 50_000}")
        else:
            self.send_response(int(self.path.strip("/") or 200))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def run(tmp_path: Path, text: str, *options: str) -> Result:
    file = tmp_path / "check.yaml"
    file.write_text(text)
    state = ("--state", str(tmp_path / "state"))
    return CliRunner().invoke(cli, ["probe", str(file), *state, *options], catch_exceptions=False)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        found: int = sock.getsockname()[1]
        return found


LOOPBACK = ("--allow", "127.0.0.0/8")


def test_a_page_shows_phases_and_expectations(tmp_path: Path, port: int) -> None:
    text = f"http:\n  url: http://127.0.0.1:{port}/\n  expect: [status == 200, json.ok]\n"
    result = run(tmp_path, text, *LOOPBACK)
    assert result.exit_code == 0, result.output
    for word in (
        " UP ",
        "first_byte",
        "total",
        "█",
        "✓  status == 200",
        "status is 200",
        "json.ok is true",
    ):
        assert word in result.output


def test_a_failed_expectation_is_down_with_the_values_seen(tmp_path: Path, port: int) -> None:
    text = f"http: {{url: 'http://127.0.0.1:{port}/503', expect: [status == 200]}}\n"
    result = run(tmp_path, text, *LOOPBACK)
    assert result.exit_code == 1
    assert "expectation_failed: status == 200: status is 503" in result.output
    assert "✗" in result.output


def test_json_is_the_line(tmp_path: Path) -> None:
    text = f"id: shop-home\nhttp: {{url: 'http://127.0.0.1:{free_port()}/'}}\n"
    result = run(tmp_path, text, *LOOPBACK, "--json")
    line = json.loads(result.output)
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert (line["check"], line["outcome"], line["kind"]) == (
        "shop-home",
        "down",
        "connect_refused",
    )
    assert line["clock"] == {"offset": None}


def test_a_failure_is_captured_where_that_is_wanted(tmp_path: Path) -> None:
    text = f"http: {{url: 'http://127.0.0.1:{free_port()}/'}}\n"
    shown = run(tmp_path, text, *LOOPBACK, "--capture")
    assert shown.exit_code == 1
    assert "route to 127.0.0.1" in shown.output
    line = json.loads(run(tmp_path, text, *LOOPBACK, "--capture", "--json").output)
    assert line["capture"]["of"] == {"seq": line["seq"], "at": line["at"]}
    assert line["capture"]["route"]["to"] == "127.0.0.1"
    assert "refused the connection" in line["capture"]["answer"]["fault"]


def test_nothing_is_captured_of_what_did_not_fail(tmp_path: Path, port: int) -> None:
    text = f"http: {{url: 'http://127.0.0.1:{port}/'}}\n"
    line = json.loads(run(tmp_path, text, *LOOPBACK, "--capture", "--json").output)
    assert (line["outcome"], "capture" in line) == ("up", False)
    refused = json.loads(run(tmp_path, text, "--capture", "--json").output)
    assert (refused["outcome"], "capture" in refused) == ("agent_error", False)


def test_slow_is_degraded_and_still_0(tmp_path: Path, port: int) -> None:
    text = f"degraded_over: 1us\nhttp: {{url: 'http://127.0.0.1:{port}/'}}\n"
    result = run(tmp_path, text, *LOOPBACK)
    assert result.exit_code == 0
    assert " DEGRADED " in result.output


def test_a_refusal_of_the_site_is_3(tmp_path: Path, port: int) -> None:
    result = run(tmp_path, f"http: {{url: 'http://127.0.0.1:{port}/'}}\n")
    assert result.exit_code == 3
    assert "AGENT ERROR" in result.output
    assert "which is loopback and which this site has not allowed" in " ".join(
        result.output.split()
    )


def test_the_sites_policy_file_counts(tmp_path: Path, port: int) -> None:
    (tmp_path / "state").mkdir()
    policy = tmp_path / "state" / "policy.yaml"
    policy.write_text("allow: [127.0.0.0/8]\n")
    text = f"http: {{url: 'http://127.0.0.1:{port}/'}}\n"
    assert run(tmp_path, text).exit_code == 0
    policy.write_text("deny: [127.0.0.1]\n")
    assert run(tmp_path, text, *LOOPBACK).exit_code == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "check.yaml: expected a document, found an empty file", id="nothing"),
        pytest.param("- a\n", "expected one check: a mapping with one of http, dns", id="a list"),
        pytest.param("a: [\n", "expected valid YAML", id="no YAML"),
        pytest.param("checks: []\nversion: 1\n", "found a whole fleet file", id="a fleet file"),
        pytest.param("id: a\n", "expected exactly one of http, dns, icmp", id="no probe"),
        pytest.param("http: {url: 'x://y'}\n", "check.yaml:1: http.url: expected a URL that begins with", id="scheme"),
        pytest.param("http: {url: 'http://a b/'}\n", "without spaces", id="a space in the URL"),
        pytest.param("http: {url: 'http:///'}\n", "a URL with a host", id="no host"),
        pytest.param("http: {url: 'http://x:99999/'}\n", "http.url: expected a URL", id="a port too high"),
        pytest.param("http: {url: http://x, metod: GET}\n", "http.metod: expected no such key", id="a misspelt key"),
        pytest.param("http: {url: http://x, body_max: -1}\n", "http.body_max", id="a negative size"),
        pytest.param("http: {url: http://x, tls: {ca: no}}\n", "certificates in PEM", id="no certificate"),
        pytest.param('http: {url: http://x, headers: {A: "b\\nC: d"}}\n', "without control characters", id="a smuggled header"),
        pytest.param("http: {url: http://x, headers: {'A B': c}}\n", "the name of a header", id="a bad header"),
        pytest.param("http: {url: http://x, expect: [status ==]}\n", "http.expect[0]: expected a CEL expression", id="CEL"),
        pytest.param("dns: {name: x, type: AAAAA}\n", "dns.type: expected a record type", id="a record type"),
        pytest.param("dns: {name: x, expect: [rcode == 'OK']}\n", "unknown response code OK", id="a response code"),
        pytest.param("icmp: {host: x, count: 100, spacing: 1s}\n", "count and spacing that fit", id="too many echoes"),
        pytest.param("http: {url: http://x, method: get}\n", "expected a method in capital letters, such as GET", id="a small method"),
        pytest.param("every: 60\nhttp: {url: http://x}\n", "every: expected a duration such as", id="a number for a duration"),
        pytest.param("icmp: {host: 'http://x/'}\n", "alone, without a scheme and a path", id="a URL for a host"),
        pytest.param("tcp: {host: 'x:25', port: 25}\n", "alone, without a port", id="a port in a host"),
        pytest.param("icmp: {host: 127.0.0.1, family: ipv6}\n", "icmp.family: expected ipv4 or any, because 127.0.0.1 is an IPv4 address", id="another family"),
        pytest.param("http: {url: 'http://[::1]/', family: ipv4}\n", "http.family: expected ipv6 or any, because ::1", id="another family in a URL"),
        pytest.param("http: {url: http://x, expect: [foo(status)]}\n", "unknown function foo; there are all, bytes", id="a function"),
        pytest.param("timeout: 2m\nhttp: {url: http://x}\n", "check.yaml:1: timeout: expected a timeout", id="a timeout too long"),
    ],
)  # fmt: skip
def test_a_wrong_definition_is_2_and_says_where(tmp_path: Path, text: str, said: str) -> None:
    result = run(tmp_path, text)
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert "Traceback" not in result.output


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = "timeout: 70s\nhttp:\n  url: x://y\n  expect: [status = 1, foo == 2]\n"
    assert len(run(tmp_path, text).output.splitlines()) == 4


def test_what_is_wrong_in_a_list_hides_nothing_else(tmp_path: Path) -> None:
    text = """
timeout: 70s
http:
  url: http://x/
  tls: {pins: [zz], ca: none, min_version: TLSv1.3, max_version: TLSv1.2}
  expect: [status = 1]
"""
    said = run(tmp_path, text).output
    for place in (
        "timeout",
        "http.tls.pins[0]",
        "http.tls.ca",
        "http.tls.min_version",
        "http.expect[0]",
    ):
        assert f": {place}: expected" in said
    assert len(said.splitlines()) == 5


def test_expectations_that_are_no_texts_hide_none_that_are_wrong(tmp_path: Path) -> None:
    text = "http:\n  url: http://x/\n  expect:\n    - true\n    - status = 200\n    - foo == 1\n"
    lines = run(tmp_path, text).output.splitlines()
    assert [line.split(": ")[1 if place else 2] for place, line in enumerate(lines)] == [
        "http.expect[0]",
        "http.expect[1]",
        "http.expect[2]",
    ]
    assert "check.yaml:5: http.expect[1]" in lines[1]


def test_a_hostile_cookie_is_dropped_without_a_word(tmp_path: Path, port: int) -> None:
    file = tmp_path / "check.yaml"
    file.write_text(f"http: {{url: 'http://127.0.0.1:{port}/cookie', expect: [size(hops) == 2]}}\n")
    done = subprocess.run(
        [sys.executable, "-m", "agent", "probe", str(file), "--state", str(tmp_path), *LOOPBACK],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_missing_file_and_a_bad_network_are_2(tmp_path: Path) -> None:
    missing = CliRunner().invoke(cli, ["probe", str(tmp_path / "none.yaml")])
    assert (missing.exit_code, "cannot be read" in missing.output) == (2, True)
    bad = run(tmp_path, "icmp: {host: x}\n", "--allow", "ten")
    assert (bad.exit_code, "expected a network such as 10.0.0.0/8" in bad.output) == (2, True)


def test_a_secret_that_is_not_here_is_3(tmp_path: Path) -> None:
    text = "http: {url: http://x, headers: {A: '${secret:shop}'}}\n"
    result = run(tmp_path, text)
    assert result.exit_code == 3
    assert "does not hold the secret shop" in result.output


def test_it_needs_neither_grpc_nor_a_controller() -> None:
    code = (
        "import sys, agent.cli.probe; "
        "print([m for m in ('grpc', 'controller', 'sqlmodel', 'google.protobuf') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'protos'}", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
