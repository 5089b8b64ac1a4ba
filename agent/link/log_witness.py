"""Remembering the controller's log on disk, whole, and keeping as proof what contradicts it."""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Final

import msgspec

from agent.core.log_view import LogView, Offered, Refused, grown
from agent.errors import Fatal
from agent.files import replace
from agent.link.cosigning import USED_FILE, Cosigned, Cosigner
from vedette.shared.limits import REFUSED_HEADS_MAX

LOG_DIRECTORY: Final = "log"
VIEW_FILE: Final = "seen.json"
_log = logging.getLogger(__name__)


class LogWitness:
    """What this agent has seen of the log of an organisation. `refused` says why it takes no further head.

    With a `cosigner` it signs each head that it takes: `cosigned` is the signature under the last one.
    """

    def __init__(
        self, directory: Path, organisation: str, cosigner: Cosigner | None = None
    ) -> None:
        self._directory = directory
        self._origin = f"{organisation}/log"
        self._view = seen_in(directory)
        self._cosigner = cosigner
        self.refused = ""
        self.cosigned: Cosigned | None = None
        if cosigner is not None and cosigner.is_used and self._view is None:
            raise Fatal(
                f"Expected what this witness has signed of the controller's log in {directory / VIEW_FILE}; it is gone,"
                " and without it the witness could sign another history: restore it, or remove witness.key and"
                f" {USED_FILE} to begin anew with another key, which the contract's annex must name."
            )

    @property
    def size(self) -> int:
        """How many leaves the last head had; 0 if none was seen."""
        return 0 if self._view is None else self._view.size

    async def see(self, offered: Offered) -> str:
        """Take a head, and remember it before this returns; or why it is not taken.

        A head that is refused is kept beside the one that it contradicts: together they are the proof. What is
        refused, or not remembered, is never signed.
        """
        self.cosigned = None
        try:
            view = grown(self._view, offered, self._origin)
            if view != self._view:
                await asyncio.to_thread(_remember, self._directory, view)
        except Refused as error:
            if self.refused != str(error):
                _log.error("log.refused", extra={"reason": str(error)})
            self.refused = str(error)
            await asyncio.to_thread(self._keep_proof, offered.note)
            return self.refused
        except OSError as error:
            # What is not remembered is not taken; a later head is proved from the one that is.
            _log.warning("log.not_remembered", extra={"reason": str(error)})
            return ""
        self._view, self.refused = view, ""
        await self._cosign(view)
        return ""

    async def _cosign(self, view: LogView) -> None:
        if self._cosigner is None:
            return
        try:
            self.cosigned = await self._cosigner.cosigned(view)
        except OSError as error:
            _log.warning("log.not_cosigned", extra={"reason": str(error)})

    def _keep_proof(self, note: bytes) -> None:
        """Keep a note that was refused, once, and not more of them than a person would read."""
        with contextlib.suppress(OSError):
            self._keep(note)

    def _keep(self, note: bytes) -> None:
        kept = refusals_in(self._directory)
        if len(kept) < REFUSED_HEADS_MAX and all(one.read_bytes() != note for one in kept):
            self._directory.mkdir(mode=0o700, exist_ok=True)
            replace(self._directory / f"refused-{len(kept) + 1}.note", note)


def seen_in(directory: Path) -> LogView | None:
    """What is remembered there; None if nothing was seen. Fatal if it cannot be read: it is not forgotten."""
    path = directory / VIEW_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=LogView)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Fatal(
            f"Expected what was seen of the controller's log in {path}; it is damaged. Without it nobody"
            " would notice a changed history: restore it, or remove the file to begin anew."
        ) from error


def refusals_in(directory: Path) -> list[Path]:
    """The heads that were refused, kept as proof."""
    return sorted(directory.glob("refused-*.note"))


def _remember(directory: Path, view: LogView) -> None:
    directory.mkdir(mode=0o700, exist_ok=True)
    replace(directory / VIEW_FILE, msgspec.json.encode(view))
