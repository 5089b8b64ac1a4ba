"""What icmplib's exceptions mean in the words of this agent."""

from pathlib import Path
from typing import Final

from icmplib import exceptions

from agent.probers.network.fault import Fault, fault_of
from vedette.shared.failure import Failure

_RANGE_FILE: Final = Path("/proc/sys/net/ipv4/ping_group_range")
# The nearest class up the tree decides.
_BY_CLASS: Final[dict[type[BaseException], Failure]] = {
    exceptions.NameLookupError: Failure.RESOLVE_NOT_FOUND,
    exceptions.SocketAddressError: Failure.NO_ROUTE,
    exceptions.SocketPermissionError: Failure.NO_PERMISSION,
    exceptions.SocketBroadcastError: Failure.NO_PERMISSION,
    exceptions.TimeoutExceeded: Failure.NO_REPLY,
    exceptions.DestinationUnreachable: Failure.UNREACHABLE,
    exceptions.TimeExceeded: Failure.TTL_EXCEEDED,
    exceptions.ICMPLibError: Failure.AGENT_FAULT,
}


def icmp_fault(error: BaseException, where: str) -> Fault:
    """What `error`, of icmplib's tree, means. The system's own error behind it says more, where there is one."""
    kind = next(_BY_CLASS[c] for c in type(error).__mro__ if c in _BY_CLASS)
    cause = error.__context__  # icmplib keeps only its text
    if kind is Failure.AGENT_FAULT and isinstance(cause, OSError):
        return fault_of(cause, where)
    if kind is Failure.NO_PERMISSION:
        return Fault(kind, permission_text())
    return Fault(kind, f"ICMP to {where}: {error}")


def permission_text() -> str:
    """What to set where this process may not send ICMP, and what it is set to now."""
    try:
        found = " ".join(_RANGE_FILE.read_text().split())
    except OSError:
        found = "unknown"
    return (
        "this agent may not send ICMP: give its process CAP_NET_RAW (setcap cap_net_raw+ep, or a "
        "container's --cap-add NET_RAW), or put its group into the sysctl net.ipv4.ping_group_range "
        f'(now "{found}"), as in sysctl -w net.ipv4.ping_group_range="0 2147483647"'
    )
