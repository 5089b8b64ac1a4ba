"""The PDF: the same bytes for the same document, with its fonts, its words and its structure inside."""

import io
from functools import cache

import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from controller.errors import BadInput
from controller.reporting.blocks import Cell, Column, Page, Paragraph, Table
from controller.reporting.forms.pdf import pdf_of
from controller.reporting.rendering import Form, rendered
from tests.unit.reporting.example import example_bytes


@cache
def document() -> bytes:
    return rendered([example_bytes()], Form.PDF)


def reader(data: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(data))


@cache
def text_of(data: bytes) -> str:
    pages = (page.extract_text() for page in reader(data).pages)
    return " ".join(" ".join(pages).split())


def page_of(text: str) -> Page:
    return Page("en", "A letter", "", "", 1_775_260_800_000_000, (Paragraph(text),))


def test_s21_the_same_document_is_the_same_bytes() -> None:
    assert rendered([example_bytes()], Form.PDF) == document()
    assert rendered([example_bytes(as_of="2026-04-05T00:00:00Z")], Form.PDF) != document()


def test_it_has_as_many_pages_as_it_needs_and_says_so_on_each() -> None:
    pages = reader(document()).pages
    assert 4 <= len(pages) <= 8
    for number, page in enumerate(pages, 1):
        assert f"{number} / {len(pages)}" in page.extract_text()
        assert "acme-gold, 2026-03, as of 2026-04-04T00:00:00Z" in page.extract_text()


@pytest.mark.parametrize(
    "words",
    [
        "SLA report: ACME web shop, gold",
        "Breached, marginal",
        "availability: 99.863 % attained, at least 99.9 % promised.",
        "2026-03-05 14:01:00 +01:00",
        "2026-03-05T13:01:00Z",
        "patch <urgent> & | important",
        "rejected: announced too late",
        "excluded: it leaves the time that counts (in force)",
        "10 % of the fee",
        "How the figures were made",
    ],
)
def test_it_says_what_the_report_says(words: str) -> None:
    assert words in text_of(document()).replace("\N{NO-BREAK SPACE}", " ")


def test_every_font_is_inside() -> None:
    fonts: dict[str, DictionaryObject] = {}
    for page in reader(document()).pages:
        resources = page["/Resources"]
        assert isinstance(resources, DictionaryObject)
        for name, one in resources.get("/Font", DictionaryObject()).get_object().items():
            fonts[name] = one.get_object()
    assert fonts
    for font in fonts.values():
        descendants = font.get("/DescendantFonts", ArrayObject([font])).get_object()
        descriptor = descendants[0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)


def test_it_can_be_read_aloud_and_archived() -> None:
    root = reader(document()).trailer["/Root"].get_object()
    assert isinstance(root, DictionaryObject)
    assert "/StructTreeRoot" in root
    assert str(root["/Lang"]) == "en"
    stream = root["/Metadata"].get_object()
    assert isinstance(stream, StreamObject)
    metadata = stream.get_data()
    assert b"<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert b"<pdfaid:part>2</pdfaid:part>" in metadata


def test_it_is_dated_by_its_facts_and_not_by_when_it_was_made() -> None:
    information = reader(document()).metadata
    assert information is not None
    assert str(information["/CreationDate"]).startswith("D:20260404000000")


def test_insufficient_evidence_cannot_be_read_as_met() -> None:
    text = text_of(rendered([example_bytes("2026-01")], Form.PDF))
    assert "Not judged: insufficient evidence" in text
    assert "neither met nor breached" in text
    assert " Met" not in text


def test_letters_of_europe_are_shown() -> None:
    assert "Zażółć gęślą jaźń Ελληνικά Кириллица" in text_of(
        pdf_of(page_of("Zażółć gęślą jaźń Ελληνικά Кириллица"))
    )


def test_letters_that_no_font_has_are_refused_and_not_left_out() -> None:
    with pytest.raises(BadInput, match=r"no letters for this PDF.*take another format"):
        pdf_of(page_of("北京"))


def test_text_is_no_markup() -> None:
    text = '#panic("no") *bold* $x$ \\ @label <tag> `raw` ]['
    assert text in text_of(pdf_of(page_of(text)))


def test_words_that_are_longer_than_their_column_are_broken_and_not_run_over() -> None:
    columns = (Column("one"), Column("two"), Column("three"), Column("four"))
    cells = tuple(Cell((letter * 64,)) for letter in "abcd")
    block = Table("hashes", columns, (cells,))
    found = reader(pdf_of(Page("en", "A letter", "", "", 0, (block,)))).pages[0].extract_text()
    assert "a" * 16 in found
    assert "a" * 64 not in found.splitlines()
