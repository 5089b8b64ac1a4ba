"""A reply, read: what its flags and sections say, in words and numbers.

A server chooses how much it sends, and reading takes our time: so many records are read and no more, and a
long reply is read beside the loop, so that it delays no other probe.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, TypeVar

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from agent.probers.dns.fault import READING_ERRORS, dns_fault
from vedette.shared.limits import (
    DNS_RECORDS_MAX,
    RECORDS_SHOWN_MAX,
    REPLIES_READ_AT_ONCE_MAX,
    SHOWN_CHARS_MAX,
)

_FLAGS: Final = (
    (dns.flags.AA, "aa"), (dns.flags.TC, "tc"), (dns.flags.RD, "rd"), (dns.flags.RA, "ra"),
    (dns.flags.AD, "ad"), (dns.flags.CD, "cd"),
)  # fmt: skip
_TC: Final = 0x02
_KEPT_BYTES_MAX: Final = 1232
_KEPT_MAX: Final = 1024
_READ_AT_ONCE_BYTES_MAX: Final = 4096
_SIGNING: Final = frozenset({"RRSIG", "SIG"})

T = TypeVar("T")
Reading = Callable[[bytes, str], T]
"""What is made of the bytes of a reply and of where they came from. Fault if they cannot be read."""


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
    asked_type: str = ""
    left_out: int = 0
    """Records of the reply that were not read."""
    message: dns.message.Message | None = field(default=None, compare=False, repr=False)
    """What was read, where its signatures are wanted."""

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The data of the answer. Signatures that came along are not what was asked for."""
        is_told = self.asked_type in ("RRSIG", "SIG", "ANY")
        return tuple(r.data for r in self.answer if is_told or r.type not in _SIGNING)

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
            "answers": list(self.answers),
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
            "answers": [text[:SHOWN_CHARS_MAX] for text in self.answers[:RECORDS_SHOWN_MAX]],
            "count": len(self.answers),
        }
        if self.left_out:
            facts["left_out"] = self.left_out
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
    return _message_in(data, where)[0]


def _message_in(data: bytes, where: str) -> tuple[dns.message.Message, int]:
    """(the message `data` up to the bound of records, the number of records past it)."""
    counts = [int.from_bytes(data[place : place + 2]) for place in (6, 8, 10)]
    left_out = 0
    if sum(counts) > DNS_RECORDS_MAX:
        left = DNS_RECORDS_MAX
        read = []
        for count in counts:
            read.append(min(count, left))
            left -= read[-1]
        left_out = sum(counts) - DNS_RECORDS_MAX
        data = data[:6] + b"".join(count.to_bytes(2) for count in read) + data[12:]
    try:
        return dns.message.from_wire(data, ignore_trailing=left_out > 0), left_out
    except READING_ERRORS as error:
        raise dns_fault(error, where) from error


def reply_of(data: bytes, where: str) -> Reply:
    """What `data` says. Fault if it cannot be read.

    The same bytes but for the id say the same: a name server that has nothing new to tell is read once.
    """
    if len(data) > _KEPT_BYTES_MAX:
        return _read(data, where)
    return _kept(b"\0\0" + data[2:], where)


def signed_reply_of(data: bytes, where: str) -> Reply:
    """What `data` says, and the message itself, which its signatures are over. Fault if it cannot be read."""
    return _read(data, where, is_kept=True)


async def read_aside(reading: Reading[T], data: bytes, where: str) -> T:
    """What `reading` makes of `data`; beside the loop if that may take long."""
    if len(data) <= _READ_AT_ONCE_BYTES_MAX:
        return reading(data, where)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_readers(), reading, data, where)


@lru_cache(maxsize=1)
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(REPLIES_READ_AT_ONCE_MAX, "dns-reply")


@lru_cache(maxsize=_KEPT_MAX)
def _kept(data: bytes, where: str) -> Reply:
    return _read(data, where)


def _read(data: bytes, where: str, *, is_kept: bool = False) -> Reply:
    message, left_out = _message_in(data, where)
    try:
        return Reply(
            rcode=dns.rcode.to_text(message.rcode()),
            flags=tuple(name for flag, name in _FLAGS if message.flags & flag),
            answer=_records(message.answer),
            authority=_records(message.authority),
            additional=_records(message.additional),
            asked_type=dns.rdatatype.to_text(message.question[0].rdtype)
            if message.question
            else "",
            left_out=left_out,
            message=message if is_kept else None,
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
