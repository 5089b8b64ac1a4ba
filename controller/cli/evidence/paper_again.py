"""Making the paper of a verified bundle again: whether it tells people what the bundle says."""

from importlib.metadata import PackageNotFoundError, version

from controller.core.bundle.claim_note import ClaimNote
from controller.core.bundle.layout import REPORT_HTML, Bundle
from controller.core.bundle.statements import Statement, failed, not_checked, passed
from controller.core.paper.gathering import BadPaper, Gathered
from controller.reporting.paper.page import paper
from controller.reporting.rendering import Form


def paper_again(bundle: Bundle, claim: ClaimNote) -> list[Statement]:
    """Whether report.html is what the bundle gives; nothing is said where there is none.

    Another version of the program, or of the zone rules, may say the same otherwise.
    """
    if not bundle.has(REPORT_HTML):
        return []
    own = _installed("vedette"), _installed("tzdata")
    if own != (claim.program, claim.tzdata):
        return [
            not_checked(
                f"Whether {REPORT_HTML} is what the bundle gives: Vedette {claim.program} made it with zone rules"
                f" {claim.tzdata}, and here are {own[0]} and {own[1]}."
            )
        ]
    try:
        made = paper(Gathered.of(bundle), Form.HTML)
    except BadPaper as error:
        return [failed(f"No {REPORT_HTML} can be made of this bundle. {error}")]
    if made != bundle.read(REPORT_HTML):
        return [
            failed(
                f"{REPORT_HTML} is not what the bundle gives: it may tell people something else than the evidence."
            )
        ]
    return [passed(f"{REPORT_HTML} is what the bundle gives, byte for byte.")]


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
