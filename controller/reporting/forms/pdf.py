"""Blocks as PDF: typeset by Typst with fonts of its own, so that the same page is the same bytes everywhere.

It is tagged for screen readers (PDF/UA-1) and fit to be archived (PDF/A-2a).
"""

import datetime as dt
import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

from controller.errors import BadInput
from controller.reporting.blocks import (
    Blanks,
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Listing,
    Page,
    PageBreak,
    Paragraph,
    Picture,
    Table,
    Verbatim,
    Verdict,
)

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND_US: Final = 1_000_000
_UNBROKEN: Final = "\N{NO-BREAK SPACE}"
_BREAK: Final = "\N{ZERO WIDTH SPACE}"
_LONG: Final = re.compile(r"\S{49,}")
_PIECE: Final = 16


def pdf_of(page: Page, fonts: Path | None = None) -> bytes:
    """The page as PDF. BadInput if it has letters that no font at hand can show.

    `fonts` is a folder with fonts for letters that the built-in ones (Latin, Greek, Cyrillic) do not have.
    """
    # Here, because nothing else needs it, and it is an extra.
    import typst

    folders = [] if fonts is None else [fonts]
    more = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    every = typst.Fonts(include_system_fonts=False, font_paths=folders)
    template = resources.files("controller.reporting.forms").joinpath("page.typ").read_bytes()
    try:
        return bytes(
            typst.compile(
                template,
                format="pdf",
                font_paths=every,
                ignore_system_fonts=True,
                sys_inputs={"page": json.dumps(_plain(page, more.families()), ensure_ascii=False)},
                pdf_standards=["a-2a", "ua-1"],
                timestamp=page.dated_us // _SECOND_US,
            )
        )
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        raise BadInput(
            f"The fonts at hand have no letters for this PDF: {error.message}. Let VEDETTE_FONTS name a folder"
            " with a font that has them (for Chinese: Noto Sans CJK), or take another format."
        ) from error


def _plain(page: Page, fonts: Sequence[str]) -> dict[str, Any]:
    dated = _EPOCH + dt.timedelta(microseconds=max(page.dated_us, 0))
    return {
        "language": page.language,
        "title": _text(page.title),
        "subtitle": _text(page.subtitle),
        "foot": _text(page.foot),
        "dated": list(dated.timetuple()[:6]),
        "fonts": list(fonts),
        "blocks": [_block(one) for one in page.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            return {"block": "heading", "text": _text(block.text), "level": block.level}
        case Paragraph():
            return {"block": "paragraph", "text": _text(block.text), "tone": block.tone}
        case Listing():
            items = [_text(one) for one in block.items]
            return {"block": "listing", "items": items, "numbered": block.is_numbered}
        case Verdict():
            word, text = _text(block.word), _text(block.text)
            return {"block": "verdict", "word": word, "text": text, "tone": block.tone}
        case Facts():
            rows = [[_text(name), [_text(one) for one in lines]] for name, lines in block.rows]
            return {"block": "facts", "rows": rows}
        case Table():
            return {
                "block": "table",
                "caption": _text(block.caption),
                "columns": [
                    {"head": _text(c.head), "align": c.align, "share": c.share}
                    for c in block.columns
                ],
                "rows": [
                    [_cell(one, c) for one, c in zip(row, block.columns, strict=True)]
                    for row in block.rows
                ],
            }
        case Picture():
            caption, alt = _text(block.caption), _text(block.alt)
            return {"block": "picture", "caption": caption, "alt": alt, "svg": block.svg}
        case Verbatim():
            lines = [_text(one) for one in block.lines]
            return {"block": "verbatim", "caption": _text(block.caption), "lines": lines}
        case Blanks():
            return {"block": "blanks", "rows": [[_text(n), count] for n, count in block.rows]}
        case PageBreak():
            return {"block": "page-break"}


def _cell(one: Cell, column: Column) -> dict[str, Any]:
    lines = [_LONG.sub(_breakable, _text(line)) for line in one.lines]
    if column.is_whole:
        lines = [line.replace(" ", _UNBROKEN) for line in lines]
    return {"lines": lines, "tone": one.tone, "main": one.main}


def _breakable(word: re.Match[str]) -> str:
    """A word that no column is wide enough for, with places where it may be broken."""
    text = word[0]
    return _BREAK.join(text[at : at + _PIECE] for at in range(0, len(text), _PIECE))


def _text(text: str) -> str:
    """`text` without what is no letter."""
    return "".join(c if c.isprintable() else "?" for c in text)
