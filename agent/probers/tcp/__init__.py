"""TCP probes: a connection, TLS from the start or on demand, and a dialogue whose answers are matched."""

from agent.probers.tcp.prober import TcpProber

__all__ = ["TcpProber"]
