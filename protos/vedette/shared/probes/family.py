"""The address family of a check and of a host that is written as an address."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from vedette.shared.probes.part import Family

_VERSIONS = {Family.IPV4: 4, Family.IPV6: 6}


def family_problem(probe: Any) -> tuple[str, str] | None:
    """(expected, found) where `probe` wants another family than that of the address it names; else None.

    Such a check can never be anything but down, which says nothing of its target.
    """
    wanted = _VERSIONS.get(getattr(probe, "family", Family.ANY))
    url = getattr(probe, "full_url", None)
    host = getattr(probe, "host", None) if url is None else _host(url)
    if wanted is None or host is None:
        return None
    try:
        version = ip_address(host.partition("%")[0]).version
    except ValueError:
        return None
    if version == wanted:
        return None
    return f"ipv{version} or any, because {host} is an IPv{version} address", f"ipv{wanted}"


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
