"""A reply, read: what its flags and sections say, in words and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from agent.probers.dns.fault import READING_ERRORS, dns_fault
from vedette.shared.limits import RECORDS_SHOWN_MAX, SHOWN_CHARS_MAX

_FLAGS: Final = (
    (dns.flags.AA, "aa"), (dns.flags.TC, "tc"), (dns.flags.RD, "rd"), (dns.flags.RA, "ra"),
    (dns.flags.AD, "ad"), (dns.flags.CD, "cd"),
)  # fmt: skip
_TC: Final = 0x02
_KEPT_BYTES_MAX: Final = 1232
_KEPT_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a reply."""

    name: str
    type: str
    ttl: int
    data: str


@dataclass(frozen=True)
class Reply:
    """What a reply says. `variables` and `facts` are made once and shared: they are never changed."""

    rcode: str
    flags: tuple[str, ...]
    answer: tuple[Record, ...]
    authority: tuple[Record, ...]
    additional: tuple[Record, ...]

    @property
    def ttl_min(self) -> int | None:
        """The shortest time that an answer may be kept; None where there is none."""
        return min((record.ttl for record in self.answer), default=None)

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        """The variables of expectations that the reply gives."""
        values: dict[str, Any] = {
            "rcode": self.rcode,
            "flags": list(self.flags),
            "answers": [record.data for record in self.answer],
            "authority": [record.data for record in self.authority],
            "additional": [record.data for record in self.additional],
            "records": [
                {"name": r.name, "type": r.type, "ttl": r.ttl, "data": r.data} for r in self.answer
            ],
        }
        if self.answer:
            values["ttl_min"] = self.ttl_min
        return values

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """What of the reply stands in a line, cut to a bound."""
        facts: dict[str, Any] = {"rcode": self.rcode, "flags": list(self.flags)}
        facts |= {
            "answers": [
                record.data[:SHOWN_CHARS_MAX] for record in self.answer[:RECORDS_SHOWN_MAX]
            ],
            "count": len(self.answer),
        }
        if self.answer:
            facts["ttl_min"] = self.ttl_min
        for name, section in (("authority", self.authority), ("additional", self.additional)):
            if section:
                facts[name] = [_line(record) for record in section[:RECORDS_SHOWN_MAX]]
        return facts


def _line(record: Record) -> str:
    return f"{record.name} {record.ttl} {record.type} {record.data}"[:SHOWN_CHARS_MAX]


def is_truncated(data: bytes) -> bool:
    """The server says that there is more than fits into `data`."""
    return bool(data[2] & _TC)


def message_of(data: bytes, where: str) -> dns.message.Message:
    """The message `data`. Fault if it cannot be read: cut short, too long, names that go in circles."""
    try:
        return dns.message.from_wire(data)
    except READING_ERRORS as error:
        raise dns_fault(error, where) from error


def reply_of(data: bytes, where: str) -> Reply:
    """What `data` says. Fault if it cannot be read.

    The same bytes but for the id say the same: a name server that has nothing new to tell is read once.
    """
    if len(data) > _KEPT_BYTES_MAX:
        return _read(data, where)
    return _kept(b"\0\0" + data[2:], where)


@lru_cache(maxsize=_KEPT_MAX)
def _kept(data: bytes, where: str) -> Reply:
    return _read(data, where)


def _read(data: bytes, where: str) -> Reply:
    message = message_of(data, where)
    try:
        return Reply(
            rcode=dns.rcode.to_text(message.rcode()),
            flags=tuple(name for flag, name in _FLAGS if message.flags & flag),
            answer=_records(message.answer),
            authority=_records(message.authority),
            additional=_records(message.additional),
        )
    except READING_ERRORS as error:
        raise dns_fault(error, where) from error


def _records(section: list[dns.rrset.RRset]) -> tuple[Record, ...]:
    return tuple(
        Record(
            rrset.name.to_text(), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, rdata.to_text()
        )
        for rrset in section
        for rdata in rrset
    )
