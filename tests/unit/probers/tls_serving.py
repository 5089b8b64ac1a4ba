"""Server sides of TLS for tests."""

import ssl
from datetime import UTC, datetime, timedelta

import trustme


def served(
    authority: trustme.CA, name: str = "localhost", days: int = 30, version: str = "TLSv1_3"
) -> ssl.SSLContext:
    """A context with a certificate for `name` that ends in `days`, up to `version`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion[version]
    now = datetime.now(UTC)
    authority.issue_cert(
        name, not_before=now - timedelta(days=60), not_after=now + timedelta(days=days)
    ).configure_cert(context)
    return context


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()
