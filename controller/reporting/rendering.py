"""Report documents as people ask for them: a form, a language, one report or a pack of several."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from controller.core.sla.reports.report_document import decode_report
from controller.reporting.blocks import Page
from controller.reporting.catalogue import ENGLISH, Catalogue
from controller.reporting.forms.html import html_of
from controller.reporting.forms.pdf import pdf_of
from controller.reporting.forms.rows import outages_csv, records_csv
from controller.reporting.forms.text import WIDTH, text_of
from controller.reporting.story.context import Issue
from controller.reporting.story.page import Key, pack_page, report_page


class Form(StrEnum):
    """What a report is given as."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    OUTAGES_CSV = "outages-csv"
    HTML = "html"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a report is told. `issues` is how documents were issued, by contract and period.

    `width` and `is_coloured` are for text, `fonts` (a folder) is for letters that a PDF lacks.
    """

    texts: Catalogue = ENGLISH
    issues: Mapping[Key, Issue] = field(default_factory=dict)
    width: int = WIDTH
    is_coloured: bool = False
    fonts: Path | None = None


def rendered(documents: Sequence[bytes], form: Form, manner: Manner | None = None) -> bytes:
    """Report documents in a form. At least one; of several a pack is made, in the order given.

    ValueError if a document is none. BadInput if a PDF needs letters that no font at hand has.
    """
    told = manner or Manner()
    if form is Form.JSON:
        return _json(documents)
    reports = [decode_report(one) for one in documents]
    match form:
        case Form.CSV:
            return records_csv(reports).encode()
        case Form.OUTAGES_CSV:
            return outages_csv(reports).encode()
        case Form.TEXT | Form.HTML | Form.PDF:
            if len(reports) > 1:
                return paged(pack_page(reports, told.texts, told.issues), form, told)
            (report,) = reports
            issue = told.issues.get((report.contract.id, report.period.label))
            return paged(report_page(report, told.texts, issue), form, told)
        case _:
            assert_never(form)


def paged(page: Page, form: Form, manner: Manner | None = None) -> bytes:
    """A page of blocks (a report, a letter) as text, HTML or PDF. ValueError for another form."""
    told = manner or Manner()
    if form is Form.TEXT:
        return text_of(page, width=told.width, is_coloured=told.is_coloured).encode()
    if form is Form.HTML:
        return html_of(page).encode()
    if form is Form.PDF:
        return pdf_of(page, told.fonts)
    raise ValueError(f"expected text, html or pdf, found {form}")


def _json(documents: Sequence[bytes]) -> bytes:
    """One document as it is, byte for byte; several as a list."""
    if len(documents) == 1:
        return documents[0]
    head = json.dumps({"version": 1, "kind": "sla-pack"})[:-1]
    return head.encode() + b', "reports": [' + b",".join(d.strip() for d in documents) + b"]}\n"
