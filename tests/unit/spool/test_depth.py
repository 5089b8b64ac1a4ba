"""How deep the spool is: a week of a large site fits, and what is too old goes and is counted."""

import os
import time
from pathlib import Path

import pytest
import trustme

from agent.core.policy import Policy
from agent.ports import SEALS_SUFFIX
from agent.probers.http import HttpProber
from agent.probers.network.admission import Admission
from agent.runtime.clock import SystemClock
from agent.runtime.executor import run_once
from agent.runtime.line import Place, encoded_line
from agent.spool import retention
from agent.spool.queue import DiskSpool
from tests.fakes.disk import SmallDisk
from tests.fakes.tcp_target import answering, response, target
from tests.unit.probers.http_probing import check_of
from tests.unit.probers.tls_serving import pem, served
from tests.unit.spool.lines import bytes_held, drained, fill, numbers, segment_files
from tests.unit.spool.sealing import Sealed
from vedette.shared.limits import SPOOL_AGE_SECONDS_MAX, SPOOL_BYTES_MAX, SPOOL_BYTES_MIN
from vedette.shared.result import ClockReading

CHECKS = 1_000
SERVICES = 50
WEEK_MINUTES = 7 * 24 * 60
DAY_SECONDS = 24 * 3600


async def https_line(seq: int) -> bytes:
    """A line as an agent writes it: of a real HTTPS probe with all its phases and certificate facts."""
    authority = trustme.CA()
    async with target(answering(response(b"ok" * 500)), served(authority)) as server:
        probe: dict[str, object] = {
            "url": server.url(scheme="https", host="localhost"),
            "expect": ["status == 200", "tls.days_left > 14"],
            "tls": {"ca": pem(authority)},
        }
        check = check_of("http", probe)
        prober = HttpProber(Admission(Policy.of(["127.0.0.0/8", "::1/128"])))
        finding = await run_once(check, prober, SystemClock(), lag_us=213)
    assert finding.outcome.value == "up", finding.detail
    place = Place(
        "frankfurt-datacenter-2-agent-1", "frankfurt", "9f31c2d0", "customer-web-shop", seq,
        rev="ab" * 32, slot=29_000_000, clock=ClockReading(-120, 900),
    )  # fmt: skip
    return encoded_line(finding, check, place)


async def test_a_week_without_the_controller_fits_for_1000_checks_a_minute(tmp_path: Path) -> None:
    line = await https_line(1_234_567)
    spool = DiskSpool.open(tmp_path / "lines")
    for _ in range(1_000):
        spool.append("customer-web-shop", spool.next_seq("customer-web-shop"), line)
    await spool.close()
    bytes_per_line = bytes_held(tmp_path / "lines") / 1_000

    site = Sealed(tmp_path / "seals")
    await site.sealer.seal()
    (note,) = site.notes()
    await site.spool.close()

    lines = CHECKS * WEEK_MINUTES * bytes_per_line
    seals = SERVICES * WEEK_MINUTES * (len(note) + 64)
    print(f"{bytes_per_line:.0f} bytes a line, {(lines + seals) / 2**30:.2f} GiB a week")
    assert lines + seals < SPOOL_BYTES_MAX
    assert SPOOL_AGE_SECONDS_MAX > 7 * DAY_SECONDS


def age(path: Path, seconds: float) -> None:
    before = time.time() - seconds
    os.utime(path, (before, before))


async def test_lines_that_are_too_old_go_and_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = DiskSpool.open(tmp_path, bytes_max=8 * SPOOL_BYTES_MIN, age_seconds_max=DAY_SECONDS)
    fill(spool, "shop", 1_000, pad=200)
    await spool.sync()
    old = segment_files(tmp_path)[:2]
    for path in old:
        age(path, DAY_SECONDS + 60)
    age(segment_files(tmp_path)[2], DAY_SECONDS - 60)
    kept = spool.depth().lines
    spool._retention._looked_at = -retention._LOOKED_AT_SECONDS
    fill(spool, "shop", 1)
    await spool.sync()
    assert not any(path.exists() for path in old)
    lost = spool.depth().dropped
    assert lost == kept + 1 - spool.depth().lines > 0
    first, *_ = drained(spool)
    assert (first.first_seq, first.lost) == (lost + 1, lost)
    assert "spool.expired" in caplog.text
    epoch = spool.epoch
    await spool.close()
    spool = DiskSpool.open(tmp_path, bytes_max=8 * SPOOL_BYTES_MIN, age_seconds_max=DAY_SECONDS)
    assert (spool.epoch, spool.next_seq("shop")) == (epoch, 1_002)
    await spool.close()


async def test_the_newest_lines_are_never_too_old(tmp_path: Path) -> None:
    spool = DiskSpool.open(tmp_path, age_seconds_max=DAY_SECONDS)
    fill(spool, "shop", 5)
    await spool.sync()
    age(segment_files(tmp_path)[0], 10 * DAY_SECONDS)
    spool._retention._looked_at = -retention._LOOKED_AT_SECONDS
    fill(spool, "shop", 1)
    await spool.sync()
    assert numbers(drained(spool)) == {(spool.epoch, "shop"): [1, 2, 3, 4, 5, 6]}
    await spool.close()


async def test_a_full_spool_is_sealed_so_that_it_can_empty_and_goes_on(tmp_path: Path) -> None:
    site = Sealed(tmp_path, bytes_max=SPOOL_BYTES_MIN)
    spool = site.spool
    key, notes = (spool.epoch, "shop"), (spool.epoch, "shop" + SEALS_SUFFIX)
    fill(spool, "shop", 1_000, pad=1_000)
    await spool.sync()
    assert spool.is_full
    dropped = spool.depth().dropped
    assert dropped == 1_000 - spool.depth().lines > 0
    await site.sealer.seal()
    await site.sealer.seal()
    assert len(site.notes()) == 1, "a full spool says nothing more than what is in it"
    assert spool.depth().lines == 1_000 - dropped
    spool.acknowledge({key: 1_000 - dropped, notes: 1})
    await spool.sync()
    assert spool.depth().bytes < SPOOL_BYTES_MIN // 2
    site.run_slot()
    await spool.sync()
    await site.sealer.seal()
    seal = site.seals()[-1]
    assert (seal.number, seal.payload.first, seal.payload.count) == (2, 1_001, 1)
    await spool.close()


async def test_on_a_full_disk_seals_use_the_reserve_and_empty_it(tmp_path: Path) -> None:
    disk = SmallDisk(room=20_000)
    site = Sealed(tmp_path, open_file=disk.open)
    spool = site.spool
    fill(spool, "shop", 100, pad=400)
    await spool.sync()
    assert spool.is_full
    held = spool.depth().lines
    await site.sealer.seal()
    disk.room += 2_000
    await spool.sync()
    while not site.notes():
        site.run_slot()
        await spool.sync()
    notes = (spool.epoch, "shop" + SEALS_SUFFIX)
    spool.acknowledge({(spool.epoch, "shop"): held, notes: 1})
    disk.room = 1 << 20
    await spool.sync()
    site.run_slot()
    await site.sealer.seal()
    assert [s.number for s in site.seals()][-1] == 2
    await spool.close()
