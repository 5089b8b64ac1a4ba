"""The HTML: one file that needs nothing else, that can be read aloud, and that takes no markup from anybody."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from controller.core.sla.reports.report_document import decode_report
from controller.reporting.blocks import (
    Blanks,
    Cell,
    Column,
    Facts,
    Heading,
    Listing,
    Page,
    Paragraph,
    Picture,
    Table,
    Tone,
    Verbatim,
    Verdict,
)
from controller.reporting.catalogue import ENGLISH
from controller.reporting.forms.html import html_of
from controller.reporting.rendering import Form, rendered
from controller.reporting.story.page import report_page
from tests.unit.reporting.example import example_bytes

VOID = {"meta", "hr", "br"}
EVIL = "<script>alert(1)</script>\"'&\x1b[31m"


class Outline(HTMLParser):
    """Tags in order with their attributes; every one that is opened has to be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @classmethod
    def of(cls, text: str) -> "Outline":
        found = cls()
        found.feed(text)
        assert not found.open
        return found


@pytest.fixture(scope="module")
def page() -> str:
    return rendered([example_bytes(label) for label in ("2026-Q1", "2026-03")], Form.HTML).decode()


def test_it_stands_by_itself(page: str) -> None:
    outline = Outline.of(page)
    assert not {tag for tag, _ in outline.tags} & {"script", "link", "img", "iframe", "object"}
    assert not [name for _, attrs in outline.tags for name in attrs if name in ("src", "href")]
    assert not [name for _, attrs in outline.tags for name in attrs if name.startswith("on")]
    assert "url(" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace(
        "http_status", ""
    ).replace("http-equiv", "")


def test_headings_leave_out_no_level(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Outline.of(page).tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_tables_have_captions_and_heads_that_say_of_what(page: str) -> None:
    tags = [tag for tag, _ in Outline.of(page).tags]
    assert tags.count("caption") == tags.count("table") == tags.count("thead") > 10
    heads = [attrs for tag, attrs in Outline.of(page).tags if tag == "th"]
    assert {attrs["scope"] for attrs in heads} == {"col", "row"}


def test_pictures_are_drawn_in_the_page_and_say_what_they_show(page: str) -> None:
    tags = Outline.of(page).tags
    pictures = [attrs for tag, attrs in tags if tag == "svg"]
    assert pictures
    assert all(attrs["role"] == "img" for attrs in pictures)
    document = decode_report(example_bytes())
    for block in report_page(document, ENGLISH).blocks:
        if isinstance(block, Picture):
            drawing = ET.fromstring(block.svg)
            assert drawing.findtext("{http://www.w3.org/2000/svg}title") == block.alt


def test_it_says_its_language_and_is_fit_for_paper_and_dark_screens(page: str) -> None:
    assert '<html lang="en">' in page
    assert "@media print" in page
    assert "prefers-color-scheme: dark" in page


def test_nobody_can_put_markup_into_it() -> None:
    blocks = (
        Heading(EVIL),
        Paragraph(EVIL, Tone.BAD),
        Listing((EVIL,)),
        Verdict(EVIL, EVIL, Tone.GOOD),
        Facts(((EVIL, (EVIL, EVIL)),)),
        Table(EVIL, (Column(EVIL),), ((Cell((EVIL, EVIL)),),)),
        Verbatim(EVIL, (EVIL, EVIL)),
        Blanks(((EVIL, 2),)),
    )
    text = html_of(Page("en", EVIL, EVIL, EVIL, 0, blocks))
    outline = Outline.of(text)
    assert "script" not in {tag for tag, _ in outline.tags}
    assert "\x1b" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;") == 20
    # In the margin of pages, too, where letters of CSS stand as their numbers.
    (margin,) = re.findall(r'@bottom-left { content: "(.*?)"; ', text)
    assert not set(margin) & set("<>\"'&()")
