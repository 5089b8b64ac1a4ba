"""Timestamps of authorities outside in a bundle: what both verifiers take, leave, and refuse."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from controller.core.bundle.annex import parsed_annex
from controller.core.bundle.statements import Statement, exit_code
from controller.core.bundle.verify import statements
from controller.identity.timestamping import Authority
from controller.ports.leaves import StoredCheckpoint, StoredTimestamp
from controller.services.bundling.annex import Known, annex_text
from controller.services.bundling.heads import stamp_files
from tests.fakes.timestamp_authority import LocalAuthority, without_version
from tests.unit.cli.test_verify import ANNEX, by_shell, with_script
from tests.unit.core.bundle.made import LOG_KEY_OF, ORIGIN, Files, made, raw
from vedette.shared.note import Verifier

SIZE = 6
AT = f"timestamps/{SIZE}.tsa"
Change = Callable[[dict[str, bytes]], None]


class Stamped:
    """An authority, and what it says of heads: as it was asked."""

    def __init__(self, folder: Path) -> None:
        self.authority = LocalAuthority(folder)
        root = x509.load_pem_x509_certificate(self.authority.root_pem)
        self.pem = root.public_bytes(Encoding.PEM)
        self.line = f"authority tsa sha256:{sha256(root.public_bytes(Encoding.DER)).hexdigest()}\n"
        heads = made().files
        self.query, self.reply = self.asked(heads[f"checkpoints/{SIZE}"])
        self.other_query, self.other_reply = self.asked(heads["checkpoints/9"])

    def asked(self, data: bytes) -> tuple[bytes, bytes]:
        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        query = request.as_bytes()
        return query, self.authority.reply(query)

    def put(self, held: dict[str, bytes]) -> None:
        held |= {f"{AT}.tsq": self.query, f"{AT}.tsr": self.reply, f"{AT}.pem": self.pem}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Stamped:
    return Stamped(tmp_path_factory.mktemp("honest") / "authority")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Stamped:
    return Stamped(tmp_path_factory.mktemp("stranger") / "authority")


def bundle_with(*changes: Change) -> Files:
    """Signed by an insider who did all of this before."""

    def change(held: dict[str, bytes]) -> None:
        for one in changes:
            one(held)

    return made(change=with_script(change))


def by_both(bundle: Files, annex: str, folder: Path) -> tuple[int, list[Statement], str]:
    """What both say: one exit code, or they do not agree."""
    (folder / "annex.txt").write_text(annex)
    found = list(statements(bundle, parsed_annex(annex)))
    code, said = by_shell(bundle, folder)
    assert code == exit_code(found), (said, found)
    return code, found, said


def test_a_timestamp_under_the_root_of_the_annex_says_since_when(
    honest: Stamped, tmp_path: Path
) -> None:
    code, found, said = by_both(bundle_with(honest.put), ANNEX + honest.line, tmp_path)
    assert code == 0
    (told,) = [str(one) for one in found if "existed at" in one.text]
    assert told.startswith(f"PASS         The first {SIZE} leaves existed at 20")
    assert told.endswith("according to CN=Root (tsa).")
    assert f"PASS the first {SIZE} leaves existed at 20" in said
    (left,) = [one.text for one in found if "rewritten" in one.text]
    assert left.startswith(f"What was entered after the first {SIZE} of 9 leaves (20")


def test_several_timestamps_of_an_authority_are_told_in_one_sentence(
    honest: Stamped, tmp_path: Path
) -> None:
    def later(held: dict[str, bytes]) -> None:
        pair = {"tsq": honest.other_query, "tsr": honest.other_reply, "pem": honest.pem}
        held |= {f"timestamps/9.tsa.{kind}": data for kind, data in pair.items()}

    code, found, said = by_both(bundle_with(honest.put, later), ANNEX + honest.line, tmp_path)
    assert code == 0
    (told,) = [one.text for one in found if "existed at" in one.text]
    assert told.startswith("The first 9 leaves existed at 20")
    assert f"and the first {SIZE} of them at 20" in told
    assert told.endswith("; 2 timestamps in all.")
    assert "PASS the first 9 leaves existed at 20" in said
    assert "according to tsa (timestamps: 2)" in said


def test_a_root_that_the_annex_does_not_name_counts_for_nothing(
    honest: Stamped, stranger: Stamped, tmp_path: Path
) -> None:
    for annex in (ANNEX + stranger.line, ANNEX + honest.line.replace("tsa", "other")):
        code, found, said = by_both(bundle_with(honest.put), annex, tmp_path)
        assert code == 0
        (told,) = [str(one) for one in found if "existed when" in one.text]
        assert told.startswith("NOT CHECKED")
        assert "is not in the annex" in told
        assert f"NOT CHECKED {AT}.tsr" in said
        assert any("all of them could have been rewritten" in one.text for one in found)


def test_what_was_stamped_under_a_root_that_is_pinned_no_more_is_not_checked(
    honest: Stamped, tmp_path: Path
) -> None:
    def unpinned(held: dict[str, bytes]) -> None:
        del held[f"{AT}.pem"]

    bundle = bundle_with(honest.put, unpinned)
    code, found, said = by_both(bundle, ANNEX + honest.line, tmp_path)
    assert code == 0
    assert any("has no root certificate" in one.text for one in found)
    assert f"NOT CHECKED {AT}.tsr" in said


def replaced(kind: str, value: Callable[[Stamped, Stamped], bytes | None]) -> object:
    return pytest.param(kind, value, id=f"{kind}: {value.__name__}")


def strangers(_: Stamped, stranger: Stamped) -> bytes:
    return stranger.reply


def of_another_head(honest: Stamped, _: Stamped) -> bytes:
    return honest.other_reply


def about_another_head(honest: Stamped, _: Stamped) -> bytes:
    return honest.other_query


def another_nonce(honest: Stamped, _: Stamped) -> bytes:
    return honest.asked(made().files[f"checkpoints/{SIZE}"])[0]


def missing(_: Stamped, __: Stamped) -> None:
    return None


def longer(honest: Stamped, _: Stamped) -> bytes:
    return honest.reply + b"\n"


def longer_query(honest: Stamped, _: Stamped) -> bytes:
    return honest.query + b"\n"


def granted_with_changes(honest: Stamped, _: Stamped) -> bytes:
    return honest.reply[:8] + b"\x01" + honest.reply[9:]


def another_certificate_wish(honest: Stamped, _: Stamped) -> bytes:
    return honest.query[:-1] + b"\xfe"


def another_version(honest: Stamped, _: Stamped) -> bytes:
    return honest.query[:4] + b"\x81" + honest.query[5:]


def flipped(honest: Stamped, _: Stamped) -> bytes:
    return honest.reply[:-1] + bytes([honest.reply[-1] ^ 1])


def flipped_query(honest: Stamped, _: Stamped) -> bytes:
    return honest.query[:40] + bytes([honest.query[40] ^ 1]) + honest.query[41:]


def two_roots(honest: Stamped, stranger: Stamped) -> bytes:
    return honest.pem + stranger.pem


def of_no_version(honest: Stamped, _: Stamped) -> bytes:
    return without_version(honest.pem)


def with_a_certificate_of_no_version(honest: Stamped, _: Stamped) -> bytes:
    return honest.reply.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020105"))


def no_text(_: Stamped, __: Stamped) -> bytes:
    return b"\xff"


# What OpenSSL cannot but refuse: the script is not asked again.
PLAIN = (with_a_certificate_of_no_version, flipped, flipped_query, about_another_head, no_text)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        replaced("tsr", strangers), replaced("tsr", of_another_head), replaced("tsr", longer),
        replaced("tsr", flipped), replaced("tsr", granted_with_changes), replaced("tsr", no_text),
        replaced("tsr", missing), replaced("tsq", about_another_head), replaced("tsq", missing),
        replaced("tsq", another_nonce), replaced("tsq", longer_query),
        replaced("tsq", flipped_query), replaced("tsq", another_version),
        replaced("tsq", another_certificate_wish), replaced("tsq", no_text),
        replaced("pem", of_no_version), replaced("tsr", with_a_certificate_of_no_version),
        replaced("pem", two_roots), replaced("pem", no_text),
    ],
)  # fmt: skip
def test_what_is_forged_both_refuse_by_name(
    honest: Stamped,
    stranger: Stamped,
    tmp_path: Path,
    kind: str,
    value: Callable[[Stamped, Stamped], bytes | None],
) -> None:
    def change(held: dict[str, bytes]) -> None:
        made_up = value(honest, stranger)
        if made_up is None:
            held.pop(f"{AT}.{kind}")
        else:
            held[f"{AT}.{kind}"] = made_up

    bundle, annex = bundle_with(honest.put, change), ANNEX + honest.line
    found = list(statements(bundle, parsed_annex(annex)))
    assert exit_code(found) == 1
    assert AT in found[-1].text, found[-1]
    if value not in PLAIN:
        _, _, said = by_both(bundle, annex, tmp_path)
        assert AT in said.splitlines()[-1], said


def test_a_timestamp_of_a_head_that_is_not_there_is_refused(
    honest: Stamped, tmp_path: Path
) -> None:
    def moved(held: dict[str, bytes]) -> None:
        for kind in ("tsq", "tsr", "pem"):
            held[f"timestamps/7.tsa.{kind}"] = held.pop(f"{AT}.{kind}")

    code, found, _ = by_both(bundle_with(honest.put, moved), ANNEX + honest.line, tmp_path)
    assert code == 1
    assert "about a head that is missing" in found[-1].text


@pytest.mark.parametrize("size", [SIZE, 999])
def test_what_the_log_did_not_sign_as_a_head_is_none_though_it_was_stamped(
    honest: Stamped, tmp_path: Path, size: int
) -> None:
    """An authority stamps whatever it is given."""
    unsigned = made().files[f"checkpoints/{SIZE}"].partition(b"\n\n")[0] + b"\n"
    head = unsigned if size == SIZE else made().files[f"checkpoints/{SIZE}"]
    query, reply = honest.asked(head)

    def put(held: dict[str, bytes]) -> None:
        at = f"timestamps/{size}.tsa"
        held |= {f"checkpoints/{size}": head, f"{at}.tsq": query, f"{at}.tsr": reply}
        held[f"{at}.pem"] = honest.pem

    code, _, said = by_both(bundle_with(put), ANNEX + honest.line, tmp_path)
    assert code == 1
    assert f"FAIL checkpoints/{size}: " in said


def test_the_controller_hands_over_the_root_that_it_has_pinned(honest: Stamped) -> None:
    head = StoredCheckpoint(SIZE, b"", made().files[f"checkpoints/{SIZE}"], 0)
    stamp = StoredTimestamp(SIZE, "tsa", honest.query, honest.reply, 0)
    root = x509.load_pem_x509_certificate(honest.pem)
    found = dict(stamp_files([stamp], [head], {"tsa": [root]}))
    expected: dict[str, bytes] = {}
    honest.put(expected)
    assert found == expected
    assert f"{AT}.pem" not in dict(stamp_files([stamp], [head], {}))
    kept = replace(stamp, root=root.public_bytes(Encoding.DER))
    assert dict(stamp_files([kept], [head], {})) == expected, "pinned no more"
    annex = annex_text(
        Verifier(ORIGIN, raw(LOG_KEY_OF)), Known([], {}, []), [Authority("tsa", "", [root])]
    )
    assert honest.line in annex
    assert parsed_annex(annex).has_root("tsa", root.public_bytes(Encoding.DER))
