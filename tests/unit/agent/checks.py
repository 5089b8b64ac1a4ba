"""Checks for tests of the agent."""

import msgspec

from vedette.shared.definitions import Check


def check_of(**changes: object) -> Check:
    plain = {"id": "c", "service": "s", "http": {"url": "http://shop.example/"}}
    return msgspec.convert({**plain, **changes}, Check)
