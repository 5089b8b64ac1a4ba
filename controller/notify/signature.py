"""Signatures of webhooks, as Standard Webhooks 1.0 has them (symmetric, `v1`).

The signed text is `{id}.{timestamp}.{body}`, the key is what follows `whsec_` in base64, the signature
HMAC-SHA256 in base64. Whoever takes webhooks of other senders of that scheme takes ours.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

PREFIX: Final = "whsec_"
KEY_BYTES_MIN: Final = 24
KEY_BYTES_MAX: Final = 64
KEY_EXPECTED: Final = (
    f"{PREFIX} and base64 of {KEY_BYTES_MIN} to {KEY_BYTES_MAX} random bytes (for instance"
    f" {PREFIX} and what `openssl rand -base64 32` prints)"
)


def signing_key(secret: str) -> bytes:
    """The key in a secret. ValueError, which shows nothing of it, if there is none."""
    encoded = secret.strip().removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise ValueError(f"expected as key of a webhook {KEY_EXPECTED}, found another text")
    return key


def message_id(key: str, at_us: int) -> str:
    """The id of a message, the same however often it is sent.

    The instant goes into it so that a database that was restored from a backup, and counts anew from there,
    does not give an old id to something new.
    """
    return "msg_" + hashlib.sha256(f"{key}\n{at_us}".encode()).hexdigest()[:32]


def signed_headers(key: bytes, id_: str, at_s: int, body: bytes) -> Mapping[str, str]:
    """The three headers of the scheme. `at_s` is when the attempt is made, in seconds."""
    content = b".".join([id_.encode(), str(at_s).encode(), body])
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
