"""What people say, as it is kept: printable and of a bounded length."""

from controller.errors import BadInput
from vedette.shared.limits import REMARK_CHARS_MAX


def text_of(text: str, what: str = "text") -> str:
    """The text without blanks around it. BadInput if it is too long, or holds what is not seen."""
    said = text.strip()
    if len(said) > REMARK_CHARS_MAX:
        raise BadInput(
            f"Expected at most {REMARK_CHARS_MAX} characters, found {len(said)}: what is longer belongs"
            " into a ticket, whose address fits."
        )
    unseen = next((c for c in said if not c.isprintable() and c != "\n"), None)
    if unseen is not None:
        raise BadInput(
            f"Expected printable characters, found {unseen!r} in the {what}: leave it out."
        )
    return said
