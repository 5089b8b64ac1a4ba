"""Kinds of failure: the closed set of words that `kind` in a result line can hold.

Names are stable: they stand in evidence for ever, so one may be added and none renamed. Each says where a
probe ended; whose fault it was (the target's or the agent's) is fixed for each kind.
"""

from enum import StrEnum
from typing import Final


class Failure(StrEnum):
    """Where a probe ended. `meaning` says it in a sentence, `look_at` what to check first."""

    RESOLVE_TIMEOUT = "resolve_timeout"
    RESOLVE_NOT_FOUND = "resolve_not_found"
    RESOLVE_FAILED = "resolve_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_REFUSED = "connect_refused"
    UNREACHABLE = "unreachable"
    TLS_TIMEOUT = "tls_timeout"
    TLS_VERIFY_FAILED = "tls_verify_failed"
    TLS_HANDSHAKE_FAILED = "tls_handshake_failed"
    SEND_TIMEOUT = "send_timeout"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    TRANSFER_TIMEOUT = "transfer_timeout"
    CONNECTION_LOST = "connection_lost"
    TRUNCATED = "truncated"
    PROTOCOL_ERROR = "protocol_error"
    HEADERS_TOO_LARGE = "headers_too_large"
    BODY_TOO_LARGE = "body_too_large"
    BAD_ENCODING = "bad_encoding"
    BAD_REDIRECT = "bad_redirect"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    TOKEN_FAILED = "token_failed"
    QUERY_TIMEOUT = "query_timeout"
    QUERY_REFUSED = "query_refused"
    BAD_REPLY = "bad_reply"
    DNSSEC_INVALID = "dnssec_invalid"
    SERIALS_DIFFER = "serials_differ"
    NO_REPLY = "no_reply"
    PACKET_TOO_BIG = "packet_too_big"
    TTL_EXCEEDED = "ttl_exceeded"
    DIALOGUE_TIMEOUT = "dialogue_timeout"
    UNEXPECTED_REPLY = "unexpected_reply"
    REPLY_TOO_LARGE = "reply_too_large"
    STARTTLS_REFUSED = "starttls_refused"
    BAD_STATUS = "bad_status"
    BAD_RCODE = "bad_rcode"
    NO_ANSWER = "no_answer"
    EXPECTATION_FAILED = "expectation_failed"
    POLICY_REFUSED = "policy_refused"
    POLICY_KIND = "policy_kind"
    POLICY_PORT = "policy_port"
    POLICY_METHOD = "policy_method"
    POLICY_SIZE = "policy_size"
    POLICY_CHECKS = "policy_checks"
    POLICY_RATE = "policy_rate"
    POLICY_PAUSED = "policy_paused"
    PROXY_FAILED = "proxy_failed"
    NO_ROUTE = "no_route"
    NO_PERMISSION = "no_permission"
    EXHAUSTED = "exhausted"
    LATE_LAUNCH = "late_launch"
    DISTORTED = "distorted"
    OVERRAN = "overran"
    CANCELLED = "cancelled"
    UNRUNNABLE = "unrunnable"
    AGENT_FAULT = "agent_fault"

    @property
    def is_agent_fault(self) -> bool:
        """The agent or its site is the reason; such a result is never evidence (S-4)."""
        return self in _AGENT

    @property
    def meaning(self) -> str:
        """What was seen, in one line."""
        return _MEANINGS[self][0]

    @property
    def look_at(self) -> str:
        """What to look at first."""
        return _MEANINGS[self][1]


_AGENT: Final = frozenset({
    Failure.POLICY_REFUSED, Failure.POLICY_KIND, Failure.POLICY_PORT, Failure.POLICY_METHOD, Failure.POLICY_SIZE,
    Failure.POLICY_CHECKS, Failure.POLICY_RATE, Failure.POLICY_PAUSED, Failure.PROXY_FAILED, Failure.NO_ROUTE, Failure.NO_PERMISSION, Failure.EXHAUSTED,
    Failure.LATE_LAUNCH, Failure.DISTORTED, Failure.OVERRAN, Failure.CANCELLED, Failure.UNRUNNABLE, Failure.AGENT_FAULT,
})  # fmt: skip

_MEANINGS: Final[dict[Failure, tuple[str, str]]] = {
    Failure.RESOLVE_TIMEOUT: (
        "The name was not resolved in time.",
        "the resolvers of the site, the delegation of the name",
    ),
    Failure.RESOLVE_NOT_FOUND: (
        "The name does not exist, or has no address of the wanted family.",
        "the zone, the spelling, the address family of the check",
    ),
    Failure.RESOLVE_FAILED: (
        "The resolver answered with a failure.",
        "the name servers of the zone, DNSSEC, the resolvers of the site",
    ),
    Failure.CONNECT_TIMEOUT: (
        "No connection came about in time.",
        "firewalls, the load of the target, the path to it",
    ),
    Failure.CONNECT_REFUSED: (
        "The target refused the connection.",
        "whether the service listens on that port",
    ),
    Failure.UNREACHABLE: (
        "A router or the target said that it cannot be reached.",
        "routing towards the target, firewalls",
    ),
    Failure.TLS_TIMEOUT: (
        "The TLS handshake was not finished in time.",
        "the load of the target, whether the port speaks TLS",
    ),
    Failure.TLS_VERIFY_FAILED: (
        "The certificate is not trusted, not valid now, of another name, or not a pinned one.",
        "expiry, intermediate certificates, the names in the certificate, the pins",
    ),
    Failure.TLS_HANDSHAKE_FAILED: (
        "The TLS handshake failed for another reason than the certificate.",
        "protocol versions, whether the port speaks TLS",
    ),
    Failure.SEND_TIMEOUT: (
        "The target did not take the request in time.",
        "the load of the target",
    ),
    Failure.FIRST_BYTE_TIMEOUT: (
        "The request was sent and no answer began in time.",
        "the application behind the target",
    ),
    Failure.TRANSFER_TIMEOUT: (
        "The answer began and was not complete in time.",
        "bandwidth, the application behind the target",
    ),
    Failure.CONNECTION_LOST: (
        "The target closed or reset the connection before it answered.",
        "crashes and restarts of the service, proxies in front of it",
    ),
    Failure.TRUNCATED: (
        "The connection ended before the announced end of the answer.",
        "crashes of the service, proxies in front of it",
    ),
    Failure.PROTOCOL_ERROR: (
        "What came is not the expected protocol.",
        "what listens on that port",
    ),
    Failure.HEADERS_TOO_LARGE: (
        "The headers of the answer exceed the agent's bound.",
        "cookies and other headers that the service sets",
    ),
    Failure.BODY_TOO_LARGE: (
        "The body, after decompression, exceeds `body_max`.",
        "the page itself, or a larger body_max",
    ),
    Failure.BAD_ENCODING: (
        "The body is not what its Content-Encoding says, or not compressed as the check demands.",
        "compression in the service and in proxies before it",
    ),
    Failure.BAD_REDIRECT: (
        "A redirect leads to an address that is none.",
        "the Location header",
    ),
    Failure.TOO_MANY_REDIRECTS: (
        "There were more redirects than `redirects.max`.",
        "whether redirects go in a circle",
    ),
    Failure.TOKEN_FAILED: (
        "The token endpoint gave no token to ask with.",
        "the token endpoint, the client's name and secret",
    ),
    Failure.QUERY_TIMEOUT: (
        "No server answered the DNS query in time.",
        "the name server, firewalls for port 53",
    ),
    Failure.QUERY_REFUSED: (
        "Nothing listens at the name server's address.",
        "whether the name server runs",
    ),
    Failure.BAD_REPLY: (
        "The name server's reply cannot be read.",
        "the name server's software, middleboxes",
    ),
    Failure.DNSSEC_INVALID: (
        "The signatures of the answer do not lead to a trust anchor.",
        "expired signatures, the DS record at the parent, key rollovers, the anchors of the check",
    ),
    Failure.SERIALS_DIFFER: (
        "The name servers of the zone do not serve the same version of it, or one does not serve it.",
        "zone transfers, the name server that stands out in `serials`",
    ),
    Failure.PACKET_TOO_BIG: (
        "The packet may not be cut and is too big for the path.",
        "the MTU on the path, tunnels, the check's size",
    ),
    Failure.TTL_EXCEEDED: (
        "The packet ran out of hops on the way.",
        "routing loops, the check's ttl",
    ),
    Failure.DIALOGUE_TIMEOUT: (
        "The target was silent where the dialogue expects it to speak.",
        "the service behind the port, which side speaks first",
    ),
    Failure.UNEXPECTED_REPLY: (
        "The target said something else than the dialogue expects.",
        "the service's own error message in `detail`, the pattern of the step",
    ),
    Failure.REPLY_TOO_LARGE: (
        "The target sent a line, or in all more, than the agent takes in a dialogue.",
        "what listens on that port",
    ),
    Failure.STARTTLS_REFUSED: (
        "The target does not offer STARTTLS, or refused it.",
        "the certificate and TLS settings of the service, proxies that strip STARTTLS",
    ),
    Failure.NO_REPLY: (
        "No echo request was answered in time.",
        "the host, firewalls for ICMP",
    ),
    Failure.BAD_STATUS: (
        "The HTTP status is outside 200-299, or 200-399 where redirects are not followed.",
        "the application behind the target",
    ),
    Failure.BAD_RCODE: (
        "The DNS reply's code is not NOERROR.",
        "the zone and its name servers",
    ),
    Failure.NO_ANSWER: (
        "The DNS reply has no answer records.",
        "whether the name has records of that type",
    ),
    Failure.EXPECTATION_FAILED: (
        "An expectation of the check is not true.",
        "the expression and the values in `detail`",
    ),
    Failure.POLICY_REFUSED: (
        "This site does not agree to probe that address.",
        "the site's policy file, or the address that the name has",
    ),
    Failure.POLICY_KIND: (
        "This site does not agree to run probes of that kind.",
        "`kinds` in the site's policy file",
    ),
    Failure.POLICY_PORT: (
        "This site does not agree to reach that port.",
        "`ports` in the site's policy file",
    ),
    Failure.POLICY_METHOD: (
        "This site does not agree to send that HTTP method.",
        "`methods` in the site's policy file",
    ),
    Failure.POLICY_SIZE: (
        "The check sends or reads more than this site agrees to.",
        "`sizes` in the site's policy file, the check's own bounds",
    ),
    Failure.POLICY_CHECKS: (
        "This site does not agree to run so many checks.",
        "`checks` in the site's policy file",
    ),
    Failure.POLICY_RATE: (
        "This site does not agree to probe so often.",
        "`rates` in the site's policy file, the intervals of checks of that target",
    ),
    Failure.POLICY_PAUSED: (
        "This site has stopped all probing.",
        "`paused` in the site's policy file; ask its owner",
    ),
    Failure.PROXY_FAILED: (
        "The proxy could not be reached, closed without an answer, or did not let the agent through (407, or no tunnel).",
        "the proxy, its credentials and its rules",
    ),
    Failure.NO_ROUTE: (
        "The agent has no route or no address of that family.",
        "the agent's own network",
    ),
    Failure.NO_PERMISSION: (
        "The agent's process may not do what the probe needs.",
        "the capability or sysctl that `detail` names",
    ),
    Failure.EXHAUSTED: (
        "The agent ran out of file descriptors, ports, memory or threads.",
        "limits of the agent's process, checks per agent",
    ),
    Failure.LATE_LAUNCH: (
        "The probe could not be started near its slot.",
        "the agent's CPU, checks per agent",
    ),
    Failure.DISTORTED: (
        "The agent itself stood still while the probe ran, so that its times say nothing.",
        "the agent's CPU, checks per agent",
    ),
    Failure.OVERRAN: (
        "The probe did not end at its deadline and was stopped.",
        "the agent's CPU; please report it",
    ),
    Failure.CANCELLED: (
        "The probe was stopped by the agent.",
        "whether the agent was shutting down",
    ),
    Failure.UNRUNNABLE: (
        "This agent cannot run the check as it is defined.",
        "the definition, the agent's version",
    ),
    Failure.AGENT_FAULT: (
        "The agent failed in a way that it did not foresee.",
        "the agent's log; please report it",
    ),
}
