"""Verifying the paper of a bundle: that it is the one that the log signed beside this manifest. It is no evidence."""

from typing import Final

from controller.core.bundle.layout import MANIFEST, PAPER, REPORT_HTML, REPORT_PDF, Bundle
from controller.core.bundle.manifest import PAPER_KIND, BadManifest, parsed_manifest, sha256_hex
from controller.core.bundle.statements import Broken, Statement, passed
from vedette.shared.note import BadNote, Verifier, opened_note

BESIDE: Final = frozenset({MANIFEST, PAPER, REPORT_HTML, REPORT_PDF})
"""The files that the manifest does not list."""


def paper_statements(bundle: Bundle, log: Verifier) -> list[Statement]:
    """What holds of the paper; nothing is said where there is none. Broken if it is of another bundle, or changed."""
    reports = [name for name in (REPORT_HTML, REPORT_PDF) if bundle.has(name)]
    if not bundle.has(PAPER):
        if reports:
            raise Broken(f"{PAPER} is missing beside {reports[0]}")
        return []
    try:
        listed = parsed_manifest(opened_note(bundle.read(PAPER), [log]), PAPER_KIND)
    except (BadNote, BadManifest) as error:
        raise Broken(f"{PAPER}: {error}") from error
    named = sorted(listed)
    if named not in ([MANIFEST, REPORT_HTML], [MANIFEST, REPORT_HTML, REPORT_PDF]):
        raise Broken(f"{PAPER}: expected {MANIFEST} and reports, found {', '.join(named)[:120]!r}")
    if missing := [name for name in named if not bundle.has(name)]:
        raise Broken(f"{missing[0]} stands in {PAPER} and is missing")
    if more := [name for name in reports if name not in listed]:
        raise Broken(f"{more[0]} does not stand in {PAPER}")
    for name, digest in listed.items():
        if sha256_hex(bundle.read(name)) != digest:
            raise Broken(f"{name} is not the file that {PAPER} names")
    said = " and ".join(reports)
    verb = "are those" if len(reports) > 1 else "is that"
    return [passed(f"{said} {verb} of {PAPER}; for people, and no evidence.")]
