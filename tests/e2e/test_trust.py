"""Trust with real processes: a secret shows nowhere, and a revoked agent is gone within a second."""

import base64
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pytest

from controller.cli.demo.stage import Stage

WAIT_SECONDS_MAX = 40.0
CANARY = "Canary/5f1d+Qz&7 %k"
SECOND = "second-canary-9b2e"
FLEET = """\
version: 1
regions: [{{id: fra}}, {{id: nyc}}]
services: [{{id: shop}}]
checks:
  - id: home
    service: shop
    every: 1s
    timeout: 900ms
    http:
      url: "http://127.0.0.1:{port}/p/${{secret:tok}}/?k=${{secret:tok}}"
      method: POST
      headers: {{X-Key: "Bearer ${{secret:tok}}"}}
      body: '{{"key": "${{secret:tok}}"}}'
      auth: {{basic: {{username: bo, password: "${{secret:tok}}"}}}}
      redirects: {{max: 2}}
      expect:
        - headers['x-echo'] == 'nothing'
        - body == 'nothing'
        - json.echo == 'nothing'
        - url == 'nothing'
        - reason == 'nothing'
    quorum: {{rule: any, min_evidence: 1, fail_after: 1, freshness: 10s}}
contracts:
  - id: gold
    party: ACME
    effective_from: 2026-01-01T00:00:00Z
    scope: {{checks: [home]}}
    period: {{kind: year}}
    objectives: [{{id: availability, target: "99", min_coverage: "0"}}]
    acknowledge_unmeasurable: true
"""


class Echo(BaseHTTPRequestHandler):
    """Fails, and sends back all that it was sent: headers, body and address; once as a redirect."""

    heard: ClassVar[set[str]] = set()
    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        told = json.dumps({"echo": [*self.headers.items(), body, self.path]}).encode()
        self.heard.add(self.headers["X-Key"])
        is_first = not self.path.startswith("/again")
        self.send_response_only(307 if is_first else 500, self.headers["X-Key"])
        for name in ("X-Key", "Authorization"):
            self.send_header("X-Echo", self.headers[name] or "-")
        if is_first:
            self.send_header("Location", f"/again{self.path}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def echo() -> Iterator[int]:
    Echo.heard.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join(10)
    server.server_close()


def until(stage: Stage, what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not holds():
        assert stage.dead() is None, stage.dead()
        assert time.monotonic() < deadline, f"waited in vain for {what}"


def ask(stage: Stage, *words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stage.command(*words, "--json"))
    return document


def set_secret(stage: Stage, name: str, value: str) -> str:
    """`vedette secret set`, with the value on standard input."""
    done = subprocess.run(
        [sys.executable, "-m", "controller", "secret", "set", name],
        input=value + "\n",
        env={**os.environ, "VEDETTE_CONFIG": str(stage.folder / "config")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def shapes_of(value: str) -> list[bytes]:
    """What must stand nowhere: the value as it is, in URLs, in JSON, in hexadecimal, in base64."""
    basic = base64.b64encode(f"bo:{value}".encode())[4:-4]
    texts = {value, value.lower(), quote(value, safe=""), quote(value), json.dumps(value)[1:-1]}
    return [*(text.encode() for text in texts), value.encode().hex().encode(), basic]


def everything(stage: Stage) -> dict[str, bytes]:
    """Every file below the folder, and what every command shows."""
    folder = stage.folder
    state = str(folder / "controller")
    stage.command("db", "backup", str(folder / "backup.db"), "--state", state)
    handle = ask(stage, "outage", "list")["outages"][0]["id"]
    year = time.strftime("%Y", time.gmtime())
    for name, what in (
        ("bundle", ("--contract", "gold", "--period", year)), ("outage", ("--outage", handle)),
    ):  # fmt: skip
        stage.command("evidence", "export", *what, "-o", str(folder / name))
    found = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    for words in (
        ("check", "list"), ("outage", "list"), ("outage", "show", handle),
        ("outage", "explain", handle), ("agent", "list"), ("audit", "list"), ("secret", "list"),
    ):  # fmt: skip
        found[" ".join(words)] = stage.command(*words).encode()
        found[" ".join(words) + " --json"] = stage.command(*words, "--json").encode()
    found["export"] = stage.command("export").encode()
    found["db lines"] = stage.command("db", "lines", "--state", state).encode()
    return found


@pytest.mark.timeout(300)
def test_a_planted_canary_is_found_nowhere(tmp_path: Path, echo: int) -> None:
    with Stage(tmp_path) as stage:
        (tmp_path / "fleet.yaml").write_text(FLEET.format(port=echo))
        stage.start_controller()
        stage.command("apply", "-f", str(tmp_path / "fleet.yaml"))
        stage.enrol("fra")
        said = set_secret(stage, "tok", CANARY)
        # This one enrols later, and gets its copy from the controller's own.
        stage.enrol("nyc")
        for region in ("fra", "nyc"):
            stage.start_agent(region)

        def lines() -> dict[str, int]:
            return {a["id"]: int(a["lines"]) for a in ask(stage, "agent", "list")["agents"]}

        until(stage, "lines of both", lambda: min(lines().values()) >= 3)
        until(stage, "an outage", lambda: bool(ask(stage, "outage", "list")["outages"]))
        assert Echo.heard == {f"Bearer {CANARY}"}
        said += set_secret(stage, "tok", SECOND)
        until(stage, "the second value", lambda: f"Bearer {SECOND}" in Echo.heard)
        stage.kill("fra")
        stage.start_agent("fra")
        before = lines()["fra-1"]
        until(stage, "fra to report again", lambda: lines()["fra-1"] > before + 2)
        found = everything(stage) | {"secret set": said.encode()}
        stage.stop()
        found |= {f"{f} at last": f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}

    assert b"secret:tok@1" in found["db lines"]
    assert b"secret:tok@2" in found["db lines"]
    assert any(name.endswith("assignment.json") for name in found)
    assert any(name.endswith("vedette.db-wal") for name in found)
    shown = [
        (name, shape)
        for name, content in found.items()
        for value in (CANARY, SECOND)
        for shape in shapes_of(value)
        if shape in content
    ]
    assert shown == []


@pytest.mark.timeout(300)
def test_a_revoked_agent_is_gone_within_a_second_and_says_why(tmp_path: Path, echo: int) -> None:
    with Stage(tmp_path) as stage:
        (tmp_path / "fleet.yaml").write_text(FLEET.format(port=echo))
        stage.start_controller()
        stage.command("apply", "-f", str(tmp_path / "fleet.yaml"))
        set_secret(stage, "tok", CANARY)
        stage.enrol("fra")
        stage.start_agent("fra")
        until(
            stage, "fra to connect", lambda: ask(stage, "agent", "list")["agents"][0]["connected"]
        )
        answer = ask(stage, "agent", "revoke", "fra-1", "--reason", "machine sold")
        began = time.monotonic()
        assert answer["was_connected"]
        log = tmp_path / "logs" / "fra.log"
        while stage.dead() is None:
            assert time.monotonic() - began < 5.0, "it did not leave"
        last = log.read_text().strip().splitlines()[-1]
        (agent,) = ask(stage, "agent", "list")["agents"]
        assert (agent["connected"], agent["standing"]) == (False, "revoked")
    assert stage.folder == tmp_path
    assert last.startswith("Error: The controller at 127.0.0.1:")
    assert last.endswith("machine sold.")
    assert "Traceback" not in log.read_text()
