"""What `vedette-agent run` holds with a thousand checks: the real command, joined to a controller."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from tests.bench.agent.checks import checks_of
from tests.bench.agent.place import ended, resident_mb_of, started
from tests.bench.agent.targets import Targets
from tests.fakes.controller import FakeController
from tests.integration.agent.site import joined
from vedette.shared.definitions import canonical_bytes

CHECKS: Final = 1000
_EVERY: Final = "10s"
_LINES: Final = 2 * CHECKS


async def resident_mb(folder: Path, at: Targets, on: set[int]) -> float:
    """Its resident memory after every check has run twice."""
    controller = FakeController()
    await controller.start()
    kinds = ("http", "https", "dns", "icmp")
    checks = [c for kind in kinds for c in checks_of(kind, CHECKS // len(kinds), at, _EVERY)]
    state = folder / "agent"
    await joined(controller, state)
    await controller.assign(*(canonical_bytes(check) for check in checks))
    log = folder / "agent.log"
    process = started([sys.executable, "-m", "agent", "run", "--state", state], on, log=log)
    try:
        async with asyncio.timeout(40):
            await controller.until(lambda: sum(controller.durable.values()) >= _LINES)
        return resident_mb_of(process.pid)
    except TimeoutError as error:
        raise SystemExit(f"the agent did not deliver {_LINES} lines:\n{log.read_text()}") from error
    finally:
        ended(process)
        await controller.stop()
