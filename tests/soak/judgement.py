"""What must be true after a soak: nothing lost, nothing doubled, all of it sealed, and the same when replayed."""

import json
from collections import Counter, defaultdict
from typing import Any

from tests.soak.fleet import CHECKS, REGIONS, Fleet

Stream = tuple[str, str, str]


def stored_lines(fleet: Fleet) -> tuple[list[dict[str, Any]], str]:
    """Every line that the controller keeps, decoded, and as text."""
    state = str(fleet.stage.folder / "controller")
    text = fleet.stage.command("db", "lines", "--state", state)
    return [json.loads(line) for line in text.splitlines()], text


def numbers_of(lines: list[dict[str, Any]]) -> dict[Stream, list[int]]:
    """Sequence numbers of the stored lines, by stream."""
    found: dict[Stream, list[int]] = defaultdict(list)
    for line in lines:
        found[line["agent"], line["epoch"], line["stream"]].append(line["seq"])
    return found


def problems_of_numbers(fleet: Fleet, numbers: dict[Stream, list[int]]) -> list[str]:
    """Lines that are lost or doubled, by the controller's numbers and by those of the agents."""
    problems = []
    for stream, own in sorted(numbers.items()):
        if len(set(own)) != len(own):
            problems.append(f"{stream}: {len(own) - len(set(own))} lines doubled")
        if sorted(set(own)) != list(range(1, max(own) + 1)):
            problems.append(f"{stream}: {max(own) - len(set(own))} lines lost")
    for region in REGIONS:
        for stream, last in fleet.numbered(region).items():
            kept = max(numbers.get(stream, [0]))
            if kept != last:
                problems.append(f"{stream}: the agent numbered {last}, the controller holds {kept}")
    return problems


def problems_of_seals(streams: list[dict[str, Any]], lines: list[dict[str, Any]]) -> list[str]:
    """What is not sealed, and where seals account for other slots than the lines do."""
    problems = []
    done = Counter((line["agent"], line["stream"]) for line in lines if line.get("slot"))
    settled: Counter[tuple[str, str]] = Counter()
    for one in streams:
        name = f"{one['agent']} {one['stream']} {one['epoch']}"
        problems += [
            f"{name}: {one[key]} {key.replace('_', ' ')}"
            for key in ("lost", "unsealed_lines", "missing_seals", "forked_seals")
            if one[key]
        ]
        settled[one["agent"], one["stream"]] += one["scheduled_slots"] - one["missed_slots"]
    problems += [
        f"{stream}: {done[stream]} slots have lines, {settled[stream]} were done by the seals"
        for stream in sorted(settled)
        if settled[stream] != done[stream]
    ]
    return problems


def problems_of_replay(
    fleet: Fleet, lines: list[dict[str, Any]], text: str, outages: list[dict[str, Any]]
) -> list[str]:
    """Outages that a replay of the same lines, as if nothing had been killed, tells otherwise."""
    folder = fleet.stage.folder
    (folder / "lines.jsonl").write_text(text)
    instants = [line["at"] for line in lines]
    replayed = json.loads(
        fleet.stage.command(
            "replay", "--config", str(folder / "fleet.yaml"), "--from", str(min(instants)),
            "--to", str(max(instants) + 1), str(folder / "lines.jsonl"), "--json",
        )
    )  # fmt: skip
    problems = []
    for check in CHECKS:
        there = sorted(
            (o["started_at"], o["ended_at"], o["downtime"])
            for o in replayed["checks"][check]["outages"]
        )
        here = sorted(
            (o["started_us"], o["ended_us"], o["downtime_us"])
            for o in outages
            if o["check"] == check
        )
        if here != there:
            problems.append(f"{check}: outages {here}, replayed {there}")
    return problems


def problems_of_recompute(fleet: Fleet) -> list[str]:
    """What the controller stored otherwise than its own lines say, verdicts and outages of regions included."""
    state = str(fleet.stage.folder / "controller")
    found = json.loads(fleet.stage.command("db", "recompute", "--state", state, "--json"))
    print(
        f"recomputed {found['checks']} checks, {found['results']} results, {found['intervals']} verdicts,"
        f" {found['outages']} outages: {len(found['differences'])} differences"
    )
    return [f"{one['check']}: {one['what']}" for one in found["differences"]]
