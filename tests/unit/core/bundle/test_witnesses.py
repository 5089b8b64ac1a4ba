"""Cosigned heads in a bundle: whose word counts, whose does not, and what is no word of theirs."""

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.core.bundle.statements import Holds, Statement, exit_code
from controller.core.bundle.verify import statements
from tests.unit.core.bundle.made import ANNEX, HEADS, ORGANISATION, made, raw
from vedette.shared.limits import NOTE_SIGNATURES_MAX
from vedette.shared.note import cosignature

NAME = f"{ORGANISATION}/witness/acme-1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes([9] * 32))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([8] * 32))
TRUSTING = replace(ANNEX, witnesses={NAME: raw(KEY)})
JUNE = 1_780_315_200  # 2026-06-01T12:00:00Z
LAST = HEADS[-1]
Change = Callable[[dict[str, bytes]], None]


def cosigned(
    size: int = LAST, at_s: int = JUNE, name: str = NAME, key: Ed25519PrivateKey = KEY
) -> Change:
    """With a cosignature under a head, wherever that stands."""

    def change(files: dict[str, bytes]) -> None:
        head = files[f"checkpoints/{size}"]
        text = head[: head.rindex(b"\n\n") + 1]
        append(files, size, cosignature(text, name, key, at_s))

    return change


def append(files: dict[str, bytes], size: int, line: bytes) -> None:
    head = files[f"checkpoints/{size}"]
    for name, content in files.items():
        files[name] = content.replace(head, head + line)


def both(one: Change, other: Change) -> Change:
    def change(files: dict[str, bytes]) -> None:
        one(files)
        other(files)

    return change


def found(change: Change, annex: object = TRUSTING) -> list[Statement]:
    return list(statements(made(change=change), annex))  # type: ignore[arg-type]  # an annex


def about(name: str, among: list[Statement]) -> list[str]:
    return [str(one) for one in among if name in one.text]


def test_a_witness_of_the_annex_says_how_much_it_saw_and_when() -> None:
    told = found(cosigned())
    assert exit_code(told) == 0
    assert about(NAME, told) == [
        f"PASS         Witness {NAME} saw the first 9 leaves at 2026-06-01T12:00:00Z."
    ]


def test_who_runs_a_witness_is_said_where_the_annex_says_it() -> None:
    known = replace(TRUSTING, run_by={"acme-1": "acme"})
    (said,) = about(NAME, found(cosigned(), known))
    assert f"Witness {NAME}, run by acme, saw the first 9 leaves" in said


def test_of_several_heads_the_first_shows_how_early_and_the_last_how_much() -> None:
    told = found(both(cosigned(), cosigned(HEADS[0], JUNE - 86_400)))
    (said,) = about(NAME, told)
    assert said.endswith(
        "saw the first 9 leaves at 2026-06-01T12:00:00Z, and the first 3 of them at 2026-05-31T12:00:00Z."
    )


def test_who_signed_twice_saw_it_when_they_signed_first() -> None:
    told = found(both(cosigned(), cosigned(at_s=JUNE - 3600)))
    assert about(NAME, told)[0].endswith("at 2026-06-01T11:00:00Z.")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(cosigned(name=f"{ORGANISATION}/witness/else"), id="another name"),
        pytest.param(cosigned(key=OTHER), id="another key of that name"),
    ],
)
def test_a_witness_that_the_annex_does_not_have_is_named_and_counts_nowhere(change: Change) -> None:
    told = found(change)
    assert exit_code(told) == 0
    strangers = [one for one in told if "no such key of a witness" in one.text]
    assert [one.holds for one in strangers] == [Holds.NOT_CHECKED]


def test_that_a_witness_of_the_annex_said_nothing_is_said() -> None:
    (said,) = about(NAME, found(lambda files: None))
    assert said.startswith("NOT CHECKED")
    assert "signed no head" in said
    assert not about("Witness", found(lambda files: None, ANNEX))


def forged(files: dict[str, bytes]) -> None:
    """The line of another head under this one."""
    head = files[f"checkpoints/{HEADS[0]}"]
    text = head[: head.rindex(b"\n\n") + 1]
    append(files, LAST, cosignature(text, NAME, KEY, JUNE))


def never(files: dict[str, bytes]) -> None:
    """A line in its name whose time was put back."""
    cosigned()(files)
    head = files[f"checkpoints/{LAST}"]
    line = head.splitlines()[-1].decode()
    name, blob = line.rsplit(" ", 1)
    raw_blob = bytearray(base64.b64decode(blob))
    raw_blob[11] ^= 1
    other = f"{name} {base64.b64encode(bytes(raw_blob)).decode()}"
    for place, content in files.items():
        files[place] = content.replace(line.encode(), other.encode())


@pytest.mark.parametrize("change", [forged, never])
def test_a_known_witness_whose_signature_fails_makes_the_bundle_invalid(change: Change) -> None:
    told = found(change)
    assert exit_code(told) == 1
    assert told[-1].text == f"checkpoints/{LAST}: the signature of {NAME} does not verify."


def test_more_signatures_than_a_note_holds_are_refused() -> None:
    def many(files: dict[str, bytes]) -> None:
        for n in range(NOTE_SIGNATURES_MAX):
            cosigned(name=f"{NAME}-{n}")(files)

    assert exit_code(found(many)) == 1
