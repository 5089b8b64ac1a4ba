"""What `vedette doctor` says: alarms where figures are in doubt or nothing is taken, notices elsewhere."""

import pytest

from controller.services.people.examine import Examination, Examined, Severity
from tests.unit.services.conftest import SECOND, START, Running, World, frame, line


def examined(world: World) -> Examined:
    return Examination(world.storage, world.ingest.tally, lambda: world.now_us).examine()


def codes(found: Examined) -> list[tuple[str, str, str]]:
    return [(one.severity.value, one.code, one.agent) for one in found.findings]


async def test_nothing_is_odd_about_lines_that_simply_count(world: World, running: Running) -> None:
    await running.give(frame(1, line(1, START)))
    await running.give(frame(1, line(1, START)))
    found = examined(world)
    assert codes(found) == []
    assert (found.total.lines, found.total.duplicates) == (1, 1)


async def test_everything_that_does_not_simply_count_is_named(
    world: World, running: Running
) -> None:
    await running.give(frame(4, line(4, START), lost=3))
    await running.give(frame(4, line(4, START, "down")))
    await running.give(frame(5, line(5, START + 9 * SECOND)))
    await running.give(frame(6, line(6, START, check="nobodys")))
    await running.give(frame(7, b"{}\n"))
    await running.give(frame(1, line(1, START, region="osl")), "osl")
    found = examined(world)
    assert codes(found) == [
        ("alarm", "lines_conflict", "fra-1"),
        ("notice", "frames_refused", "fra-1"),
        ("notice", "lines_quarantined", "fra-1"),
        ("notice", "checks_unknown", "fra-1"),
        ("notice", "lines_lost", "fra-1"),
        ("notice", "regions_unknown", "osl-1"),
    ]
    texts = {one.code: one.text for one in found.findings}
    assert texts["lines_conflict"] == (
        "1 times, the last at 2025-06-15T15:06:40Z: line 4 of stream 'shop' epoch e1 came with other bytes."
        " Look into it, then `vedette agent alarm clear fra-1`."
    )
    assert texts["frames_refused"].startswith(
        "1 of its frames were not taken; the last: line 7 of stream 'shop': Object missing required field"
    )
    with world.storage.transaction() as tx:
        tx.clear_alarms("fra-1", world.now_us)
    assert [one.severity for one in examined(world).findings] == [Severity.NOTICE] * 5


async def test_what_is_kept_is_known_after_a_restart(world: World, running: Running) -> None:
    await running.give(frame(2, line(2, START + 9 * SECOND), lost=1))
    await running.give(frame(3, line(3, START, check="nobodys")))
    await running.restart()
    found = examined(world)
    assert [one.code for one in found.findings] == [
        "lines_quarantined", "checks_unknown", "lines_lost",
    ]  # fmt: skip
    assert found.agents == {}
    assert (found.kept["fra-1"].quarantined, found.kept["fra-1"].lost) == (1, 1)


async def test_commits_that_fail_are_an_alarm_until_they_succeed(
    world: World, running: Running
) -> None:
    world.storage.is_full = True
    waiting = running.give_soon(frame(1, line(1, START)))
    for _ in range(2):
        await world.storage.failed.wait()
        world.storage.failed.clear()
    world.storage.is_full = False
    found = examined(world)
    assert codes(found) == [("alarm", "commits_failing", "")]
    assert found.findings[0].text == (
        "No line is taken since 2025-06-15T15:06:40Z, because a commit fails: The disk is full."
        " Agents keep their lines meanwhile."
    )
    await waiting
    assert codes(examined(world)) == [("notice", "commits_failed", "")]


async def test_a_fault_of_ours_is_an_alarm(
    world: World, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("controller.services.results.intake.read_lines", failing)
    await running.give(frame(1, line(1, START)))
    found = examined(world)
    assert codes(found) == [("alarm", "defects", ""), ("notice", "lines_quarantined", "fra-1")]
    assert (
        "line 1 of stream 'shop' of agent fra-1: ZeroDivisionError: by zero"
        in found.findings[0].text
    )
