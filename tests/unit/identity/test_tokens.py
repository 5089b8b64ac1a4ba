import hashlib

import pytest

from controller.identity.tokens import is_secret_of, new_secret, parse_person_token


def test_a_persons_token_reads_as_it_was_written() -> None:
    for _ in range(200):  # secrets may hold '_' and '-', which also part the token
        made = new_secret()
        read = parse_person_token(made.person_text)
        assert read == made


def test_only_the_hash_is_kept_and_only_the_secret_matches_it() -> None:
    made = new_secret()
    assert made.sha256 == hashlib.sha256(made.secret.encode()).digest()
    assert is_secret_of(made.secret, made.sha256)
    assert not is_secret_of(new_secret().secret, made.sha256)
    assert not is_secret_of("", made.sha256)


def test_a_secret_is_not_shown_by_accident() -> None:
    made = new_secret()
    assert made.secret not in repr(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vdt_",
        "vdt_0123456789abcdef_short",
        "vdt_0123456789ABCDEF_" + "a" * 43,
        "xyz_0123456789abcdef_" + "a" * 43,
        "vdt_0123456789abcdef_" + "a" * 44,
        "vdt_0123456789abcdef_" + "a" * 43 + "\n",
        "vdt_0123456789abcdef_" + "ä" * 43,
    ],
)
def test_other_texts_are_no_tokens(text: str) -> None:
    assert parse_person_token(text) is None
