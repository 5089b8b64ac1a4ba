"""What is odd about a controller: counted since its start, kept in storage, and what to see to."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from controller.core.notices import DeliveryState
from controller.ports.custody import Alarm
from controller.ports.deliveries import DeliveryQuery
from controller.ports.evidence import Oddities
from controller.ports.storage import Storage, Transaction
from controller.services.results.tally import AgentTally, IngestCounters, Tally
from vedette.shared.limits import DELIVERIES_SHOWN_MAX

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Severity(StrEnum):
    """How bad a finding is."""

    ALARM = "alarm"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    severity: Severity
    code: str
    text: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and the figures that it was found from."""

    started_us: int
    now_us: int
    findings: Sequence[Finding]
    total: IngestCounters
    agents: Mapping[str, AgentTally] = field(default_factory=dict)
    kept: Mapping[str, Oddities] = field(default_factory=dict)


class Examination:
    """Looks a running controller over. Synchronous: runs in the storage thread."""

    def __init__(self, storage: Storage, tally: Tally, now_us: Callable[[], int]) -> None:
        self._storage = storage
        self._tally = tally
        self._now_us = now_us
        self._started_us = now_us()

    def examine(self) -> Examined:
        """Everything as it is now, alarms first."""
        with self._storage.transaction() as tx:
            kept = {one.agent: one for one in tx.oddities()}
            alarms = [one for one in tx.alarms() if one.cleared_us is None]
            channels = list(_about_channels(tx))
        total, agents = self._tally.total, self._tally.agents()
        findings = [*_about_commits(total), *map(_about_alarm, alarms), *channels]
        for agent in sorted({*agents, *kept}):
            findings += _about_agent(
                agent, agents.get(agent, AgentTally()), kept.get(agent, Oddities(agent))
            )
        findings.sort(key=lambda one: one.severity is not Severity.ALARM)
        return Examined(self._started_us, self._now_us(), findings, total, agents, kept)


def _about_commits(total: IngestCounters) -> Iterator[Finding]:
    reason = total.last_failure.rstrip(".")
    if total.failing_since_us is not None:
        text = (
            f"No line is taken since {_instant(total.failing_since_us)}, because a commit fails: {reason}."
            " Agents keep their lines meanwhile."
        )
        yield Finding(Severity.ALARM, "commits_failing", text)
    elif total.failed_commits:
        text = (
            f"{total.failed_commits} commits failed and then succeeded; the last reason: {reason}."
        )
        yield Finding(Severity.NOTICE, "commits_failed", text)
    if total.defects:
        text = (
            f"The controller failed on {total.defects} frames by a fault of its own; the lines at fault are"
            f" kept and not evaluated. The last: {total.last_defect}. Its log has the rest under ingest.defect."
        )
        yield Finding(Severity.ALARM, "defects", text)


def _about_alarm(alarm: Alarm) -> Finding:
    text = (
        f"{alarm.count} times, the last at {_instant(alarm.last_us)}: {alarm.detail}. Look into it, then"
        f" `vedette agent alarm clear {alarm.agent}`."
    )
    return Finding(Severity.ALARM, alarm.kind.value, text, alarm.agent)


def _about_channels(tx: Transaction) -> Iterator[Finding]:
    """Messages that were given up, and channels that fail at present."""
    for (channel, state), count in sorted(tx.delivery_counts().items()):
        if state is DeliveryState.DEAD:
            text = (
                f"{count} messages to channel {channel} were given up: nobody there was told. `vedette notify"
                f" list --dead --channel {channel}` shows them; `retry` sends one again, `drop` notes that it was"
                " seen to."
            )
            yield Finding(Severity.ALARM, "messages_dead", text)
    failing: dict[str, list[str]] = {}
    query = DeliveryQuery(states=[DeliveryState.PENDING], limit=DELIVERIES_SHOWN_MAX)
    for one in tx.deliveries(query):
        if one.attempts:
            failing.setdefault(one.channel, []).append(one.error.rstrip("."))
    for channel, errors in sorted(failing.items()):
        text = f"{len(errors)} messages to channel {channel} fail and are tried again; the last: {errors[0]}."
        yield Finding(Severity.NOTICE, "channel_failing", text)


def _about_agent(agent: str, since: AgentTally, kept: Oddities) -> Iterator[Finding]:
    """What is handled and counted, and still says that something is wrong at the agent or in the fleet."""
    if since.refused_frames:
        text = f"{since.refused_frames} of its frames were not taken; the last: {since.refusals[-1].text}."
        yield Finding(Severity.NOTICE, "frames_refused", text, agent)
    if kept.quarantined:
        text = (
            f"{kept.quarantined} of its lines were set aside when they came and count nowhere (`vedette db lines"
            " --quarantined` gives them). Look at its clock."
        )
        yield Finding(Severity.NOTICE, "lines_quarantined", text, agent)
    if kept.strays:
        text = f"{kept.strays} of its results are of checks that there are not; they count once there are."
        yield Finding(Severity.NOTICE, "checks_unknown", text, agent)
    if since.unknown_regions:
        text = (
            f"{since.unknown_regions} of its results are of checks that its region was not asked to probe then; they"
            " have no vote."
        )
        yield Finding(Severity.NOTICE, "regions_unknown", text, agent)
    if kept.lost:
        text = f"{kept.lost} of its numbers were reported lost: no line will come for them."
        yield Finding(Severity.NOTICE, "lines_lost", text, agent)


def _instant(at_us: int) -> str:
    moment = _EPOCH + dt.timedelta(microseconds=at_us)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
