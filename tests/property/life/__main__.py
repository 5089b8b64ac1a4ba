"""`python -m tests.property.life --seconds 300 --first 1000` lives new lives until the time is over.

It prints the seeds of those in which the server and the oracle did not agree.
"""

import argparse
import asyncio
import sys
import time

from tests.property.life.oracle import lived


def main() -> None:
    """Live new lives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--every", type=int, default=25)
    arguments = parser.parse_args()
    end = time.monotonic() + arguments.seconds
    seed, failed = arguments.first, 0
    while time.monotonic() < end:
        found = asyncio.run(lived(seed, arguments.steps, arguments.every))
        failed += bool(found)
        if found:
            print(f"seed {seed}", *found, sep="\n  ", flush=True)
        seed += 1
    print(f"{seed - arguments.first} lives, {failed} in which the server and the oracle differ")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
