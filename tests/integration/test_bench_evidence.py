"""What `make bench-evidence` measures is real: a part of its month is handed over, and verified by its streams."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from controller.cli.evidence import verify_spread
from controller.cli.evidence.bundle_files import opened_bundle
from controller.cli.evidence.bundle_writing import write_bundle
from controller.cli.evidence.verify_spread import spread
from controller.core.bundle.annex import parsed_annex
from controller.core.bundle.claim_note import Sealed
from controller.core.bundle.layout import Stream
from controller.core.bundle.statements import Broken, exit_code
from controller.core.bundle.streams import Account
from controller.core.bundle.verify import statements
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.local import initialise
from controller.ports.custody import Actor
from controller.services.bundling.bundle import Bundles
from controller.services.contracts.terms import Terms
from controller.services.evidence.logbook import Logbook
from controller.services.timeline.evaluate import Evaluator
from controller.storage.database import open_storage
from tests.bench.evidence.month import CONTRACT, put_month

MINUTES = 20


def now_us() -> int:
    return time.time_ns() // 1000


def test_a_part_of_the_month_is_handed_over_and_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, bundle = tmp_path / "controller", tmp_path / "bundle"
    initialise(
        state=state, database_url=None, names=["127.0.0.1"], organisation="vedette", root_key=None
    )
    made = put_month(state, MINUTES)
    # From two hours before the month to two hours after its part: three agents, five checks, three rounds a minute.
    assert (made.results, made.rounds, made.seals) == (260 * 15, 260 * 9, 260 * 6)
    directory = StateDirectory(state)
    notary = LogNotary(directory, "vedette", now_us)
    storage = open_storage(directory.database_url, is_new=False, notary=notary)
    try:
        evaluator, logbook = Evaluator(storage), Logbook(storage, notary, now_us)
        service = Bundles(storage, evaluator, Terms(), logbook, notary, now_us, lambda: ())
        annex = parsed_annex(service.annex())
        parts = service.of_period(CONTRACT, made.label, Actor("ada"))
        write_bundle(bundle, ((one.name, None if one.is_joined else one.content) for one in parts))
    finally:
        storage.close()
    monkeypatch.setattr(verify_spread, "_SEALS_MIN", 1)
    with opened_bundle(bundle) as files:
        found = list(statements(files, annex, spread=spread))
        assert exit_code(found) == 0, found
        assert len([one for one in found if "seals without a gap" in one.text]) == 6


def test_what_is_found_in_another_process_is_told_in_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verify_spread, "_SEALS_MIN", 1)
    here = os.getpid()
    runs = [[Sealed(Stream("fra-1", "e1", name), 1, 9, "", "")] for name in ("one", "shop", "two")]

    def work(own: Sequence[Sealed]) -> Account:
        if own[0].stream.stream == "shop":
            raise Broken(f"in another process: {os.getpid() != here}")
        return Account(own[0].stream, 9, os.getpid(), 0, 0)

    told = iter(spread(work, runs))
    assert next(told).stream.stream == "one"
    with pytest.raises(Broken, match="in another process: True"):
        list(told)
