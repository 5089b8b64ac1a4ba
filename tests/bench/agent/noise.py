"""How late this machine itself wakes a process that has a core to itself: what no agent can be better than."""

import subprocess
import sys
import time

from tests.bench.agent.place import started

SECONDS = 2.0
_STEP_SECONDS = 0.002


def lateness_us(on: set[int]) -> list[int]:
    """How late each of many short sleeps ended, sorted, in a process on the cores `on`."""
    command = [sys.executable, "-m", "tests.bench.agent.noise"]
    process = started(command, on, out=subprocess.PIPE)
    out, _ = process.communicate(timeout=SECONDS + 30)
    return sorted(int(word) for word in out.split())


def main() -> None:
    """Sleep shortly, again and again, and print how late each sleep ended."""
    late = []
    end = time.monotonic() + SECONDS
    while (begun := time.monotonic()) < end:
        time.sleep(_STEP_SECONDS)
        late.append(int((time.monotonic() - begun - _STEP_SECONDS) * 1e6))
    print(*late)


if __name__ == "__main__":
    main()
