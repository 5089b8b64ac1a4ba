"""A controller whose database is an old copy shows its agents another log than before: both sides say so."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.watched_stage import REGIONS, WatchedStage

FLEET = """\
version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}]
services: [{id: shop}]
checks: [{id: ping, service: shop, every: 1s, timeout: 500ms, icmp: {host: 127.0.0.1}}]
"""


def until(stage: WatchedStage, what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + stage.wait_seconds_max
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.25)


def logs(stage: WatchedStage) -> list[Any]:
    """What each agent has seen of the log, by its own files."""
    states = [str(stage.folder / f"agent-{region}") for region in REGIONS]
    said = [stage.command("status", "--state", s, "--json", program="agent") for s in states]
    return [json.loads(one)["log"] for one in said]


def least(stage: WatchedStage) -> int:
    """How many leaves every agent has seen."""
    return min(int(one["leaves"]) for one in logs(stage))


def alarms(stage: WatchedStage) -> list[Any]:
    found = json.loads(stage.command("agent", "alarm", "list", "--json"))["alarms"]
    return [one for one in found if one["kind"] == "log_refused"]


def signed(stage: WatchedStage) -> int:
    """The leaves of the greatest head that a witness signed, as far as the controller knows; 0: there is none."""
    found = json.loads(stage.command("evidence", "timestamps", "--json"))["witnesses"]
    return max((one["size"] for one in found), default=0)


def put_back(backup: Path, database: Path) -> None:
    """Restore a database, as whoever would like another history does."""
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    backup.replace(database)


def begin_anew(stage: WatchedStage) -> None:
    """What docs/operations.md says to do after a restore, when one knows that it was one."""
    for region in REGIONS:
        stage.command("agent", "alarm", "clear", f"{region}-1")
        stage.kill(region)
        seen = stage.folder / f"agent-{region}" / "log"
        seen.rename(seen.with_name("log.before-restore"))
        stage.start_agent(region)


def test_an_agent_refuses_a_log_that_lost_what_it_saw_until_people_say_why(tmp_path: Path) -> None:
    backup, state = tmp_path / "backup.db", tmp_path / "controller"
    with WatchedStage(tmp_path) as stage:
        stage.begin(FLEET)
        until(stage, "a head of the log", lambda: least(stage) > 0)
        stage.command("db", "backup", str(backup), "--state", str(state))
        before = max(one["leaves"] for one in logs(stage))
        # From now on one of them is a witness.
        stage.kill(REGIONS[0])
        stage.start_agent(REGIONS[0], "--witness")
        # A head is signed at once where an agent connects anew, after something was done.
        stage.command("token", "create", "--name", "anna", "--role", "auditor")
        stage.kill("controller")
        stage.serve()
        until(stage, "a later head", lambda: least(stage) > before)
        until(stage, "a signature of the witness", lambda: signed(stage) > before)
        assert not alarms(stage)
        assert stage.command("db", "check", "--state", str(state))
        stage.kill("controller")
        put_back(backup, state / "vedette.db")
        stage.serve()
        until(stage, "the alarms", lambda: len(alarms(stage)) == len(REGIONS))
        # It shrank, or grew again by other leaves.
        assert all("to begin with what it was" in one["detail"] for one in alarms(stage))
        assert all(one["refused"] for one in logs(stage))
        # The backup knows no witness, and the other history found none.
        assert signed(stage) == 0
        begin_anew(stage)
        until(stage, "heads of the restored log", lambda: least(stage) > 0)
        assert not any(one["refused"] for one in logs(stage))
        assert all(one["cleared_us"] is not None for one in alarms(stage))
        assert stage.command("db", "check", "--state", str(state))
