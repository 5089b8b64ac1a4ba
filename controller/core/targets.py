"""What a check probes, as names and addresses that two checks can have in common (S-16)."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from vedette.shared.definitions import Check
from vedette.shared.probes import DnsProbe, HttpProbe, IcmpProbe, TcpProbe
from vedette.shared.probes.endpoint import Endpoint


def targets_of(check: Check) -> frozenset[str]:
    """The hosts, addresses and zones that the check depends on, each in one spelling.

    A DNS check has the name that it asks for and the servers that it asks. Ports do not matter: what fails is
    the machine or the way to it. Hosts are the same only if they are written the same; what hangs together
    otherwise is for `depends_on` to say.
    """
    match check.probe:
        case HttpProbe() as probe:
            return _spelled(urlsplit(probe.full_url).hostname)
        case DnsProbe() as probe:
            servers = (Endpoint.parse(server).host for server in probe.servers)
            return _spelled(probe.name, *servers)
        case IcmpProbe() | TcpProbe() as probe:
            return _spelled(probe.host)


def _spelled(*names: str | None) -> frozenset[str]:
    return frozenset(_one(name) for name in names if name)


def _one(name: str) -> str:
    try:
        return str(ip_address(name))
    except ValueError:
        return name.lower().removesuffix(".")
