"""What dnspython's exceptions mean in the words of this agent."""

from typing import Final

import dns.asyncbackend
import dns.exception
import dns.query
import dns.resolver

from agent.probers.network.fault import Fault
from vedette.shared.failure import Failure

# The nearest class up the tree decides, so the last row holds for everything that is not named: whatever
# else dnspython raises, it raises over what a server sent.
_BY_CLASS: Final[dict[type[BaseException], Failure]] = {
    dns.exception.Timeout: Failure.QUERY_TIMEOUT,
    dns.resolver.NoResolverConfiguration: Failure.UNRUNNABLE,
    dns.asyncbackend.AsyncLibraryNotFoundError: Failure.AGENT_FAULT,
    dns.exception.UnsupportedAlgorithm: Failure.DNSSEC_INVALID,
    dns.exception.ValidationFailure: Failure.DNSSEC_INVALID,
    dns.exception.DeniedByPolicy: Failure.DNSSEC_INVALID,
    dns.query.NoDOH: Failure.AGENT_FAULT,
    dns.query.NoDOQ: Failure.AGENT_FAULT,
    dns.exception.DNSException: Failure.BAD_REPLY,
    EOFError: Failure.CONNECTION_LOST,
    # Rdata that contradicts itself: dnspython checks it as a programmer's argument.
    ValueError: Failure.BAD_REPLY,
}
_SENTENCES: Final = {
    Failure.QUERY_TIMEOUT: "{where} did not answer in time",
    Failure.UNRUNNABLE: "this agent's system names no DNS servers, and the check neither",
    Failure.AGENT_FAULT: "this agent cannot ask {where}: {why}",
    Failure.DNSSEC_INVALID: "a signature from {where} does not hold: {why}",
    Failure.BAD_REPLY: "the reply of {where} cannot be read: {why}",
    Failure.CONNECTION_LOST: "{where} closed the connection before it replied",
}
READING_ERRORS: Final = (dns.exception.DNSException, ValueError, EOFError)
"""What dnspython raises on the paths of this prober; UnicodeError is a ValueError."""


def dns_fault(error: BaseException, where: str) -> Fault:
    """What `error`, one of READING_ERRORS, over what `where` sent means."""
    kind = next(_BY_CLASS[c] for c in type(error).__mro__ if c in _BY_CLASS)
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Fault(kind, _SENTENCES[kind].format(where=where, why=why))
