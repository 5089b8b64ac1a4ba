"""Texts: every one that is asked for is there, none stands anywhere else, and another language can follow."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.core.calendars import PeriodKind
from controller.core.sla.figures.applied import Status
from controller.core.sla.figures.burn import Course, Urgency
from controller.core.sla.figures.scoring import Standing
from controller.core.sla.figures.timers import TimerState
from controller.core.sla.figures.worst_windows import WINDOWS
from controller.core.sla.money.credits import Credits
from controller.core.sla.reports.report_document import decode_report
from controller.core.sla.terms.contracts import Amending, Denominator
from controller.core.sla.terms.exclusions import ExclusionType, Mode
from controller.errors import NotFound
from controller.reporting.blocks import Listing, Picture, texts_of
from controller.reporting.catalogue import CATALOGUES, ENGLISH, catalogue
from controller.reporting.story.page import pack_page, report_page
from controller.reporting.texts.en import TEXTS
from tests.unit.reporting.example import example_bytes
from tests.unit.reporting.pseudo import PLAIN, PSEUDO

PACKAGE = Path(__file__).parents[3] / "controller" / "reporting"
SENTENCE = re.compile(r"[A-Za-z]{3,} [a-z]{2,}")
PLACES = re.compile(r"\{(\w+)\}")
# A letter of the one party to the other is in the language of their contract: it has its own words as yet.
LETTER = "claim_letter.py"
# Styles of a terminal, what Typst says of letters, the policy of a page, and a command.
NOBODY_READS = {
    "bold red",
    "bold yellow",
    "could not be displayed",
    "vedette verify . --trust annex.txt --recompute",
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
}
# Words of the document itself, which are what they are in every language.
FACTS = re.compile(
    r"acme-gold|ACME web shop, gold|ACME GmbH|shop-home|Web shop|Europe/Warsaw|OUT-\d+|P[1-4]\b|Ada|Ben"
    r"|database upgrade|patch <urgent> & \| important|spring-upgrade|late-patch|http_status|timeout"
    r"|\bfra\b|\bnyc\b|\bsin\b|availability|office|answer-p1|EUR|P2M|2026-Q1|\d+[dhms]\b|\d{4}-\d\d-\d\dT[\d:.]+Z"
    r"|2026f|\bwarn\b|\blegal\b|UTC"
)


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent.name != "texts" and path.name != LETTER:
            yield path, ast.parse(path.read_text())


def docstrings(tree: ast.AST) -> set[int]:
    """The places of strings that are documentation, and of messages of errors."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(id(node.value))
        if isinstance(node, ast.Raise | ast.Assert):
            found |= {id(one) for one in ast.walk(node)}
    return found


def test_every_key_that_is_asked_for_is_there() -> None:
    missing: list[str] = []
    for path, tree in sources():
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
        for call in calls:
            name = getattr(call.func, "attr", "")
            key = call.args[0]
            if name == "say" and isinstance(key, ast.Constant) and key.value not in TEXTS:
                missing.append(f"{path.name}: {key.value!r}")
    assert not missing


def test_no_sentence_stands_outside_the_catalogue() -> None:
    said: list[str] = []
    for path, tree in sources():
        documented = docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                is_sentence = SENTENCE.search(node.value) and id(node) not in documented
                if is_sentence and node.value not in NOBODY_READS and "<" not in node.value:
                    said.append(f"{path.name}: {node.value!r}")
    assert not said


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("verdict", Standing),
        ("exclusion.status", Status),
        ("exclusion.type", ExclusionType),
        ("course", Course),
        ("urgency", Urgency),
        ("mode", Mode),
        ("clause.denominator", Denominator),
        ("clause.amendments", Amending),
        ("timer", TimerState),
        ("window", WINDOWS),
        ("period.kind", [kind for kind in PeriodKind if kind is not PeriodKind.ROLLING]),
        ("level", ["customer", "internal", "underpinning"]),
        ("policy", ["exclude", "as_up", "as_down"]),
    ],
)
def test_every_name_of_a_closed_set_has_its_word(prefix: str, names: list[str]) -> None:
    assert not [name for name in names if f"{prefix}.{name}" not in TEXTS]


def test_every_scheme_of_credits_has_its_word() -> None:
    schemes = [one for one in Credits.__struct_fields__ if f"scheme.{one}" in TEXTS]
    others = {"fee", "currency", "minimum", "cap", "year_cap", "claim_deadline"}
    assert set(Credits.__struct_fields__) - others == set(schemes)


def test_a_name_that_this_version_does_not_know_stands_as_it_is() -> None:
    assert ENGLISH.word("metric", "moon_phase") == "moon phase"


@pytest.mark.parametrize("language", list(CATALOGUES))
def test_a_language_has_every_text_with_the_same_places(language: str) -> None:
    def places(text: str | tuple[str, ...]) -> set[str]:
        return set(PLACES.findall(text if isinstance(text, str) else " ".join(text)))

    texts = CATALOGUES[language].texts
    assert set(texts) == set(TEXTS)
    assert not [key for key in TEXTS if places(texts[key]) != places(TEXTS[key])]


def test_a_language_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(NotFound, match=r"\(en\), found 'tlh'"):
        catalogue("tlh")


@pytest.mark.parametrize("as_of", ["2026-03-28T23:00:00Z", "2026-04-04T00:00:00Z"])
def test_nothing_that_people_read_is_hard_coded(as_of: str) -> None:
    documents = [decode_report(example_bytes(label, as_of)) for label in ("2026-Q1", "2026-03")]
    for page in (report_page(documents[1], PSEUDO), pack_page(documents, PSEUDO)):
        said = [page.title, page.subtitle, page.foot]
        for block in page.blocks:
            # Steps of a sum are a part of the document, as they were reckoned.
            is_sum = isinstance(block, Listing) and block.is_numbered
            said += [] if is_sum else texts_of(block)
            if isinstance(block, Picture):
                said += re.findall(r">([^<]+)<", block.svg)
        english = [text for text in map(without_facts, said) if set(text) & set(PLAIN)]
        assert not english


def without_facts(text: str) -> str:
    """What of a text comes from no fact: clauses as they were written, and why an exclusion had no effect."""
    is_clause = re.fullmatch(r"[a-z_.\[\]0-9]+|[a-z_0-9.%]+|always|Europe/Warsaw", text)
    is_reason = re.match(r"took |declared at ", text)
    return "" if is_clause or is_reason else FACTS.sub("", text)
