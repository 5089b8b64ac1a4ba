"""Timestamps that were kept: a bit that was changed in query, response or time is found."""

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from controller.core.stamps import NotStamped, nonce_of, query_of, said_at, stamped_at
from controller.identity.stamp_check import StampCheck
from controller.identity.timestamping import Authority
from controller.ports.leaves import StoredTimestamp
from tests.fakes.timestamp_authority import LocalAuthority

NOTE = b"example.net/log\n3\nroot\n\n- signature\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocalAuthority, Authority]:
    local = LocalAuthority(tmp_path_factory.mktemp("stamps") / "tsa")
    roots = x509.load_pem_x509_certificates(local.root_pem)
    return local, Authority("tsa", "http://localhost/", roots)


@pytest.fixture(scope="module")
def kept(authority: tuple[LocalAuthority, Authority]) -> StoredTimestamp:
    local, pinned = authority
    request = TimestampRequestBuilder().data(NOTE).hash_algorithm(HashAlgorithm.SHA256).build()
    response = local.reply(request.as_bytes())
    at_us, _ = stamped_at(pinned.roots, NOTE, response, nonce=request.nonce)
    return StoredTimestamp(3, "tsa", request.as_bytes(), response, at_us)


def test_a_timestamp_as_it_was_kept_is_sound(
    authority: tuple[LocalAuthority, Authority], kept: StoredTimestamp
) -> None:
    assert StampCheck.of([authority[1]])(kept, NOTE) is None
    assert StampCheck.of([])(kept, NOTE) is None


def test_a_changed_bit_of_a_query_is_found(
    authority: tuple[LocalAuthority, Authority], kept: StoredTimestamp
) -> None:
    check = StampCheck.of([authority[1]])
    for place in range(len(kept.query)):
        query = bytearray(kept.query)
        query[place] ^= 1
        assert check(replace(kept, query=bytes(query)), NOTE), place


def test_a_changed_bit_of_what_an_authority_signed_is_found(
    authority: tuple[LocalAuthority, Authority], kept: StoredTimestamp
) -> None:
    check = StampCheck.of([authority[1]])
    signed = kept.response.index(query_of(NOTE, 1)[7:40][-20:])
    for place in (0, signed, signed + 25, len(kept.response) - 1):
        response = bytearray(kept.response)
        response[place] ^= 1
        assert check(replace(kept, response=bytes(response)), NOTE), place


@pytest.mark.parametrize("is_pinned", [True, False], ids=["pinned", "pinned no more"])
def test_a_timestamp_of_another_checkpoint_or_time_is_found(
    authority: tuple[LocalAuthority, Authority], kept: StoredTimestamp, *, is_pinned: bool
) -> None:
    check = StampCheck.of([authority[1]] if is_pinned else [])
    assert check(kept, NOTE + b"x")
    assert check(replace(kept, response=kept.response[:-9]), NOTE)
    assert check(replace(kept, at_us=kept.at_us + 1), NOTE)


def test_one_is_checked_by_the_root_that_it_led_to_whoever_is_pinned_now(
    authority: tuple[LocalAuthority, Authority], kept: StoredTimestamp
) -> None:
    root = authority[1].roots[0].public_bytes(Encoding.DER)
    check = StampCheck.of([Authority("tsa", "http://localhost/", [])])
    whole = replace(kept, root=root)
    assert check(whole, NOTE) is None
    version = root.index(bytes.fromhex("a003020102")) + 4
    for place in (4, version, len(root) // 2, len(root) - 1):
        changed = bytearray(root)
        changed[place] ^= 7
        assert check(replace(kept, root=bytes(changed)), NOTE), place


def test_when_a_timestamp_says_it_was_made_is_read_without_belief(kept: StoredTimestamp) -> None:
    assert said_at(kept.response) == kept.at_us
    with pytest.raises(NotStamped, match="found another text"):
        said_at(b"response")


@pytest.mark.parametrize("_", range(20))
def test_a_query_is_the_one_that_the_client_makes(_: int) -> None:
    request = TimestampRequestBuilder().data(NOTE).hash_algorithm(HashAlgorithm.SHA256).build()
    query = request.as_bytes()
    assert request.nonce is not None
    assert query_of(NOTE, request.nonce) == query
    assert nonce_of(query, NOTE) == request.nonce
    for other in (b"", query[:2], query + b"\x00", query[:-3], b"\x30" * 200, query_of(b"x", 1)):
        with pytest.raises(NotStamped, match="about this head"):
            nonce_of(other, NOTE)
