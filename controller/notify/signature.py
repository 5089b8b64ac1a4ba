"""Signatures of webhooks, as Standard Webhooks 1.0 has them (symmetric, `v1`).

The signed text is `{id}.{timestamp}.{body}`, the key is what follows `whsec_` in base64, the signature
HMAC-SHA256 in base64. Whoever takes webhooks of other senders of that scheme takes ours.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

PREFIX: Final = "whsec_"
KEY_BYTES_MIN: Final = 24
KEY_BYTES_MAX: Final = 64
KEY_EXPECTED: Final = (
    f"{PREFIX} and base64 of {KEY_BYTES_MIN} to {KEY_BYTES_MAX} random bytes (for instance"
    f" {PREFIX} and what `openssl rand -base64 32` prints)"
)


def signing_keys(secret: str) -> Sequence[bytes]:
    """The keys in a secret: one, or while it is being changed several with blanks between them.

    ValueError, which shows nothing of them, if there is none or one is wrong.
    """
    keys = [_key(part) for part in secret.split()]
    if not keys or b"" in keys:
        raise ValueError(f"expected as key of a webhook {KEY_EXPECTED}, found another text")
    return keys


def _key(text: str) -> bytes:
    """The bytes of a key; none if it is no key."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
    is_key = text.startswith(PREFIX) and KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX
    return key if is_key else b""


def message_id(key: str, at_us: int) -> str:
    """The id of a message, the same however often it is sent.

    The instant goes into it so that a database that was restored from a backup, and counts anew from there,
    does not give an old id to something new.
    """
    return "msg_" + hashlib.sha256(f"{key}\n{at_us}".encode()).hexdigest()[:32]


def signed_headers(keys: Sequence[bytes], id_: str, at_s: int, body: bytes) -> Mapping[str, str]:
    """The three headers of the scheme. `at_s` is when the attempt is made, in seconds."""
    content = b".".join([id_.encode(), str(at_s).encode(), body])
    digests = [hmac.new(key, content, hashlib.sha256).digest() for key in keys]
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in digests),
    }
