"""Channels that ask for heads of the log: when they are told, what they get, and that it is a head afterwards."""

import json
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from controller.cli.evidence.head_file import head_note
from controller.core.channels import Choice
from controller.core.head_messages import head_message, head_size
from controller.errors import BadInput
from controller.identity.files import StateDirectory
from controller.identity.notary import LogNotary
from controller.notify.webhook import payload
from controller.ports.custody import LOCAL, Act
from controller.ports.deliveries import Outcome
from controller.ports.issued import IssuedReport
from controller.ports.leaves import StoredCheckpoint
from controller.services.evidence.logbook import Logbook
from controller.services.notify.notify_heads import arrived_heads, told_sizes
from tests.fakes.storage import FakeStorage
from tests.unit.services.outbox_scene import SECOND, START, Scene, channel
from vedette.shared.checkpoint import parsed_checkpoint
from vedette.shared.note import opened_note

HOUR = 3600
HEADS: list[Choice] = ["log.head"]
FAILED = Outcome(error="no")


class Told(Scene):
    """A scene with a log."""

    def __init__(self, folder: Path, **every: str) -> None:
        self.notary = LogNotary(StateDirectory(folder), "example.net", lambda: START)
        ways = [channel(name, HEADS, every=said) for name, said in every.items()]
        super().__init__(*ways, channel("ops"), storage=FakeStorage(self.notary))
        self.book = Logbook(self.storage, self.notary, lambda: self.now_us)

    def head(self, *, sealed: bool = False) -> StoredCheckpoint:
        """Something is entered, a report perhaps, and the log is signed."""
        with self.storage.transaction() as tx:
            tx.record(Act(self.now_us, "anna", LOCAL, "fleet.apply", "f", "", LOCAL))
            if sealed:
                count = len(tx.issued_heads()) + 1
                tx.put_issued(IssuedReport("gold", f"2026-{count}", 1, 5, 5, "00", b"{}"))
        found = self.book.checkpoint()
        assert found is not None
        self.router.route()
        return found

    def arrived(self) -> list[tuple[str, int]]:
        return [(one.channel, one.size) for one in arrived_heads(self.storage)]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path, acme="1h", audit="1m")


def test_who_asks_is_told_at_once_and_then_so_often_at_most(told: Told) -> None:
    assert told.send() == []
    told.head()
    assert sorted(told.send()) == ["acme log.head", "audit log.head"]
    for minutes, expected in ((0, []), (1, ["audit log.head"]), (58, ["audit log.head"])):
        told.pass_seconds(minutes * 60)
        told.head()
        assert told.send() == expected
    told.now_us += 60 * SECOND
    last = told.head()
    assert sorted(told.send()) == ["acme log.head", "audit log.head"]
    assert told.arrived() == [("acme", last.size), ("audit", last.size)]


def test_a_log_that_did_not_grow_is_no_news(told: Told) -> None:
    told.head()
    told.send()
    told.pass_seconds(30 * HOUR)
    assert told.send() == []
    told.restart()
    told.pass_seconds(HOUR)
    assert told.send() == []


def test_a_report_that_was_sealed_is_told_without_waiting_and_once(told: Told) -> None:
    told.head()
    told.send()
    told.pass_seconds(5)
    told.head(sealed=True)
    assert sorted(told.send()) == ["acme log.head", "audit log.head"]
    told.pass_seconds(5)
    told.head()
    assert told.send() == []
    # Whatever ends between the two: it was looked for up to where it was told.
    told.restart()
    told.head(sealed=True)
    assert sorted(told.send()) == ["acme log.head", "audit log.head"]


def test_what_did_not_arrive_is_not_said_to_be_held(told: Told) -> None:
    first = told.head()
    told.send()
    told.pass_seconds(HOUR)
    second = told.head()
    for parcel in told.claim():
        is_acme = parcel.channel.id == "acme"
        told.outbox.settle({parcel.number: FAILED if is_acme else Outcome(is_delivered=True)})
    assert told.arrived() == [("acme", first.size), ("audit", second.size)]
    with told.storage.transaction() as tx:
        assert told_sizes(tx) == {first.size, second.size}


def test_heads_that_wait_behind_one_that_does_not_arrive_are_called_off(told: Told) -> None:
    for _ in range(4):
        told.head()
        for parcel in told.claim():
            told.outbox.settle({parcel.number: FAILED})
        told.now_us += HOUR * SECOND
    assert [one.state.value for one in told.deliveries(channel="acme")] == [
        "pending", "suppressed", "suppressed", "pending",
    ]  # fmt: skip


def test_the_message_holds_the_head_whole_and_is_one_afterwards(told: Told, tmp_path: Path) -> None:
    head = told.head()
    (parcel,) = [one for one in told.claim() if one.channel.id == "acme"]
    message = parcel.message
    assert (message.subject, head_size(message.key)) == ("log", head.size)
    assert head.note.decode() in message.text
    assert f"{head.size} leaves, signed at 2025-06-15T15:06:40" in message.text
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = message.title
    for cte in ("quoted-printable", "base64", "8bit"):
        mail.set_content(message.text, cte=cte)
        (tmp_path / f"{cte}.eml").write_bytes(bytes(mail))
    page = "<br/>".join(message.text.replace(" ", "&nbsp;").split("\n"))
    mail.set_content(f"<html><body>{page}</body></html>", subtype="html", cte="base64")
    (tmp_path / "html.eml").write_bytes(bytes(mail))
    quoted = "".join(f"> {line}\r\n" for line in message.text.split("\n"))
    (tmp_path / "quoted.txt").write_bytes(quoted.encode())
    (tmp_path / "body.json").write_bytes(payload(message))
    (tmp_path / "head").write_bytes(head.note)
    files = [one for one in tmp_path.iterdir() if one.is_file() and one.suffix != ".key"]
    assert len(files) == 7
    for one in files:
        assert head_note(one) == head.note, one
        text = opened_note(head_note(one), [told.notary.verifier])
        assert parsed_checkpoint(text, "example.net/log").size == head.size


@pytest.mark.parametrize(
    "data", [b"{}", b'{"data": {}}', b'{"data": 3}', b"[" * 9, b'{"note": 3}', b'{"a":' * 9999]
)
def test_a_file_without_a_head_is_refused_or_told_by_line(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    if data.startswith(b"{"):
        with pytest.raises(BadInput, match=r"data\.log\.checkpoint"):
            head_note(tmp_path / "file")
    else:
        assert head_note(tmp_path / "file") == data


def test_the_facts_are_those_of_the_head(told: Told) -> None:
    head = told.head()
    message = head_message(
        head.note, key=f"acme/log/{head.size}", at_us=5, signed_us=head.signed_us
    )
    facts = json.loads(payload(message))["data"]["log"]
    assert facts["checkpoint"].encode() == head.note
    assert (facts["origin"], facts["size"]) == ("example.net/log", head.size)
    assert facts["signed_us"] == START == 1_750_000_000 * SECOND
    assert head_size("acme/outage/3") is None
