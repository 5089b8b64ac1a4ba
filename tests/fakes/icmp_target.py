"""A host behind a socket that is none: what becomes of each echo request is a script."""

import asyncio
from collections.abc import Callable, Sequence

from agent.probers.icmp_packets import Saying
from agent.probers.icmp_socket import Answer, Asker, Echo

# What becomes of one request: round trips in microseconds (several: duplicates), or what a router says.
Fate = Sequence[int] | Saying


class ScriptedIcmp:
    """Stands in for IcmpSocket. Round trips are told, not waited for."""

    def __init__(self, fates: Sequence[Fate], clock: Callable[[], int]) -> None:
        self._fates = list(fates)
        self._clock = clock
        self._forgotten: set[int] = set()
        self.sent: list[Echo] = []
        self.loop = asyncio.get_running_loop()

    def send(self, echo: Echo, asker: Asker, number: int) -> tuple[int, int]:
        sequence, sent_us = len(self.sent), self._clock()
        self.sent.append(echo)
        fate = self._fates[sequence]
        if isinstance(fate, Saying):
            self.loop.call_soon(
                self._say, sequence, (asker, number), Answer(fate, sent_us, "192.0.2.254")
            )
            return sequence, sent_us
        for rtt_us in fate:
            reply = Answer(Saying.REPLY, sent_us + rtt_us, echo.address, 57)
            self.loop.call_soon(self._say, sequence, (asker, number), reply)
        return sequence, sent_us

    def forget(self, sequence: int) -> None:
        self._forgotten.add(sequence)

    def close(self) -> None:
        return

    def _say(self, sequence: int, to: tuple[Asker, int], said: Answer) -> None:
        if sequence not in self._forgotten:
            asker, number = to
            asker.take(number, said)
