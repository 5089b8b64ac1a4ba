"""Timestamps by authorities outside: only those under a pinned root count, and only of what was asked."""

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from controller.core.stamps import NotStamped, stamped_at
from controller.identity.timestamping import Authority, stamped
from tests.fakes.timestamp_authority import LocalAuthority, served
from vedette.shared.limits import STAMP_BYTES_MAX

NOTE = b"example.net/log\n3\nroot\n\n- signature\n"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("honest") / "authority")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> LocalAuthority:
    return LocalAuthority(tmp_path_factory.mktemp("stranger") / "authority")


def pinned(root: LocalAuthority, url: str = "http://127.0.0.1:1/") -> Authority:
    return Authority("tsa", url, x509.load_pem_x509_certificates(root.root_pem))


async def test_a_timestamp_under_the_pinned_root_says_when(honest: LocalAuthority) -> None:
    with served(lambda query: (200, honest.reply(query))) as url:
        found = await stamped(pinned(honest, url), NOTE)
    assert found.at_us > 1_700_000_000_000_000
    roots = pinned(honest).roots
    assert found.root == roots[0].public_bytes(Encoding.DER)
    assert stamped_at(roots, NOTE, found.response) == (found.at_us, roots[0])
    with pytest.raises(NotStamped, match="pinned"):
        stamped_at(roots, NOTE + b"x", found.response)


async def test_a_forged_token_of_a_strangers_root_is_refused(
    honest: LocalAuthority, stranger: LocalAuthority
) -> None:
    with (
        served(lambda query: (200, stranger.reply(query))) as url,
        pytest.raises(NotStamped, match="pinned"),
    ):
        await stamped(pinned(honest, url), NOTE)


async def test_a_token_for_another_question_is_refused(honest: LocalAuthority) -> None:
    queries: list[bytes] = []

    def first_again(query: bytes) -> tuple[int, bytes]:
        queries.append(query)
        return 200, honest.reply(queries[0])

    with served(first_again) as url:
        await stamped(pinned(honest, url), NOTE)
        with pytest.raises(NotStamped, match="Nonce mismatch"):
            await stamped(pinned(honest, url), NOTE)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda _: (500, b""), "expected status 200, found 500"),
        (lambda _: (302, b""), "expected status 200, found 302"),
        (lambda _: (200, b""), "expected a timestamp"),
        (lambda _: (200, b"<html>"), "expected a timestamp"),
        (lambda _: (200, b"\x30" * (STAMP_BYTES_MAX + 1)), "found more"),
    ],
    ids=["an error", "a redirect", "nothing", "a page", "too much"],
)
async def test_what_is_no_timestamp_is_refused_in_words(
    honest: LocalAuthority, answer: Callable[[bytes], tuple[int, bytes]], sentence: str
) -> None:
    with served(answer) as url, pytest.raises(NotStamped, match=sentence):
        await stamped(pinned(honest, url), NOTE)


async def test_nobody_there_is_said_so(honest: LocalAuthority) -> None:
    with pytest.raises(NotStamped, match="could not be asked"):
        await stamped(pinned(honest), NOTE)


def test_without_a_pinned_root_nothing_counts() -> None:
    with pytest.raises(NotStamped):
        stamped_at([], NOTE, b"\x30\x00")
