"""The paper to the letter, with no outage and with hundreds, and in any language. After a wanted change: VEDETTE_GOLDEN=write."""

import io
import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest
from pypdf import PdfReader

from controller.core.bundle.manifest import sha256_hex
from controller.core.instants import instant
from controller.core.paper.facts import paper_facts
from controller.core.paper.gathering import BadPaper, Gathered
from controller.core.paper.heads import StampedBy
from controller.core.paper.ledger import CHECK
from controller.reporting.blocks import Listing, Picture, Verbatim, texts_of
from controller.reporting.catalogue import ENGLISH
from controller.reporting.paper.page import paper, paper_page
from controller.reporting.paper.telling import in_fours
from controller.reporting.rendering import Form
from tests.unit.reporting.paper_example import paper_example
from tests.unit.reporting.pseudo import PLAIN, PSEUDO
from tests.unit.reporting.test_catalogue import without_facts

GOLDEN = Path(__file__).parent / "golden" / "paper.txt"
# What stands in the bundle, and is the same in every language.
STANDS = re.compile(
    r"Jürgen|\bada\b|Zoë|operator|counterparty|Bagger & <Kabel>|unsere Logs sagen 45 min|ours\.csv|Größe & Söhne, Straße 1|Südnetz GmbH|MANIFEST\.note|claim\.note|[a-z]+/|\*\.tlog-proof|\w+\.(yaml|jsonl?)|annex\.txt"
    r"|example\.net/log|\b(fra|nyc|sin)-1\b|\bshop\b|9f31c2d0|zeitstempel|DOWN|UP\b|[0-9a-f]{4,64}|\b0\.1\.0\b"
    r"|RFC|Ed25519|SHA-256|sha256:?|\b\d+(\.\d+)?(ms|s|m|h)\b"
)


ROOT = re.compile(r"[A-Za-z0-9+/]{43}=")


@cache
def text(outages: int | None = None) -> str:
    return paper(paper_example(outages), Form.TEXT).decode()


def test_a_paper_to_the_letter() -> None:
    if os.environ.get("VEDETTE_GOLDEN") == "write":
        GOLDEN.write_text(text())
    assert text() == GOLDEN.read_text()


def test_its_last_page_is_a_certificate_with_the_hash_and_room_to_write() -> None:
    gathered = paper_example()
    digest = sha256_hex(gathered.read("MANIFEST.note"))
    pages = PdfReader(io.BytesIO(paper(gathered, Form.PDF))).pages
    last = pages[-1].extract_text().replace("\N{NO-BREAK SPACE}", " ")
    assert last.startswith("Certificate")
    assert all(line in last for line in in_fours(digest))
    for words in ("no legal advice", "902(13)", "No 910/2014", "Place and date", "Signature"):
        assert words in last
    for number, page in enumerate(pages, 1):
        assert digest in page.extract_text()
        assert f"{number} / {len(pages)}" in page.extract_text()


def test_no_outage_is_said_and_not_left_open() -> None:
    assert "No outage touches the period." in text(0)
    assert "When outages became known" not in text(0)
    assert "Votes at the beginning" not in text(0)


def test_hundreds_of_outages_are_all_listed_under_a_calendar() -> None:
    found = text(200)
    rows = [line for line in found.splitlines() if re.match(r"OUT-\d\d+ ", line)]
    # Each of them: when it was, when it was known, how it was voted.
    assert len(rows) == 3 * 200
    assert "Availability calendar" in found
    assert "Timeline with" not in found
    assert "fra: DOWN, nyc: DOWN, sin: UP" in found


@pytest.mark.parametrize("outages", [None, 0, 50])
def test_nothing_that_people_read_is_hard_coded(outages: int | None) -> None:
    page = paper_page(paper_facts(paper_example(outages, stamped=30)), PSEUDO)
    said = [page.title, page.subtitle, page.foot]
    for block in page.blocks:
        # Steps of a sum are a part of the document, as they were reckoned.
        is_sum = isinstance(block, Listing) and block.is_numbered
        # Keys, hashes and commands are the same in every language.
        said += (
            [block.caption] if isinstance(block, Verbatim) else [] if is_sum else texts_of(block)
        )
        if isinstance(block, Picture):
            said += re.findall(r">([^<]+)<", block.svg)
    own = [STANDS.sub("", without_facts(ROOT.sub("", one))) for one in said]
    assert not [one for one in own if set(one) & set(PLAIN)]


def test_it_says_when_a_head_was_stamped_by_the_authority_and_who_cosigned_it() -> None:
    facts = paper_facts(paper_example())
    at_us = instant("2026-03-29T12:00:00Z")
    names = tuple(f"witness-{number}" for number in range(7))
    stamped = [
        replace(one, stamps=(StampedBy("tsa", at_us),), witnesses=names) for one in facts.heads
    ]
    page = paper_page(replace(facts, heads=stamped), ENGLISH)
    said = [text for block in page.blocks for text in texts_of(block)]
    assert "tsa, 2026-03-29T12:00:00Z" in said
    assert {"stamped by tsa", "witness-4", "and 2 more"} <= set(said)
    assert not {"witness-5", "nothing in this bundle: no head was cosigned"} & set(said)


def test_lines_are_said_to_be_whole_only_where_they_are() -> None:
    facts = paper_facts(paper_example())
    words = "none between the first and the last seal is missing"
    for absent, more in ((facts.absent, " but those named above"), ((), "")):
        page = paper_page(replace(facts, absent=absent), ENGLISH)
        (said,) = [t for b in page.blocks for t in texts_of(b) if words in t]
        assert said.endswith(f"{words}{more}")


def test_rules_that_changed_within_the_time_are_told_of() -> None:
    facts = paper_facts(paper_example())
    changed = [
        replace(e, at_us=facts.claim.to_us - 1) if e.kind == CHECK else e for e in facts.entries
    ]
    words = "A check was changed after the time that this is about had begun."
    for entries, is_told in ((facts.entries, False), (changed, True)):
        page = paper_page(replace(facts, entries=entries), ENGLISH)
        assert any(words in t for b in page.blocks for t in texts_of(b)) is is_told


def test_whatever_the_files_say_a_paper_is_made_or_refused_in_a_sentence() -> None:
    good, chosen = paper_example(), Random(7)
    values = (b"0", b"-1", b"9" * 20, b"null", b'"x"', b"[]", b"{}", b"1e999", b"true", b"")
    made = 0
    said: list[str] = []
    for _ in range(120):
        name = chosen.choice(
            ["attainment.json", "timeline.json", "fleet.yaml", "claim.note", "config/20.note"]
        )
        data = good.read(name)
        spots = list(re.finditer(rb'\d+|"[^"]*"|[a-z]+', data))
        at = chosen.choice(spots)
        spoilt = data[: at.start()] + chosen.choice(values) + data[at.end() :]
        gathered = Gathered()
        for one in good.names():
            gathered.take(one, spoilt if one == name else good.read(one))
        try:
            paper(gathered, Form.HTML)
            made += 1
        except BadPaper as error:
            said.append(str(error))
    assert made
    assert said
    assert not [one for one in said if not one.endswith(".")]
