"""`vedette outage` against a controller that runs: pages, documents, remarks and refusals."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from controller.cli.main import cli
from controller.core.instants import instant_text
from controller.identity.roles import Role
from tests.integration.rpc.running import FLEET, Running, Site, connected, frame, line, now_us
from vedette.shared.result import Outcome, ResultLine, Trigger, encode_line

MILLISECOND = 1_000
_numbers = itertools.count()
LETTERS = {"U": "up", "D": "down"}


def vedette(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def document(*arguments: str) -> Any:
    return json.loads(vedette("outage", *arguments, "--json").stdout)


def login(controller: Running, role: Role) -> None:
    (controller.state.parent / "token").write_text(controller.token_of(role))
    result = vedette(
        "login", controller.people_address, "--ca", str(controller.state / "ca.pem"),
        "--token-file", str(controller.state.parent / "token"),
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr


@pytest.fixture
def logged_in(controller: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """The controller, with an admin's login here."""
    monkeypatch.setenv("VEDETTE_CONFIG", str(tmp_path / "config"))
    login(controller, Role.ADMIN)
    return controller


class Outage:
    """An outage that two sites see: two good results, three failures, two good ones; 1 ms apart."""

    def __init__(
        self, controller: Running, story: str = "UUDDDUU", other: str = "", scope: str = "global"
    ) -> None:
        self.controller = controller
        # A check of its own: outages of one would be glued together.
        self.check = f"c{next(_numbers)}"
        more = f"  - {{id: {self.check}, service: shop, every: 60s, timeout: 5s, tcp: {{host: x, port: 1}}}}"
        assert not controller.apply(FLEET + more.encode()).problems
        self.sites = [controller.enrol(controller.join_token(region)) for region in ("fra", "nyc")]
        self.start_us = now_us()  # what was before the fleet file was applied is not judged by it
        for site, letters in zip(self.sites, (story, other or story), strict=True):
            lines = [self.line(site, seq, LETTERS[letter]) for seq, letter in enumerate(letters, 1)]
            self.send(site, lines)
        listed = document("list", "--check", self.check, "--scope", scope)["outages"]
        self.handle = listed[0]["id"]

    def line(self, site: Site, seq: int, outcome: str, **more: Any) -> bytes:
        at_us = self.start_us + seq * MILLISECOND
        return line(site, seq, at_us=at_us, outcome=outcome, check=self.check, **more)

    def send(self, site: Site, lines: list[bytes], first_seq: int = 1) -> None:
        with connected(self.controller, site) as stream:
            stream.send(frame=frame(lines, first_seq=first_seq))
            stream.until("ack")


@pytest.fixture
def outage(logged_in: Running) -> Outage:
    return Outage(logged_in)


def test_an_outage_is_listed_and_shown(outage: Outage) -> None:
    listed = document("list")["outages"][0]
    assert (listed["check"], listed["service"], listed["severity"]) == (outage.check, "shop", "P2")
    assert listed["downtime_us"] == 3 * MILLISECOND
    assert listed["started_us"] == outage.start_us + 3 * MILLISECOND
    assert listed["retracted"] is None
    shown = vedette("outage", "show", outage.handle, "--tz", "Europe/Warsaw").stdout
    assert "Down for:    3ms (between" in shown
    assert "Severity:    P2" in shown
    assert "+0" in shown
    assert document("show", outage.handle)["outage"] == listed
    header, row = vedette("outage", "list").stdout.splitlines()[:2]
    assert header.split()[:3] == ["ID", "SEVERITY", "CHECK"]
    assert row.split()[:3] == [outage.handle, "P2", outage.check]


def test_an_outage_is_explained(outage: Outage) -> None:
    site = outage.sites[0]
    other = outage.line(site, 4, "up", trigger=Trigger.CONFIRM)
    outage.send(site, [other], first_seq=4)
    page = " ".join(vedette("outage", "explain", outage.handle).stdout.split())
    assert "The check is DOWN when more than half of the regions that report say so" in page
    assert "DOWN for 3ms 2 of 2 votes DOWN, 2 needed" in page
    assert "DOWN 3 failures in a row from" in page
    assert "counted from the first" in page
    assert "may have been down already: fra, nyc" in page
    assert "another line under the same number counts: an integrity alarm; asked to confirm" in page
    assert "How it came to be known" in page
    told = document("explain", outage.handle)
    assert {one["agent"] for one in told["samples"]} == {site.agent for site in outage.sites}
    both = [one for one in told["samples"] if one["agent"] == site.agent and one["seq"] == 4]
    assert [(one["outcome"], one["trigger"], one["overruled"]) for one in both] == [
        ("down", "schedule", False),
        ("up", "confirm", True),
    ]
    (down,) = [one for one in told["ballots"] if one["verdict"] == "DOWN"]
    assert (down["down"], down["voters"], down["needed"]) == (2, 2, 2)
    assert down["votes"] == {"fra": "DOWN", "nyc": "DOWN"}
    assert {one["confirmed_us"] for one in down["voices"]} == {outage.start_us + 4 * MILLISECOND}
    assert told["events"][0]["kind"] == "opened"


def test_s14_an_outage_of_one_region_is_told_of_and_listed_if_asked_for(
    logged_in: Running,
) -> None:
    outage = Outage(logged_in, "UUDDDUU", other="UUUUUUU", scope="regional")
    listed = vedette("outage", "list", "--check", outage.check).stdout
    assert outage.handle not in listed
    assert "1 outage of a single region is not shown: --scope all" in listed
    every = vedette("outage", "list", "--check", outage.check, "--scope", "all").stdout
    assert f"{outage.handle} " in every
    assert "fra alone" in every
    assert "not shown" not in every
    shown = vedette("outage", "show", outage.handle).stdout
    assert "Scope:       the region fra alone" in shown
    one = document("show", outage.handle)["outage"]
    assert (one["scope"], one["region"], one["severity"]) == ("regional", "fra", "P3")


def test_the_history_says_when_what_was_learnt_and_by_which_line(outage: Outage) -> None:
    told = document("history", outage.handle)
    assert [one["kind"] for one in told["events"]] == ["opened", "confirmed", "closed"]
    opened = told["events"][0]
    assert opened["cause"] == "lines"
    assert {one["agent"] for one in opened["lines"]} == {outage.sites[1].agent}
    assert opened["line_count"] == 7
    page = vedette("outage", "history", outage.handle).stdout
    assert "1. " in page
    assert "Opened: down in fra, nyc." in page
    assert "Closed after 3ms of downtime." in page
    assert "7 lines came." in page


def test_s21_an_outage_is_shown_as_it_was_known(logged_in: Running) -> None:
    outage = Outage(logged_in, "UUDDD")
    known_us = document("show", outage.handle)["outage"]["told_us"]
    for site in outage.sites:
        outage.send(site, [outage.line(site, seq, "up") for seq in (6, 7)], first_seq=6)
    assert document("show", outage.handle)["outage"]["ended_us"] is not None
    as_of = ("--as-of", str(known_us))
    then = document("show", outage.handle, *as_of)["outage"]
    assert (then["ended_us"], then["revision"]) == (None, 2)
    (listed,) = [o for o in document("list", *as_of)["outages"] if o["id"] == outage.handle]
    assert listed == then
    page = vedette("outage", "show", outage.handle, *as_of).stdout
    assert f"As of:       {instant_text(known_us)}: as it was known then" in page
    before = vedette("outage", "show", outage.handle, "--as-of", str(known_us - 60_000_000))
    assert before.exit_code == 2
    assert f"{outage.handle} was not known at" in before.stderr


def test_what_late_results_undo_is_shown_as_retracted(logged_in: Running) -> None:
    outage = Outage(logged_in)
    assert vedette("outage", "ack", outage.handle).exit_code == 0
    site = outage.sites[0]
    # Before and after it the anchors answered, and during it they did not.
    rounds = [
        encode_line(
            ResultLine(
                agent=site.agent, epoch="e1", stream="shop", seq=seq, check="@anchors",
                region=site.region, at=outage.start_us + at * MILLISECOND, outcome=Outcome.UP,
                ok=ok, total=4,
            )
        )
        for seq, (at, ok) in enumerate(((1, 4), (3, 0), (8, 4)), 8)
    ]  # fmt: skip
    outage.send(site, rounds, first_seq=8)
    assert outage.handle not in vedette("outage", "list", "--check", outage.check).stdout
    view = document("show", outage.handle)["outage"]
    assert view["retracted"] == {"at_us": view["told_us"], "absorbed_by": None}
    shown = vedette("outage", "show", outage.handle).stdout
    assert "Retracted:" in shown
    assert "(the result that completed the vote at its start)" in shown
    assert "by what was known then, there was no such outage. It was last known as:" in shown
    assert "acknowledged" in shown, "what was said of it stays"
    last = document("history", outage.handle)["events"][-1]
    assert last["kind"] == "retracted"
    assert {one["said"] for one in last["lines"]} == {"0 of 4 anchors", "4 of 4 anchors"}
    page = " ".join(vedette("outage", "explain", outage.handle).stdout.split())
    assert "0 of 4 anchors answered" in page
    assert "so that nothing is bounded" in page
    assert vedette("outage", "annotate", outage.handle, "the site was cut off").exit_code == 0


def test_remarks_stand_in_both_ledgers(outage: Outage, logged_in: Running) -> None:
    said = vedette("outage", "ack", outage.handle, "--note", "on it")
    assert said.stdout == f"admin has acknowledged {outage.handle}.\n"
    short = vedette("outage", "ack", outage.handle.removeprefix("OUT-"))
    assert short.stdout == said.stdout, "a number is a handle, too"
    noted = document("annotate", outage.handle, "a cable was cut\nsee ticket 7")["remark"]
    assert (noted["kind"], noted["who"], noted["role"]) == ("annotation", "admin", "admin")
    assert noted["peer"].startswith("ipv4:127.0.0.1:")
    shown = vedette("outage", "show", outage.handle).stdout
    assert "admin (admin) acknowledged: on it" in shown
    assert "admin (admin) noted: a cable was cut\n" in shown
    assert "see ticket 7" in shown
    assert "acked by admin, 1 note" in vedette("outage", "list").stdout
    assert "a cable was cut" in vedette("outage", "history", outage.handle).stdout
    remarks = document("explain", outage.handle)["outage"]["remarks"]
    assert [one["kind"] for one in remarks] == ["ack", "ack", "annotation"]
    acts = json.loads(vedette("audit", "list", "--json").stdout)["acts"]
    own = [(a["action"], a["detail"]) for a in acts if a["subject"] == outage.handle]
    assert own == [
        ("outage.annotate", "a cable was cut\nsee ticket 7"),
        ("outage.ack", ""),
        ("outage.ack", "on it"),
    ]


def test_s47_clocks_are_paused_and_resumed(logged_in: Running) -> None:
    outage = Outage(logged_in, "UUDDD")
    early = vedette("outage", "resume", outage.handle)
    assert (early.exit_code, f"{outage.handle} is not paused" in early.stderr) == (3, True)
    assert vedette("outage", "pause", outage.handle).exit_code == 2, "a reason is needed"
    said = vedette("outage", "pause", outage.handle, "--reason", "waiting for a part")
    assert said.stdout == f"admin has paused {outage.handle}.\n"
    shown = vedette("outage", "show", outage.handle).stdout
    assert "admin (admin) paused: waiting for a part" in shown
    assert "paused" in vedette("outage", "list", "--check", outage.check).stdout
    again = vedette("outage", "pause", outage.handle, "--reason", "twice")
    assert f"{outage.handle} is paused already" in again.stderr
    at_us = document("show", outage.handle)["outage"]["remarks"][0]["at_us"]
    document("resume", outage.handle, "--at", str(at_us))
    kinds = [
        (r["kind"], r["from_us"]) for r in document("show", outage.handle)["outage"]["remarks"]
    ]
    assert kinds == [("pause", None), ("resume", at_us)]
    assert "later)" in vedette("outage", "show", outage.handle).stdout, "both instants are told"
    acts = json.loads(vedette("audit", "list", "--json").stdout)["acts"]
    own = [a["action"] for a in acts if a["subject"] == outage.handle]
    assert own == ["outage.resume", "outage.pause"]


def test_s47_the_clocks_of_what_is_over_are_not_paused(outage: Outage) -> None:
    refused = vedette("outage", "pause", outage.handle, "--reason", "x")
    assert (refused.exit_code, f"{outage.handle} is over since" in refused.stderr) == (3, True)


def test_auditors_read_and_say_nothing(outage: Outage, logged_in: Running) -> None:
    login(logged_in, Role.AUDITOR)
    for command in ("show", "history", "explain"):
        assert vedette("outage", command, outage.handle).exit_code == 0
    for arguments in (
        ("ack", outage.handle),
        ("annotate", outage.handle, "x"),
        ("pause", outage.handle, "--reason", "x"),
        ("resume", outage.handle),
    ):
        result = vedette("outage", *arguments)
        assert result.exit_code == 3
        assert "auditor" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "OUT-999"), "There is no outage OUT-999, and there never was one."),
        (("show", "12x"), "Expected the handle of an outage such as OUT-12, found '12x'."),
        (("history", "OUT-999"), "There is no outage OUT-999, and there never was one."),
        (("explain", "OUT-999"), "There is no outage OUT-999, and there never was one."),
        (("ack", "OUT-999"), "There is no outage OUT-999, and there never was one."),
        (("annotate", "OUT-999", "x"), "There is no outage OUT-999, and there never was one."),
        (("annotate", "OUT-1", "  "), "Expected a text of 1 to 2000 characters, found none."),
        (("annotate", "OUT-1", "x" * 2001), "Expected at most 2000 characters, found 2001"),
        (("annotate", "OUT-1", "\x1b[2J"), "Expected printable characters, found '\\x1b'"),
        (("show", "OUT-1", "--as-of", "yesterday"), "expected an instant"),
        (("list", "--check", "nothing"), "There is no check 'nothing'"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    logged_in: Running, arguments: tuple[str, ...], sentence: str
) -> None:
    logged_in.apply(FLEET)
    result = vedette("outage", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr
