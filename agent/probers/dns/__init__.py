"""DNS probes: a question to chosen name servers over UDP, TCP, TLS or HTTPS, and what the answer proves."""

from agent.probers.dns.prober import DnsProber

__all__ = ["DnsProber"]
