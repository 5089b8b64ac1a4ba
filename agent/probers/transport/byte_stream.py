"""A connection as the parts of a hop see it, whatever is underneath."""

from typing import Protocol


class ByteStream(Protocol):
    """A connection, plain or TLS."""

    async def read(self) -> bytes:
        """What has arrived; empty when the target has closed."""
        ...

    def write(self, data: bytes) -> None:
        """Send."""
        ...

    async def drain(self) -> None:
        """Wait until the system has taken it."""
        ...

    def close(self) -> None:
        """Close."""
        ...
