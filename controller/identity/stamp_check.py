"""Looking at timestamps that were kept: whether they still say of a checkpoint what they said when they came."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from rfc3161_client import decode_timestamp_response

from controller.core.stamps import NotStamped, query_of, stamped_at
from controller.identity.timestamping import Authority
from controller.ports.leaves import StoredTimestamp

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class StampCheck:
    """Checks timestamps by the authorities that are pinned, by name."""

    pinned: Mapping[str, Authority]

    @classmethod
    def of(cls, authorities: Sequence[Authority]) -> "StampCheck":
        """By these authorities."""
        return cls({one.name: one for one in authorities})

    def __call__(self, kept: StoredTimestamp, note: bytes) -> str | None:
        """What is wrong with a timestamp of that note, in words; None if nothing is.

        One of an authority that is pinned no more, and whose root was not kept, is read only: nobody can check its
        signature here.
        """
        try:
            read = decode_timestamp_response(kept.response)
            nonce = max(read.tst_info.nonce or 0, 0)
            if roots := self._roots(kept):
                stamped_at(roots, note, kept.response, nonce=nonce)
            elif read.tst_info.message_imprint.message != sha256(note).digest():
                return "expected it to be of that checkpoint, found it of other bytes"
            at_us = (read.tst_info.gen_time - _EPOCH) // dt.timedelta(microseconds=1)
        except (NotStamped, ValueError, TypeError) as error:
            return str(error)
        if at_us != kept.at_us:
            return f"it is kept as of {kept.at_us}, and says {at_us}"
        if kept.query != query_of(note, nonce):
            return "the query that is kept is not the one that it answers"
        return None

    def _roots(self, kept: StoredTimestamp) -> Sequence[x509.Certificate]:
        """The root that it led to when it came; where that was not kept, those that are pinned."""
        if kept.root is not None:
            return [_whole(kept.root)]
        authority = self.pinned.get(kept.authority)
        return () if authority is None else authority.roots


def _whole(root: bytes) -> x509.Certificate:
    """The certificate; ValueError if a bit of it was changed, as far as it was signed by itself."""
    try:
        found = x509.load_der_x509_certificate(root)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from error
    if found.issuer == found.subject:
        try:
            found.verify_directly_issued_by(found)
        except InvalidSignature as error:
            raise ValueError("the root that is kept with it is not signed by itself") from error
    return found
