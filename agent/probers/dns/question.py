"""A question as it is sent: made into bytes once, and recognised in what comes back."""

from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype

from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure
from vedette.shared.probes import DnsProbe

_HEADER_BYTES: Final = 12
_IS_RESPONSE: Final = 0x80
_OPCODE: Final = 0x78
_TYPE_AND_CLASS_BYTES: Final = 4
# A server that could not read the question need not repeat it: FORMERR, SERVFAIL, NOTIMP, REFUSED.
_CODES_WITHOUT_QUESTION: Final = frozenset({1, 2, 4, 5})


@dataclass(frozen=True, slots=True)
class Manner:
    """How a question is put, besides what is asked."""

    recursion: bool = True
    edns: bool = True
    payload: int = 1232
    dnssec_ok: bool = False
    checking_disabled: bool = False

    @classmethod
    def of(cls, probe: DnsProbe) -> "Manner":
        """The manner that a check asks for."""
        return cls(
            recursion=probe.recursion,
            edns=probe.edns,
            payload=probe.payload,
            dnssec_ok=probe.wants_signatures,
            checking_disabled=probe.checking_disabled,
        )


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `tail` is its message after the id, so that asking again costs two random bytes."""

    name: dns.name.Name
    rdtype: dns.rdatatype.RdataType
    tail: bytes
    own_name: bytes
    own_type_and_class: bytes

    @classmethod
    def of(
        cls,
        name: dns.name.Name,
        rdtype: dns.rdatatype.RdataType,
        manner: Manner,
        rdclass: dns.rdataclass.RdataClass = dns.rdataclass.IN,
    ) -> "Question":
        """The question for records of `name`."""
        query = dns.message.make_query(
            name,
            rdtype,
            rdclass,
            use_edns=0 if manner.edns else None,
            want_dnssec=manner.dnssec_ok,
            payload=manner.payload if manner.edns else None,
            id=0,
        )
        if not manner.recursion:
            query.flags &= ~dns.flags.RD
        if manner.checking_disabled:
            query.flags |= dns.flags.CD
        wire = query.to_wire()
        own = name.to_wire()
        assert own is not None
        ends = _HEADER_BYTES + len(own)
        return cls(name, rdtype, wire[2:], own.lower(), wire[ends : ends + _TYPE_AND_CLASS_BYTES])

    def wire(self, number: int) -> bytes:
        """The message that asks it, under the id `number`."""
        return number.to_bytes(2) + self.tail

    def mismatch(self, number: int, data: bytes) -> str | None:
        """Why `data` is not the reply to the message `number`, in a few words; None if it may be."""
        if len(data) < _HEADER_BYTES:
            return "a message without a header"
        if int.from_bytes(data[:2]) != number:
            return "another id"
        if not data[2] & _IS_RESPONSE:
            return "a query"
        if data[2] & _OPCODE:
            return "another kind of message"
        count = int.from_bytes(data[4:6])
        if count == 0 and data[3] & 0x0F in _CODES_WITHOUT_QUESTION:
            return None
        ends = _HEADER_BYTES + len(self.own_name)
        # Letters of a name may change their case on the way; those of type and class are numbers.
        is_ours = (
            count == 1
            and data[_HEADER_BYTES:ends].lower() == self.own_name
            and data[ends : ends + _TYPE_AND_CLASS_BYTES] == self.own_type_and_class
        )
        return None if is_ours else "another question"


def question_of(probe: DnsProbe) -> Question:
    """The question of a check. Fault if it cannot be put."""
    try:
        return Question.of(
            dns.name.from_text(probe.name),
            dns.rdatatype.from_text(probe.type),
            Manner.of(probe),
            dns.rdataclass.from_text(probe.record_class),
        )
    except (dns.exception.DNSException, ValueError) as error:
        raise Fault(Failure.UNRUNNABLE, f"{probe.name} cannot be asked for: {error}") from error
