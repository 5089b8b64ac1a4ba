"""What was entered when: exclusions and files, by their places in the log, against outages and seals."""

import json
from typing import Any

import pytest

from controller.core.bundle.entries import entry_statements
from controller.core.bundle.statements import Broken, Holds
from controller.core.bundle.timestamps import Stamped
from controller.core.bundle.verify import opened_claim
from tests.unit.core.bundle.made import LOG_KEY_OF, ORIGIN, Files, log_note, made, raw
from vedette.shared.note import Verifier

SECOND = 1_000_000
GOOD = made()
CLAIM = opened_claim(GOOD, Verifier(ORIGIN, raw(LOG_KEY_OF)))


def leaf(of: str, subject: str, at_us: int, body: dict[str, Any] | None, **data: object) -> bytes:
    said = {**data, "body": "" if body is None else json.dumps(body)}
    text = f"vedette.{of}/v1\ntime {at_us}\nsubject {json.dumps(subject)}\n"
    return log_note(f"{text}data {json.dumps(said, separators=(',', ':'))}\n")


def outage(handle: str, started: int, ended: int | None) -> bytes:
    end = None if ended is None else ended * SECOND
    return leaf("outage", handle, 50, {"started_us": started * SECOND, "ended_us": end})


def exclusion(name: str, at: int, *span: int, kind: str = "declared") -> bytes:
    body = {"from": span[0] * SECOND, "to": span[1] * SECOND} if span else None
    return leaf("exclusion", name, at * SECOND, body, kind=kind)


def said(notes: dict[int, bytes], *stamped: Stamped) -> list[str]:
    """The sentences on these leaves, and on no other."""
    held = {f"config/{index}.note": note for index, note in notes.items()}
    files = {name: data for name, data in GOOD.files.items() if not name.startswith("config/")}
    found = list(entry_statements(Files({**files, **held}), CLAIM, stamped))
    assert all(one.holds is Holds.PASS for one in found)
    return [one.text for one in found]


def test_an_exclusion_that_was_declared_after_the_outage_is_seen_to_be() -> None:
    notes = {640: outage("OUT-3", 100, 200), 812: exclusion("maint-7", 300, 90, 210)}
    (told,) = said(notes)
    assert told == (
        "Exclusion maint-7 is leaf 812, entered 1970-01-01T00:05:00Z, after the time that it covers was over,"
        " after outage OUT-3 (leaf 640), after the last seal (leaf 6)."
    )


def test_one_that_was_there_before_is_before_it_and_existed_when_others_say() -> None:
    notes = {
        5: exclusion("maint-7", 10, 90, 210),
        640: outage("OUT-3", 100, None),
        641: outage("OUT-4", 400, 500),
    }
    stamps = (
        Stamped(5, "early", 1),
        Stamped(6, "tsa", 30 * SECOND),
        Stamped(9, "tsa", SECOND * 40),
    )
    (told,) = said(notes, *stamps)
    assert told == (
        "Exclusion maint-7 is leaf 5, entered 1970-01-01T00:00:10Z (not after 1970-01-01T00:00:30Z, by tsa), before"
        " the time that it covers began, before outage OUT-3 (leaf 640)."
    )


def test_what_became_of_it_later_is_said_and_many_outages_are_counted() -> None:
    notes = {
        4: exclusion("ex-1", 150, 90, 210),
        5: exclusion("ex-1", 160, kind="approved"),
        6: exclusion("ex-1", 170, kind="withdrawn"),
        **{10 + n: outage(f"OUT-{n}", 100 + n, 200) for n in range(4)},
        2: outage("OUT-8", 100, 200),
        3: outage("OUT-9", 100, 200),
    }
    (told,) = said(notes)
    assert told == (
        "Exclusion ex-1 is leaf 4, entered 1970-01-01T00:02:30Z, during the time that it covers, after outages OUT-8"
        " (leaf 2) and OUT-9 (leaf 3), before 4 outages, approved as leaf 5, withdrawn as leaf 6."
    )


def test_a_file_is_set_against_the_period_and_every_outage() -> None:
    fleet = leaf("fleet", "2", 1001, None)
    notes = {3: fleet, 7: outage("OUT-1", 0, 1)}
    (told,) = said(notes)
    assert told == (
        "Fleet file 2 (rules and terms) is leaf 3, entered 1970-01-01T00:00:00.001001Z, after the period was over,"
        " before outage OUT-1 (leaf 7)."
    )


def test_an_exclusion_of_a_file_says_no_time_and_is_set_against_all() -> None:
    notes = {3: exclusion("in-file\x1b", 1, kind="approved"), 7: outage("OUT-1", 10, 20)}
    (told,) = said(notes)
    assert told.startswith(
        r"Exclusion 'in-file\x1b' is leaf 3, entered 1970-01-01T00:00:01Z, before outage OUT-1"
    )


@pytest.mark.parametrize(
    "note",
    [
        log_note('vedette.exclusion/v1\ntime 1\nsubject "x"\ndata {"a":}\n'),
        log_note('vedette.exclusion/v1\ntime 9999999999999999999\nsubject "x"\ndata {}\n'),
        log_note("vedette.exclusion/v1\ntime 1\n"),
    ],
    ids=["no JSON", "no time that there is", "cut"],
)
def test_a_leaf_that_cannot_be_read_is_named(note: bytes) -> None:
    with pytest.raises(Broken, match=r"config/3\.note: "):
        said({3: note})
