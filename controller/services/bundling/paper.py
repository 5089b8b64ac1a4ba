"""The paper beside a bundle: gathered while its parts go by, and made when the manifest is known."""

import logging
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from controller.core.bundle.layout import MANIFEST, PAPER, REPORT_HTML, REPORT_PDF
from controller.core.bundle.manifest import PAPER_KIND, manifest_text, sha256_hex
from controller.core.paper.gathering import BadPaper, Gathered
from controller.errors import BadInput
from controller.reporting.paper.page import paper
from controller.reporting.rendering import Form

log = logging.getLogger(__name__)


class Signer(Protocol):
    """Signs for the log."""

    def signed(self, text: str) -> bytes:
        """The note of a text."""
        ...


class Piece(Protocol):
    """A part of a file of a bundle; the parts of one follow one another."""

    @property
    def name(self) -> str:
        """Of which file."""
        ...

    @property
    def content(self) -> bytes:
        """Its bytes."""
        ...


class PaperFile(NamedTuple):
    """A file of the paper."""

    name: str
    content: bytes


class PaperMaker:
    """Makes the paper of one bundle. Needs no storage, and takes up to seconds: not for the thread of storage."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._gathered: Gathered | None = Gathered()

    def see(self, parts: Iterable[Piece]) -> None:
        """The next parts of the bundle."""
        try:
            for one in parts:
                if self._gathered is not None:
                    self._gathered.take(one.name, one.content)
        except BadPaper as error:
            log.error("bundle.without_paper", extra={"reason": str(error)})
            self._gathered = None

    def files(self) -> list[PaperFile]:
        """The report in its forms, and the note that binds them to the manifest; none where it cannot be made.

        It is no evidence: a fault in it keeps nobody from the bundle.
        """
        gathered = self._gathered
        if gathered is None:
            return []
        try:
            made = list(_forms(gathered))
            manifest = gathered.read(MANIFEST)
        except Exception:
            log.exception("bundle.without_paper")
            return []
        hashes = {one.name: sha256_hex(one.content) for one in made}
        text = manifest_text({MANIFEST: sha256_hex(manifest), **hashes}, PAPER_KIND)
        return [*made, PaperFile(PAPER, self._signer.signed(text))]


def _forms(gathered: Gathered) -> Iterator[PaperFile]:
    yield PaperFile(REPORT_HTML, paper(gathered, Form.HTML))
    try:
        yield PaperFile(REPORT_PDF, paper(gathered, Form.PDF))
    except (BadInput, ModuleNotFoundError) as error:
        # It is an extra, and its fonts do not have the letters of every name: the HTML says the same.
        log.warning("bundle.without_pdf", extra={"reason": str(error)})
