"""The dialogue of a check, step by step: what is expected, what is sent, and what was captured on the way."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.probers.network.fault import Fault
from agent.probers.network.handshake import TlsWants
from agent.probers.tcp.conversation import Conversation, quoted
from vedette.shared.definitions import micros
from vedette.shared.failure import Failure
from vedette.shared.limits import CAPTURE_CHARS_MAX, PATTERN_WINDOW_BYTES
from vedette.shared.patterns import Pattern, pattern_of
from vedette.shared.probes import Step
from vedette.shared.probes.tcp import PLACEHOLDER


@dataclass(slots=True)
class Dialogue:
    """Runs steps over a conversation. `facts` has an entry for every step that was begun."""

    conversation: Conversation
    wants: TlsWants
    captures: dict[str, str] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=list)

    async def run(self, number: int, step: Step) -> None:
        """Do `step`, the one with that number counted from 1. Fault if it cannot be done."""
        clock = self.conversation.steps.clock
        began_us = clock()
        fact: dict[str, Any] = {"do": step.name}
        self.facts.append(fact)
        try:
            await self._do(number, step, fact)
        finally:
            fact["took"] = clock() - began_us

    async def _do(self, number: int, step: Step, fact: dict[str, Any]) -> None:
        steps, where = self.conversation.steps, self.conversation.where
        if step.pattern is not None:
            await self._expect(f"step {number}", step, pattern_of(step.pattern))
        elif step.starttls:
            steps.end()
            await self.conversation.start_tls(self.wants)
            steps.begin("dialogue", Failure.DIALOGUE_TIMEOUT, f"{where} did not go on")
        else:
            data = said_by(step, self.captures)
            fact["bytes"] = len(data)
            steps.now(Failure.SEND_TIMEOUT, f"{where} did not take what step {number} sends")
            await self.conversation.say(data)

    async def _expect(self, name: str, step: Step, pattern: Pattern) -> None:
        what = f"{self.conversation.where} did not say what {name} expects ({pattern.text!r})"
        self.conversation.steps.now(Failure.DIALOGUE_TIMEOUT, what)
        seconds = None if step.within is None else micros(step.within) / 1e6
        last: list[bytes] = []
        try:
            async with asyncio.timeout(seconds):
                if step.expect is not None:
                    await self._expect_line(name, pattern, last)
                else:
                    await self._expect_bytes(name, pattern, last)
        except TimeoutError as error:
            if last:
                raise _unexpected(name, pattern, last[0]) from error
            raise Fault(Failure.DIALOGUE_TIMEOUT, f"{what} within {step.within}") from error

    async def _expect_line(self, name: str, pattern: Pattern, last: list[bytes]) -> None:
        """Take lines until one matches; `last` holds the one that did not."""
        while True:
            line = await self.conversation.line()
            if line is None:
                raise self._closed(name, pattern, last)
            found = pattern.found_in(line)
            if found is not None:
                self._capture(found[1])
                return
            last[:] = [line]
            unexpected = _unexpected(name, pattern, line)
            self.conversation.steps.now(unexpected.kind, f"{unexpected.detail}, and nothing better")

    async def _expect_bytes(self, name: str, pattern: Pattern, last: list[bytes]) -> None:
        """Take bytes until they match somewhere; what stands behind the match is left for the next step."""
        looked = 0
        while True:
            data = await self.conversation.arrived(looked + 1)
            if data is None:
                raise self._closed(name, pattern, last)
            found = await _searched(pattern, data, looked)
            if found is not None:
                self.conversation.take(found[0])
                self._capture(found[1])
                return
            last[:] = [data]
            unexpected = _unexpected(name, pattern, data)
            self.conversation.steps.now(unexpected.kind, f"{unexpected.detail}, and nothing better")
            looked = len(data)

    def _capture(self, values: Mapping[str, str]) -> None:
        self.captures.update({name: text[:CAPTURE_CHARS_MAX] for name, text in values.items()})

    def _closed(self, name: str, pattern: Pattern, last: list[bytes]) -> Fault:
        if last:
            return _unexpected(name, pattern, last[0])
        said = f"{self.conversation.where} closed the connection at {name}, which expects {pattern.text!r}"
        return Fault(Failure.CONNECTION_LOST, said)


async def _searched(
    pattern: Pattern, data: bytes, looked: int
) -> tuple[int, dict[str, str]] | None:
    """What `pattern` finds in `data`, of which the first `looked` bytes gave nothing; None if nothing.

    A window goes over what is new, half its size at a time, and lets others have a turn in between: all that
    has come is in view while it fits, and later any match of up to half the window.
    """
    while True:
        end = min(looked + PATTERN_WINDOW_BYTES // 2, len(data))
        found = pattern.found_in(data, max(end - PATTERN_WINDOW_BYTES, 0), end)
        if found is not None or end == len(data):
            return found
        looked = end
        await asyncio.sleep(0)


def said_by(step: Step, captures: Mapping[str, str]) -> bytes:
    """The bytes that `step` sends, captures filled in."""
    if step.hex is not None:
        return bytes.fromhex(step.hex)
    text = PLACEHOLDER.sub(
        lambda m: "$" if m[1] is None else captures.get(m[1], ""), step.text or ""
    )
    end = "\r\n" if step.line is not None else ""
    return f"{text}{end}".encode()


def _unexpected(name: str, pattern: Pattern, seen: bytes) -> Fault:
    said = f"{name} expects {pattern.text!r}, and {quoted(seen)} came"
    return Fault(Failure.UNEXPECTED_REPLY, said)
