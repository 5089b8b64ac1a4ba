"""Blocks as one HTML file that stands by itself: no script, nothing fetched, for the screen and for paper."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from itertools import groupby
from typing import Final

from controller.reporting.blocks import (
    Align,
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
    Tone,
    Verbatim,
    Verdict,
)

_NARROW_MAX: Final = 3
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html_of(page: Page) -> str:
    """The page as an HTML document."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{escape(page.language)}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{_text(page.title)}</title>",
            f"<style>\n{_style()}{_foot(page.foot)}</style>",
            "</head>",
            "<body>",
            f"<header><h1>{_text(page.title)}</h1><p>{_text(page.subtitle)}</p></header>",
            "<main>",
            *_body(page.blocks),
            "</main>",
            f"<footer>{_text(page.foot)}</footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _style() -> str:
    return resources.files("controller.reporting.forms").joinpath("page.css").read_text("utf-8")


def _foot(text: str) -> str:
    """What stands on every page of paper, where a browser can do that: letters of CSS are written as their numbers."""
    said = "".join(
        c if c.isalnum() or c in " ,.:-" else f"\\{ord(c):x} " for c in text if c.isprintable()
    )
    small = "font: 8pt system-ui, sans-serif; color: #444444;"
    return (
        f'@page {{ @bottom-left {{ content: "{said}"; white-space: nowrap; {small} }}\n'
        f'  @bottom-right {{ content: counter(page) " / " counter(pages); {small} }} }}\n'
    )


def _body(blocks: Sequence[Block]) -> Iterator[str]:
    """The blocks; verdicts that follow one another stand beside one another."""
    for is_verdict, group in groupby(blocks, lambda one: isinstance(one, Verdict)):
        if is_verdict:
            yield f'<div class="verdicts">{"".join(_block(one) for one in group)}</div>'
        else:
            yield from (_block(one) for one in group)


def _block(block: Block) -> str:
    match block:
        case Heading():
            tag = f"h{block.level + 1}"
            return f"<{tag}>{_text(block.text)}</{tag}>"
        case Paragraph():
            return f"<p{_class(block.tone)}>{_text(block.text)}</p>"
        case Listing():
            tag = "ol" if block.is_numbered else "ul"
            return f"<{tag}>{''.join(f'<li>{_text(one)}</li>' for one in block.items)}</{tag}>"
        case Verdict():
            word, text = _text(block.word), _text(block.text)
            return f'<section class="verdict {block.tone}"><h2>{word}</h2><p>{text}</p></section>'
        case Facts():
            rows = (f"<dt>{_text(name)}</dt><dd>{_lines(lines)}</dd>" for name, lines in block.rows)
            return f"<dl>{''.join(rows)}</dl>"
        case Table():
            return _table(block)
        case Picture():
            caption = _text(block.caption)
            return f"<figure><figcaption>{caption}</figcaption>{block.svg}</figure>"
        case Verbatim():
            lines = "\n".join(_text(one) for one in block.lines)
            caption = f"<figcaption>{_text(block.caption)}</figcaption>" if block.caption else ""
            return f'<figure class="verbatim">{caption}<pre>{lines}</pre></figure>'
        case Blanks():
            return f'<dl class="blanks">{"".join(_blank(*one) for one in block.rows)}</dl>'
        case PageBreak():
            return '<hr class="page">'


def _blank(name: str, count: int) -> str:
    """What is asked for, and as many lines to write on."""
    return f"<dt>{_text(name)}</dt><dd>{'<span></span>' * count}</dd>"


def _table(block: Table) -> str:
    heads = "".join(f'<th scope="col"{_side(c)}>{_text(c.head)}</th>' for c in block.columns)
    narrow = ' class="narrow"' if len(block.columns) <= _NARROW_MAX else ""
    rows = "\n".join(f"<tr>{''.join(_cells(row, block.columns))}</tr>" for row in block.rows)
    return (
        f'<div class="table"><table{narrow}><caption>{_text(block.caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cells(row: Sequence[Cell], columns: Sequence[Column]) -> Iterator[str]:
    """The cells of a row; the first one names it."""
    for place, (one, column) in enumerate(zip(row, columns, strict=True)):
        tag = 'th scope="row"' if place == 0 else "td"
        classes = [str(column.align)] if column.align is Align.RIGHT else []
        classes += ["whole"] if column.is_whole else []
        classes += [str(one.tone)] if one.tone is not Tone.PLAIN else []
        named = f' class="{" ".join(classes)}"' if classes else ""
        yield f"<{tag}{named}>{_lines(one.lines, one.main)}</{tag.partition(' ')[0]}>"


def _lines(lines: Sequence[str], main: int = 1) -> str:
    """Lines one under the other; after the first `main` they are small."""
    first = "<br>".join(_text(one) for one in lines[:main])
    return f"{first}{''.join(f'<small>{_text(one)}</small>' for one in lines[main:])}"


def _side(column: Column) -> str:
    return f' class="{column.align}"' if column.align is Align.RIGHT else ""


def _class(tone: Tone) -> str:
    return f' class="{tone}"' if tone is not Tone.PLAIN else ""


def _text(text: str) -> str:
    """`text` as it is, whoever wrote it."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
