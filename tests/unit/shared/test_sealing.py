"""Sealing is HPKE as RFC 9180 says: its own arithmetic written down here opens what the library seals."""

import hashlib
import hmac
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from vedette.shared.sealing import SealLabel, opened, sealed

LABEL = SealLabel("fra-1", "shop-token", 3)


class Reference:
    """RFC 9180, mode_base, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305: sections 4 and 5."""

    KEM = b"KEM" + struct.pack(">H", 0x0020)
    SUITE = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0003)

    @staticmethod
    def extract(salt: bytes, suite: bytes, label: bytes, ikm: bytes) -> bytes:
        return hmac.digest(salt or b"\0" * 32, b"HPKE-v1" + suite + label + ikm, "sha256")

    @staticmethod
    def expand(prk: bytes, suite: bytes, label: bytes, info: bytes, length: int) -> bytes:
        info = struct.pack(">H", length) + b"HPKE-v1" + suite + label + info
        out, block = b"", b""
        for counter in range(1, length // 32 + 2):
            block = hmac.digest(prk, block + info + bytes([counter]), "sha256")
            out += block
        return out[:length]

    @classmethod
    def key_and_nonce(
        cls, shared: bytes, enc: bytes, public: bytes, info: bytes
    ) -> tuple[bytes, bytes]:
        prk = cls.extract(b"", cls.KEM, b"eae_prk", shared)
        secret = cls.expand(prk, cls.KEM, b"shared_secret", enc + public, 32)
        context = b"\0" + cls.extract(b"", cls.SUITE, b"psk_id_hash", b"")
        context += cls.extract(b"", cls.SUITE, b"info_hash", info)
        prk = cls.extract(secret, cls.SUITE, b"secret", b"")
        key = cls.expand(prk, cls.SUITE, b"key", context, 32)
        return key, cls.expand(prk, cls.SUITE, b"base_nonce", context, 12)


def test_the_reference_gives_the_vectors_of_the_rfc() -> None:
    """RFC 9180, appendix A.2.1: keys, schedule, and the first ciphertext."""
    ephemeral = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600")
    )
    recipient = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb")
    )
    enc = ephemeral.public_key().public_bytes_raw()
    public = recipient.public_key().public_bytes_raw()
    assert enc.hex() == "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
    assert public.hex() == "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"
    info = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
    shared = ephemeral.exchange(recipient.public_key())
    key, nonce = Reference.key_and_nonce(shared, enc, public, info)
    assert key.hex() == "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91"
    assert nonce.hex() == "5c4d98150661b848853b547f"
    plain = b"Beauty is truth, truth beauty"
    first = ChaCha20Poly1305(key).encrypt(nonce, plain, b"Count-0")
    assert first.hex() == (
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
    )


def test_what_the_library_seals_opens_by_the_rfc() -> None:
    key = X25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    data = sealed("canary", public, LABEL)
    enc, ciphertext = data[:32], data[32:]
    shared = key.exchange(X25519PublicKey.from_public_bytes(enc))
    aead, nonce = Reference.key_and_nonce(shared, enc, public, LABEL.info)
    assert ChaCha20Poly1305(aead).decrypt(nonce, ciphertext, b"") == b"canary"


@given(st.text(max_size=200))
def test_only_the_recipient_opens_it_and_only_as_what_it_is(value: str) -> None:
    key, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    data = sealed(value, key.public_key().public_bytes_raw(), LABEL)
    assert opened(data, key, LABEL) == value
    for wrong_key, label in (
        (other, LABEL),
        (key, SealLabel("fra-2", "shop-token", 3)),
        (key, SealLabel("fra-1", "other", 3)),
        (key, SealLabel("fra-1", "shop-token", 4)),
    ):
        with pytest.raises(ValueError, match="was not sealed for"):
            opened(data, wrong_key, label)


@pytest.mark.parametrize("at", [0, 31, 32, 40, -1])
def test_a_flipped_bit_is_noticed(at: int) -> None:
    key = X25519PrivateKey.generate()
    data = bytearray(sealed("canary", key.public_key().public_bytes_raw(), LABEL))
    data[at] ^= 1
    with pytest.raises(ValueError, match="secret shop-token"):
        opened(bytes(data), key, LABEL)


@pytest.mark.parametrize("data", [b"", b"short", b"\0" * 64])
def test_what_was_never_sealed_does_not_open(data: bytes) -> None:
    with pytest.raises(ValueError, match="secret shop-token"):
        opened(data, X25519PrivateKey.generate(), LABEL)


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"\0" * 32])
def test_nothing_is_sealed_to_what_is_no_key(key: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words
        sealed("canary", key, LABEL)


def test_the_label_is_what_the_contract_says() -> None:
    assert LABEL.info == b"vedette.secret/v1\nfra-1\nshop-token\n3\n"
    assert hashlib.sha256(LABEL.info).digest() != hashlib.sha256(b"").digest()
