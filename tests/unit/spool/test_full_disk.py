import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import Fatal
from agent.spool.disk import DiskFile, OpenFile
from agent.spool.queue import DiskSpool
from tests.fakes.disk import SmallDisk
from tests.unit.spool.lines import drained, fill, numbers, segment_files


async def test_a_full_disk_loses_new_lines_counts_them_and_recovers(tmp_path: Path) -> None:
    disk = SmallDisk(room=5000)
    spool = DiskSpool.open(tmp_path, open_file=disk.open)
    fill(spool, "shop", 100, pad=100)
    await spool.sync()
    key = (spool.epoch, "shop")
    kept = numbers(drained(spool))[key]
    assert kept == list(range(1, len(kept) + 1))
    assert spool.depth().dropped == 100 - len(kept) > 0

    fill(spool, "shop", 1, pad=1000)
    await spool.sync()
    disk.room = 1 << 20
    fill(spool, "shop", 3)
    await spool.sync()
    (batch,) = drained(spool, {key: kept[-1]})
    assert (batch.first_seq, len(batch.lines), batch.lost) == (102, 3, 101 - len(kept))
    await spool.close()
    spool = DiskSpool.open(tmp_path)
    assert (spool.epoch, spool.next_seq("shop")) == (key[0], 105)
    await spool.close()


async def test_a_failed_fsync_ends_the_process_and_what_was_durable_stays(tmp_path: Path) -> None:
    disk = SmallDisk(room=1 << 20)
    spool = DiskSpool.open(tmp_path, open_file=disk.open)
    fill(spool, "shop", 2)
    await spool.sync()
    disk.is_broken = True
    fill(spool, "shop", 1)
    with pytest.raises(Fatal, match=r"could not be synced: Input/output error\. Check the disk"):
        await spool.sync()
    assert numbers(drained(spool)) == {(spool.epoch, "shop"): [1, 2]}
    fill(spool, "shop", 1)
    with pytest.raises(Fatal):
        await spool.close()


async def test_a_directory_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("not a directory")
    with pytest.raises(Fatal, match=r"The spool in .*/spool cannot be used: File exists\."):
        DiskSpool.open(tmp_path / "spool")


class _Tmpfs:
    """A real small file system where we may mount one; the same limit injected where we may not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        mounted = (
            os.geteuid() == 0
            and subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=1m", "vedette-test", str(path)],
                capture_output=True,
                check=False,
            ).returncode
            == 0
        )
        self.is_mounted = mounted
        self.open_file: OpenFile = DiskFile if mounted else SmallDisk(room=700 * 1024).open

    def unmount(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", str(self.path)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[_Tmpfs]:
    tmpfs = _Tmpfs(tmp_path)
    yield tmpfs
    tmpfs.unmount()


async def test_a_file_system_filled_by_the_spool_itself_is_freed_by_acknowledging(
    small_disk: _Tmpfs,
) -> None:
    spool = DiskSpool.open(small_disk.path, open_file=small_disk.open_file)
    key = (spool.epoch, "shop")
    fill(spool, "shop", 1000, pad=2000)
    await spool.sync()
    kept = numbers(drained(spool))[key]
    assert spool.depth().dropped == 1000 - len(kept) > 0
    spool.acknowledge({key: kept[-1]})
    await spool.sync()
    assert segment_files(small_disk.path) == []
    if not small_disk.is_mounted:
        return
    fill(spool, "shop", 10)
    await spool.sync()
    (batch,) = drained(spool, {key: kept[-1]})
    assert (batch.first_seq, batch.lost) == (1001, 1000 - len(kept))
    await spool.close()
