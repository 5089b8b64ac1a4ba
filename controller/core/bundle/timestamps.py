"""Verifying what authorities outside said of heads of the log (RFC 3161), by the roots that the annex names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from controller.core.bundle.annex import Annex
from controller.core.bundle.layout import Bundle, stamp_file
from controller.core.bundle.manifest import sha256_hex
from controller.core.bundle.statements import Broken, Statement, not_checked, passed
from controller.core.instants import instant_text
from controller.core.stamps import NotStamped, nonce_of, stamped_at
from vedette.shared.checkpoint import Checkpoint

_FILE: Final = re.compile(r"timestamps/([0-9]+)\.(.+)\.(tsr|tsq|pem)")


@dataclass(frozen=True, slots=True)
class Stamped:
    """A head of the log that an authority of the annex vouches for: how many leaves, and since when."""

    size: int
    authority: str
    at_us: int


def stamped_heads(
    bundle: Bundle, annex: Annex, known: Mapping[int, Checkpoint]
) -> tuple[Sequence[Stamped], Sequence[Statement]]:
    """The timestamps that hold, and a statement on each authority. Broken for one that is not what it must be."""
    found: dict[tuple[str, str], list[Stamped]] = {}
    left: dict[tuple[str, str], list[int]] = {}
    for size, authority in sorted(set(_named(bundle))):
        if size not in known:
            raise Broken(f"{stamp_file(size, authority, 'tsr')} is about a head that is missing")
        der, why = _root(bundle, annex, size, authority)
        if why:
            left.setdefault((authority, why), []).append(size)
            continue
        at_us, name = _verified(bundle, size, authority, x509.load_der_x509_certificate(der))
        found.setdefault((authority, name), []).append(Stamped(size, authority, at_us))
    said = [passed(_told(f"{name} ({who})", some)) for (who, name), some in found.items()]
    said += [
        not_checked(f"Whether the first {max(sizes)} leaves existed when {who} says: {why}.")
        for (who, why), sizes in left.items()
    ]
    return [one for some in found.values() for one in some], said


def _told(who: str, stamped: Sequence[Stamped]) -> str:
    """The largest head shows how much there was, the smallest how early that was there; they go up."""
    first, last = stamped[0], stamped[-1]
    said = f"The first {last.size} leaves existed at {instant_text(last.at_us)}, according to {who}"
    if first is last:
        return f"{said}."
    return f"{said}, and the first {first.size} of them at {instant_text(first.at_us)}; {len(stamped)} timestamps in all."


def _named(bundle: Bundle) -> Iterator[tuple[int, str]]:
    """The size and the authority of every timestamp. Broken for what belongs to none."""
    for name in bundle.names():
        match = _FILE.fullmatch(name)
        if match is None:
            continue
        size, authority = int(match[1]), match[2]
        response = stamp_file(size, authority, "tsr")
        if not bundle.has(response) or str(size) != match[1]:
            raise Broken(f"{name} belongs to no timestamp: {response} is missing")
        yield size, authority


def _root(bundle: Bundle, annex: Annex, size: int, authority: str) -> tuple[bytes, str]:
    """The root certificate (DER) that the annex has; or why there is none to check by."""
    name = stamp_file(size, authority, "pem")
    if not bundle.has(name):
        return b"", "the bundle has no root certificate of it"
    data = bundle.read(name)
    try:
        certificate = x509.load_pem_x509_certificate(data)
    except (ValueError, x509.InvalidVersion) as error:
        raise Broken(f"{name}: expected a certificate in PEM") from error
    if certificate.public_bytes(Encoding.PEM) != data:
        raise Broken(f"{name}: expected one certificate in PEM and nothing else")
    der = certificate.public_bytes(Encoding.DER)
    if not annex.has_root(authority, der):
        return b"", f"its root, sha256:{sha256_hex(der)}, is not in the annex"
    return der, ""


def _verified(bundle: Bundle, size: int, authority: str, root: x509.Certificate) -> tuple[int, str]:
    """When the authority vouches for the exact bytes of the head, and its name. Broken if it does not."""
    query, response = (stamp_file(size, authority, kind) for kind in ("tsq", "tsr"))
    if not bundle.has(query):
        raise Broken(f"{query} is missing")
    head = bundle.read(f"checkpoints/{size}")
    try:
        nonce = nonce_of(bundle.read(query), head)
    except NotStamped as error:
        raise Broken(f"{query}: {error}") from error
    try:
        at_us, _ = stamped_at([root], head, bundle.read(response), nonce=nonce)
    except NotStamped as error:
        raise Broken(f"{response}: {error}") from error
    return at_us, root.subject.rfc4514_string()


def exposure(stamped: Sequence[Stamped], leaves: int) -> Statement:
    """What of the log could still be rewritten, and by whom: nobody can check that it was not."""
    who = "by whoever holds the log's key, but for what witnesses hold"
    if not stamped:
        return not_checked(
            f"No authority of the annex vouches for any of the first {leaves} leaves: all of them could have been"
            f" rewritten {who}."
        )
    size = max(one.size for one in stamped)
    at_us = min(one.at_us for one in stamped if one.size == size)
    return not_checked(
        f"What was entered after the first {size} of {leaves} leaves ({instant_text(at_us)}) could still be"
        f" rewritten {who}."
    )
