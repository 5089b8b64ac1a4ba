"""A bundle's small files about the month of `example.py`, made by hand: three agents, and something of everything."""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from controller.core.bundle.claim_note import ClaimNote, Run, Sealed, Unsealed
from controller.core.bundle.layout import Stream, agent_key
from controller.core.bundle.manifest import manifest_text
from controller.core.calendars import period_named
from controller.core.fleet import read_fleet
from controller.core.instants import instant
from controller.core.paper.gathering import Gathered
from controller.core.quorum import Verdict
from controller.core.replay import replay_bytes
from controller.core.severity import Severity
from controller.core.sla.figures.accounting import Stretch
from controller.core.sla.figures.reliability import OutageTimes
from controller.core.sla.reports.records import Known, observed_in, records, records_bytes
from controller.core.sla.reports.timeline_document import timeline_document
from controller.identity.notary import leaf_text
from controller.ports.leaves import LeafKind
from tests.unit.reporting.example import FLEET, OUTAGES, observed_stretches
from vedette.shared.checkpoint import Checkpoint
from vedette.shared.note import signed_note
from vedette.shared.seal import ClockState, Payload, Seal, Slots, Span, StreamName

ORIGIN = "example.net/log"
AS_OF = "2026-04-04T00:00:00Z"
_LOG = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
_HOUR_US = 3_600_000_000
REGIONS = ("fra", "nyc", "sin")
_TITLED = FLEET.replace(b"ACME web shop, gold", "Größe & Söhne, Straße 1".encode()).replace(
    b"{id: fra}", "{id: fra, title: Frankfurt, provider: Südnetz GmbH}".encode()
)


def paper_example(outages: int | None = None, *, stamped: int = 2) -> Gathered:
    """The files; with so many outages of five minutes in place of those of the month, and so many heads stamped."""
    files: dict[str, bytes] = {"fleet.yaml": _TITLED, "keys/log.pem": _pem(_LOG)}
    stretches = observed_stretches() if outages is None else _stretches(outages)
    times = [
        OutageTimes(
            one.started_at, one.ended_at, one.detected_at, one.notified_at, one.acknowledged_at,
            handle=one.handle, check=one.check, severity=Severity(one.severity),
        )
        for one in OUTAGES
    ]  # fmt: skip
    if outages is not None:
        down = [one for one in stretches if one.verdict is Verdict.DOWN]
        times = [
            OutageTimes(s.from_us, s.to_us, s.from_us + 1, handle=f"OUT-{n}", check="shop-home")
            for n, s in enumerate(down, 11)
        ]
    from_us, to_us = instant("2026-02-25T00:00:00Z"), instant("2026-04-03T00:00:00Z")
    known = Known(stretches, times, times)
    timeline = timeline_document({"shop-home": known}, {}, from_us, to_us, instant(AS_OF))
    files["timeline.json"] = replay_bytes(timeline)
    fleet = read_fleet(_TITLED, "fleet.yaml")
    agreement = fleet.contracts["acme-gold"]
    period = period_named("2026-03", agreement.period.tz)
    observed = observed_in(timeline, fleet, agreement.scope)
    found = records(agreement, period, observed, instant(AS_OF), revision=2)
    files["attainment.json"] = records_bytes(found)
    files |= dict(_config(times))
    streams = []
    for number, region in enumerate(REGIONS, 1):
        key = Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))
        files[agent_key(f"{region}-1")] = _pem(key)
        files |= dict(_seals(f"{region}-1", number, key))
        hashes = ("0" * 64, "1" * 64)
        runs = ((41, 41), (43, 43)) if region == "sin" else ((41, 43),)
        stream = Stream(f"{region}-1", "9f31c2d0", "shop")
        streams += [Sealed(stream, *run, *hashes) for run in runs]
    fleet_sha256, timeline_sha256, attainment_sha256 = (
        sha256(files[name]).hexdigest()
        for name in ("fleet.yaml", "timeline.json", "attainment.json")
    )
    claim = ClaimNote(
        "acme-gold", 2, "2026-03", period.from_us, period.to_us, instant(AS_OF), "0.1.0", "2026.6",
        fleet_sha256, timeline_sha256, attainment_sha256, "ab" * 32, streams,
        unsealed=[Unsealed(streams[0].stream, 4360, 4371, 1, 2)], late=[Run(streams[1].stream, 4300, 4302)],
    )  # fmt: skip
    files["claim.note"] = _note(claim.text())
    for size in range(120, 120 + stamped + 1):
        root = sha256(str(size).encode()).digest()
        files[f"checkpoints/{size}"] = _note(Checkpoint(ORIGIN, size, root).text())
        if size < 120 + stamped:
            files[f"timestamps/{size}.zeitstempel.tsr"] = b"not read here"
    hashes_of = {name: sha256(data).hexdigest() for name, data in files.items()}
    files["MANIFEST.note"] = _note(manifest_text(hashes_of))
    gathered = Gathered()
    for name, data in files.items():
        gathered.take(name, data)
    return gathered


def _stretches(count: int) -> list[Stretch]:
    """Outages of five minutes, three hours apart."""
    at_us, end_us = instant("2026-02-01T00:00:00Z"), instant("2026-05-01T00:00:00Z")
    found: list[Stretch] = []
    for number in range(count):
        from_us = instant("2026-03-01T02:00:00Z") + number * 3 * _HOUR_US
        found.append(Stretch(at_us, from_us, *(Verdict.UP,) * 3))
        at_us = from_us + 300_000_000
        found.append(Stretch(from_us, at_us, *(Verdict.DOWN,) * 3))
    return [*found, Stretch(at_us, end_us, *(Verdict.UP,) * 3)]


def _config(times: Sequence[OutageTimes]) -> Iterator[tuple[str, bytes]]:
    """Enrolments, an exclusion that was declared after it had begun, and each outage as it opened and as it was over."""
    began = instant("2026-01-01T00:00:00Z")
    for leaf, region in enumerate(REGIONS):
        said = {"evidence_key": "00" * 32, "region": region}
        yield _entry(leaf, LeafKind.KEY, f"{region}-1", began + leaf, said)
    declared = {"kind": "declared", "exclusion": "late-patch", "body": "{}"}
    late_us = instant("2026-03-20T00:30:00Z")
    yield _entry(9, LeafKind.EXCLUSION, "late-patch", late_us, declared)
    fleet = {"file_name": "fleet.yaml", "applied_by": "ada", "number": 3}
    yield _entry(5, LeafKind.FLEET, "3", began + 5, fleet)
    yield _entry(899, LeafKind.FLEET, "4", instant("2026-03-12T08:00:00Z"), fleet)
    yield _entry(6, LeafKind.CHECK, "shop-home", began + 6, {"digest": "ef" * 32})
    yield _entry(904, LeafKind.REPORT, "acme-gold 2026-03", instant("2026-04-03T23:00:00Z"), {})
    said = {"kind": "annotation", "who": "Jürgen", "role": "operator", "text": "Bagger & <Kabel>"}
    yield _entry(901, LeafKind.REMARK, "OUT-3", instant("2026-03-06T09:00:00Z"), said)
    counter = {"who": "Zoë", "role": "counterparty", "text": "unsere Logs sagen 45 min", "file_name": "ours.csv",
               "sha256": "cd" * 32}  # fmt: skip
    yield _entry(902, LeafKind.COUNTER, "OUT-3", instant("2026-03-07T09:00:00Z"), counter)
    pruned = {"runs": ["stream nyc-1 9f31c2d0 shop seals 1 41 lines 1 4100"]}
    yield _entry(903, LeafKind.PRUNE, "PRUNE-1", instant("2026-04-01T00:00:00Z"), pruned)
    spring_us = instant("2026-03-10T05:00:00Z")
    yield _entry(900, LeafKind.EXCLUSION, "spring-upgrade", spring_us, declared)
    for number, one in enumerate(times):
        assert one.ended_us is not None
        body = {
            "id": "00", "check": one.check, "revision": "00", "started_us": one.started_us, "ended_us": one.ended_us,
            "downtime_us_min": 0, "downtime_us_max": one.ended_us - one.started_us,
            "regions": ["fra", "nyc"], "kinds": [["http_status", 60], ["timeout", 4]],
            "votes": [
                {"region": "fra", "label": "DOWN", "confirmed_us": one.started_us},
                {"region": "nyc", "label": "DOWN", "confirmed_us": one.started_us + 20_000_000},
                {"region": "sin", "label": "UP", "confirmed_us": None},
            ],
        }  # fmt: skip
        for step, (kind, at_us) in enumerate(
            (("opened", one.started_us + 72_000_000), ("closed", one.ended_us + 65_000_000))
        ):
            data = {"kind": kind, "body": json.dumps(body)}
            yield _entry(20 + 2 * number + step, LeafKind.OUTAGE, one.handle, at_us, data)


def _entry(
    leaf: int, kind: LeafKind, subject: str, at_us: int, data: Mapping[str, object]
) -> tuple[str, bytes]:
    return f"config/{leaf}.note", _note(leaf_text(kind, subject, at_us, data))


def _seals(agent: str, number: int, key: Ed25519PrivateKey) -> Iterator[tuple[str, bytes]]:
    name = StreamName("example.net", agent, "shop", "9f31c2d0")
    clocks = (
        ClockState(True, -120 * number, 900, 0),
        ClockState(True, 340, 1200, 73),
        ClockState(False, None, None, None)
        if number == 2
        else ClockState(True, 15, 800, 0 if number < 3 else -2_500_000),
    )
    at_us = instant("2026-02-28T22:00:00Z")
    for seal, clock in enumerate(clocks, 41):
        if (number, seal) == (3, 42):
            continue
        end_us = at_us + (seal - 40) * 372 * _HOUR_US
        payload = Payload(seal * 100, seal * 100 + 59, 60, "0" * 64, 1800)
        made = Seal(
            name, seal, "0" * 64, payload, Slots(60, number - 1), "0" * 64,
            Span(end_us - 60_000_000, end_us, 1, 2), clock,
        )  # fmt: skip
        stream = Stream(agent, "9f31c2d0", "shop")
        yield stream.note(seal), signed_note(made.text(), name.key_name, key)


def _note(text: str) -> bytes:
    return signed_note(text, ORIGIN, _LOG)


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
