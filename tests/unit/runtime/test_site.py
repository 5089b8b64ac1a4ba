"""The site's policy while its file changes."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.core.policy import Policy
from agent.errors import BadInput
from agent.runtime import site as module
from agent.runtime.site import SitePolicy


class Files:
    """A policy file in memory."""

    def __init__(self) -> None:
        self.written: Policy | None = Policy.of(["10.0.0.0/8"])
        self.stamp = 1
        self.reads = 0

    def load(self) -> Policy:
        self.reads += 1
        if self.written is None:
            raise BadInput("policy.yaml:1: paused: expected true or false.")
        return self.written

    def write(self, policy: Policy | None) -> None:
        self.written, self.stamp = policy, self.stamp + 1


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not claim():  # noqa: ASYNC110 - what is claimed has no event
            await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SITE_LOOK_SECONDS", 0.005)


async def test_a_change_is_enforced_a_signal_reads_again_and_a_broken_file_stops_all() -> None:
    files = Files()
    seen: list[Policy] = []
    site = SitePolicy(files.load, lambda: files.stamp)
    site.changed = seen.append
    watching = asyncio.create_task(site.run())
    try:
        narrow = Policy.of(deny=["192.0.2.0/24"])
        files.write(narrow)
        await until(lambda: seen == [narrow])
        files.write(narrow)  # touched, and the same
        await until(lambda: files.reads == 3)
        assert seen == [narrow]
        files.written = Policy()  # changed without a new stamp: only a signal tells
        site.reread()
        await until(lambda: len(seen) == 2)
        files.write(None)
        await until(lambda: len(seen) == 3)
        assert seen[-1] == replace(Policy(), terms=replace(Policy().terms, is_paused=True))
        files.write(narrow)
        await until(lambda: len(seen) == 4)
        assert site.policy == narrow
    finally:
        watching.cancel()


def test_an_agent_does_not_start_on_a_policy_that_its_owner_did_not_mean() -> None:
    files = Files()
    files.write(None)
    with pytest.raises(BadInput):
        SitePolicy(files.load, lambda: files.stamp)
