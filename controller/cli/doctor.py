"""`vedette doctor`: what is odd about a running controller and what its agents send."""

from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import instant, shown, write_json, write_table
from vedette.v1 import doctor_pb2, doctor_pb2_grpc

_SEVERITIES = {
    doctor_pb2.SEVERITY_ALARM: "alarm",
    doctor_pb2.SEVERITY_NOTICE: "notice",
}


@click.command()
@shown
def doctor(as_json: bool, zone: ZoneInfo) -> None:
    """Look a running controller over: alarms, refused and odd lines, commits that fail.

    Exit code 1 if there is an alarm. Counts are since the controller was started, except those of what is
    kept.
    """
    with connected() as connection:
        answer: doctor_pb2.ExamineResponse = doctor_pb2_grpc.DoctorServiceStub(
            connection.channel
        ).Examine(doctor_pb2.ExamineRequest(), **connection.call)
    alarms = sum(item.severity == doctor_pb2.SEVERITY_ALARM for item in answer.findings)
    if as_json:
        write_json(_document(answer, alarms))
    else:
        _write_tables(answer, zone)
    if alarms:
        raise SystemExit(1)


def _write_tables(answer: doctor_pb2.ExamineResponse, zone: ZoneInfo) -> None:
    commits = answer.commits
    click.echo(
        f"Up since {instant(answer.started_us, zone)}: {commits.done} commits, {commits.failed} failed,"
        f" {answer.total.lines} lines."
    )
    if not answer.findings:
        click.echo("Nothing is odd.")
    else:
        write_table(
            ["SEVERITY", "CODE", "AGENT", "WHAT"],
            [
                (_SEVERITIES.get(item.severity, "?"), item.code, item.agent or "-", item.text)
                for item in answer.findings
            ],
        )
    if answer.agents:
        click.echo()
        write_table(
            ["AGENT", "LINES", "AGAIN", "CONFLICT", "SET ASIDE", "NO CHECK", "NOT ASKED", "LOST", "REFUSED"],
            [_row(item) for item in answer.agents],
        )  # fmt: skip


def _row(item: doctor_pb2.AgentLines) -> list[str]:
    """Since the start; in brackets what is kept, where that is more."""
    since = item.since_start
    return [
        item.agent,
        str(since.lines),
        str(since.duplicates),
        _with_kept(since.conflicts, item.kept_conflicts),
        _with_kept(since.quarantined, item.kept_quarantined),
        _with_kept(since.unknown_checks, item.kept_strays),
        str(since.unknown_regions),
        _with_kept(since.lost, item.kept_lost),
        str(since.refused_frames),
    ]


def _with_kept(count: int, kept: int) -> str:
    return str(count) if kept == count else f"{count} (kept {kept})"


def _document(answer: doctor_pb2.ExamineResponse, alarms: int) -> dict[str, object]:
    commits = answer.commits
    return {
        "started_us": answer.started_us,
        "now_us": answer.now_us,
        "alarms": alarms,
        "findings": [
            {
                "severity": _SEVERITIES.get(item.severity),
                "code": item.code,
                "agent": item.agent or None,
                "text": item.text,
            }
            for item in answer.findings
        ],
        "total": _counts(answer.total),
        "agents": {
            item.agent: {
                "since_start": _counts(item.since_start),
                "kept": {
                    "conflicts": item.kept_conflicts,
                    "quarantined": item.kept_quarantined,
                    "unknown_checks": item.kept_strays,
                    "lost": item.kept_lost,
                },
            }
            for item in answer.agents
        },
        "commits": {
            "done": commits.done,
            "failed": commits.failed,
            "last_failure": commits.last_failure or None,
            "failing_since_us": (
                commits.failing_since_us if commits.HasField("failing_since_us") else None
            ),
            "defects": commits.defects,
            "last_defect": commits.last_defect or None,
        },
    }


def _counts(counts: doctor_pb2.LineCounts) -> dict[str, object]:
    return {
        "lines": counts.lines,
        "duplicates": counts.duplicates,
        "conflicts": counts.conflicts,
        "quarantined": counts.quarantined,
        "unknown_checks": counts.unknown_checks,
        "unknown_regions": counts.unknown_regions,
        "lost": counts.lost,
        "refused_frames": counts.refused_frames,
        "refusals": [{"at_us": one.at_us, "reason": one.reason} for one in counts.refusals],
    }
