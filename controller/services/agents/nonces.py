"""Nonces to be signed: good for a minute and once, and not to be piled up by strangers."""

import secrets
from collections.abc import Callable
from typing import Final

from controller.errors import Rejected

NONCE_BYTES: Final = 32
NONCE_TTL_US: Final = 60 * 1_000_000
# A second nonce does not replace the first: whoever sees a name cannot disturb its owner so.
NONCES_PER_OWNER_MAX: Final = 8
NONCE_OWNERS_MAX: Final = 4096


class Nonces:
    """Gives nonces to owners by name, and takes each back once. In memory: a restart forgets them."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._by_owner: dict[str, dict[bytes, int]] = {}

    def give(self, owner: str) -> bytes:
        """A fresh nonce. Rejected if too many were given and not answered."""
        now = self._now_us()
        self._forget_old(now)
        own = self._by_owner.setdefault(owner, {})
        if len(own) >= NONCES_PER_OWNER_MAX or len(self._by_owner) > NONCE_OWNERS_MAX:
            raise Rejected(
                "Too many challenges were begun and not finished; try again in a minute."
            )
        nonce = secrets.token_bytes(NONCE_BYTES)
        own[nonce] = now + NONCE_TTL_US
        return nonce

    def take(self, owner: str, nonce: bytes) -> None:
        """Use up a nonce. Rejected if it was not given to this owner, was used, or is too old."""
        expires_us = self._by_owner.get(owner, {}).pop(nonce, None)
        if expires_us is None or expires_us <= self._now_us():
            raise Rejected("This challenge was answered already or is too old; try again.")

    def _forget_old(self, now_us: int) -> None:
        for owner, own in list(self._by_owner.items()):
            live = {nonce: ends for nonce, ends in own.items() if ends > now_us}
            if live:
                self._by_owner[owner] = live
            else:
                del self._by_owner[owner]
