"""What a DNS reply says, as variables for expectations and as facts for the line."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rrset

from vedette.shared.limits import RECORDS_SHOWN_MAX, SHOWN_CHARS_MAX
from vedette.shared.probes import DnsProbe

_FLAGS: Final = (
    (dns.flags.AA, "aa"), (dns.flags.TC, "tc"), (dns.flags.RD, "rd"), (dns.flags.RA, "ra"),
    (dns.flags.AD, "ad"), (dns.flags.CD, "cd"),
)  # fmt: skip


def variables_of(
    reply: dns.message.Message | None,
    server: str | None,
    addr: str | None,
    transport: str,
    took_us: int,
) -> dict[str, Any]:
    """The expectation variables; those of the reply are absent where there was none."""
    values: dict[str, Any] = {"transport": transport, "took_ms": took_us / 1000}
    if server is not None:
        values |= {"server": server, "addr": addr}
    if reply is None:
        return values
    values |= {
        "rcode": dns.rcode.to_text(reply.rcode()),
        "flags": _flags(reply),
        "answers": [text for _, text in _records(reply.answer)],
        "authority": [text for _, text in _records(reply.authority)],
        "additional": [text for _, text in _records(reply.additional)],
        "records": [
            {
                "name": rrset.name.to_text(),
                "type": dns.rdatatype.to_text(rrset.rdtype),
                "ttl": rrset.ttl,
                "data": text,
            }
            for rrset, text in _records(reply.answer)
        ],
    }
    if reply.answer:
        values["ttl_min"] = min(rrset.ttl for rrset in reply.answer)
    return values


def facts_of(
    reply: dns.message.Message | None,
    probe: DnsProbe,
    *,
    server: str | None,
    transport: str,
    is_retried: bool,
) -> dict[str, Any]:
    """The `dns` part of the line."""
    facts: dict[str, Any] = {"name": probe.name, "type": probe.type, "transport": transport}
    if server is not None:
        facts["server"] = server
    if is_retried:
        facts["truncated"] = True
    if reply is None:
        return facts
    answers = [text for _, text in _records(reply.answer)]
    facts |= {
        "rcode": dns.rcode.to_text(reply.rcode()),
        "flags": _flags(reply),
        "answers": [text[:SHOWN_CHARS_MAX] for text in answers[:RECORDS_SHOWN_MAX]],
        "count": len(answers),
    }
    if reply.answer:
        facts["ttl_min"] = min(rrset.ttl for rrset in reply.answer)
    return facts


def _flags(reply: dns.message.Message) -> list[str]:
    return [name for flag, name in _FLAGS if reply.flags & flag]


def _records(section: Sequence[dns.rrset.RRset]) -> Iterator[tuple[dns.rrset.RRset, str]]:
    for rrset in section:
        for rdata in rrset:
            yield rrset, rdata.to_text()
