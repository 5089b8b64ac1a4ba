"""Posted agents with real processes: a site whose network is cut, and a hand-over in one region."""

import contextlib
import json
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from controller.cli.demo.stage import ALLOWED, HOST, Stage

WAIT_SECONDS_MAX = 60.0
CUT = """\
version: 1
regions: [{{id: fra}}]
services: [{{id: shop}}]
anchors:
  - {{tcp: {{host: 127.0.0.2, port: {a}}}}}
  - {{tcp: {{host: 127.0.0.3, port: {b}}}}}
  - {{tcp: {{host: 127.0.0.4, port: {c}}}}}
checks:
  - id: home
    service: shop
    every: 1s
    timeout: 500ms
    tcp: {{host: 127.0.0.1, port: {home}}}
    quorum: {{min_evidence: 1, freshness: 5s}}
"""
PAIR = """\
version: 1
regions: [{{id: fra}}, {{id: nyc}}]
services: [{{id: shop}}]
checks:
  - {{id: home, service: shop, every: 2s, timeout: 500ms, regions: [fra, nyc],
      tcp: {{host: 127.0.0.1, port: {home}}}}}
"""


class Ports:
    """Something that accepts on each of these addresses, as long as the network is not cut."""

    def __init__(self, *hosts: str) -> None:
        self._sockets = [socket.create_server((host, 0), backlog=128) for host in hosts]
        self.numbers = [one.getsockname()[1] for one in self._sockets]
        self._selector = selectors.DefaultSelector()
        self._places = [(host, port) for host, port in zip(hosts, self.numbers, strict=True)]
        self._is_over = threading.Event()
        for one in self._sockets:
            self._selector.register(one, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while not self._is_over.is_set():
            for key, _ in self._selector.select(0.1):
                with contextlib.suppress(OSError):
                    taken, _ = key.fileobj.accept()  # type: ignore[union-attr]  # all are sockets
                    taken.close()

    def cut(self, *places: int) -> None:
        """Nobody listens there any more."""
        for place in places or range(len(self._sockets)):
            self._selector.unregister(self._sockets[place])
            self._sockets[place].close()

    def mend(self, *places: int) -> None:
        """Listen again."""
        for place in places or range(len(self._sockets)):
            self._sockets[place] = socket.create_server(self._places[place], backlog=128)
            self._selector.register(self._sockets[place], selectors.EVENT_READ)

    def close(self) -> None:
        self._is_over.set()
        self._thread.join()
        for one in self._sockets:
            one.close()


class Watch:
    """Asks the command line until something holds."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def ask(self, *words: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.stage.command(*words, "--json"))
        return document

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not holds():
            assert self.stage.dead() is None, self.stage.dead()
            assert time.monotonic() < deadline, f"waited in vain for {what}"

    def votes(self) -> list[tuple[str, str | None]]:
        (check,) = self.ask("check", "list")["checks"]
        return [(label["label"], label["reason"]) for label in check["labels"]]

    def agent(self, name: str) -> dict[str, Any]:
        return self.ask("agent", "show", name)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as made:
        yield made


def begin(stage: Stage, fleet: str, **ports: int) -> Watch:
    (stage.folder / "fleet.yaml").write_text(fleet.format(**ports))
    stage.start_controller()
    stage.command("apply", "-f", str(stage.folder / "fleet.yaml"))
    return Watch(stage)


def add(stage: Stage, name: str, region: str) -> None:
    """Enrol another agent under a name of its own on the stage, and start it."""
    join, state = str(stage.folder / f"{name}.join"), str(stage._agent_state(name))
    stage.command("agent", "token", "create", "--region", region, "--out", join)
    allowed = [word for network in ALLOWED for word in ("--allow", network)]
    stage.command("join", join, "--state", state, *allowed, program="agent")
    stage.start_agent(name)


def lines(stage: Stage) -> list[dict[str, Any]]:
    text = stage.command("db", "lines", "--state", str(stage.folder / "controller"))
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.timeout(300)
def test_s10_a_site_whose_network_is_cut_makes_no_outage_and_a_target_that_fails_does(
    stage: Stage,
) -> None:
    ports = Ports(HOST, "127.0.0.2", "127.0.0.3", "127.0.0.4")
    try:
        home, a, b, c = ports.numbers
        watch = begin(stage, CUT, home=home, a=a, b=b, c=c)
        add(stage, "fra-1", "fra")
        watch.until("evidence", lambda: watch.votes() == [("UP", None)])

        ports.cut()
        trouble = "fra-1 has trouble with its own network"
        watch.until("no evidence", lambda: watch.votes() == [("NONE", trouble)])
        ports.mend()
        watch.until("evidence again", lambda: watch.votes() == [("UP", None)])
        watch.until("no outage", lambda: not watch.ask("outage", "list")["outages"])

        # The same failure where the anchors answer is the target's.
        ports.cut(0)
        watch.until("an outage", lambda: len(watch.ask("outage", "list")["outages"]) == 1)
        ports.mend(0)
        watch.until("its end", lambda: watch.ask("outage", "list")["outages"][0]["ended_us"])
        stage.stop()
        rounds = [line for line in lines(stage) if line["check"] == "@anchors"]
        bad = [line for line in rounds if 2 * (line["total"] - line["ok"]) > line["total"]]
        assert bad
        assert all(line["stream"] == "@anchors" for line in rounds)
        assert bad[0]["anchors"]["ipv4"] == {"ok": 0, "total": 3}
        assert bad[0]["anchors"]["any"] == {"ok": 1, "total": 1}, "the controller was there"
    finally:
        ports.close()


@pytest.mark.timeout(300)
def test_an_agent_that_is_drained_and_restarted_hands_its_region_over_without_a_hole(
    stage: Stage,
) -> None:
    ports = Ports(HOST)
    try:
        watch = begin(stage, PAIR, home=ports.numbers[0])
        for name in ("fra-1", "fra-2"):
            add(stage, name, "fra")
        watch.until("both to probe", lambda: watch.agent("fra-1")["others"] == ["fra-2"])
        watch.until(
            "both heard", lambda: all(watch.agent(n)["lines"] >= 2 for n in ("fra-1", "fra-2"))
        )
        drained = watch.ask("agent", "drain", "fra-1", "--reason", "upgrade")
        assert drained["others"] == ["fra-2"]
        watch.until("it is drained", lambda: watch.agent("fra-1")["assignment_current"])
        held = watch.agent("fra-1")
        assert (held["mode"], held["checks"], held["unrunnable_count"]) == ("drain", 0, 0)

        process = stage._processes.pop("fra-1")
        process.terminate()
        assert process.wait(30) == 0
        stage.start_agent("fra-1")
        watch.until("it is back", lambda: watch.agent("fra-1")["connected"])
        watch.ask("agent", "resume", "fra-1")
        before = watch.agent("fra-1")["lines"]
        watch.until("it probes", lambda: watch.agent("fra-1")["lines"] >= before + 2)
        stage.stop()
        own = sorted(
            (line["at"], line["agent"], line["slot"]) for line in lines(stage) if "slot" in line
        )
        after = min(at for at, agent, _ in own if agent == "fra-2")
        times = [at for at, _, _ in own if at >= after]
        gaps = [later - sooner for sooner, later in pairwise(times)]
        # Every slot of fra-2 was run, whatever became of fra-1: nothing is further apart than an interval.
        slots = [slot for _, agent, slot in own if agent == "fra-2"]
        assert slots == list(range(slots[0], slots[-1] + 1))
        assert max(gaps) <= 2_500_000
        # While both probe, they share what their region has of the interval.
        shared = {round(at % 2_000_000, -5) for at, _, _ in own}
        assert len(shared) >= 2
    finally:
        ports.close()
