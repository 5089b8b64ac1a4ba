"""Hosts and URLs: what can be probed, and what should have been written instead."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

SCHEMES: Final = ("http", "https")
LABEL_CHARS_MAX: Final = 63
PORT_EXPECTED: Final = "a URL with a port from 1 to 65535"

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f]")


def url_problem(url: str) -> str | None:
    """What `url` should have been, if it cannot be probed."""
    if _UNSAFE.search(url):
        return "a URL without spaces and control characters"
    try:
        parts: SplitResult = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        is_port = str(error).startswith(("Port ", "Invalid port"))
        return PORT_EXPECTED if is_port else f"a URL ({error})"
    if parts.scheme not in SCHEMES:
        return f"a URL that begins with {' or '.join(f'{s}://' for s in SCHEMES)}"
    if not host:
        return "a URL with a host"
    if port == 0:
        return PORT_EXPECTED
    return host_problem(host) and f"a URL whose host is {host_problem(host)}"


def host_problem(host: str) -> str | None:
    """What `host` should have been, if it is neither a name nor an address."""
    if "://" in host:
        return "a name or an address alone, without a scheme and a path"
    if host.rpartition(":")[2].isdecimal() and host.count(":") == 1:
        return "a name or an address alone, without a port"
    if ":" in host:
        return None if re.fullmatch(r"[0-9A-Fa-f:.]+(%[\w.-]+)?", host) else "an IPv6 address"
    labels = host.removesuffix(".").split(".")
    if _UNSAFE.search(host) or any(not 1 <= len(label) <= LABEL_CHARS_MAX for label in labels):
        return "a name with labels of 1 to 63 characters, or an address"
    return "a name, without / @ [ ] % or \\" if re.search(r"[/@\[\]%\\]", host) else None


def shown_url(url: str) -> str:
    """`url` for people, however wrong it is: without user info, fragment and the values of its query."""
    place, mark, query = url.partition("#")[0].partition("?")
    scheme, slashes, rest = place.partition("://") if _SCHEME.match(place) else ("", "", place)
    authority, slash, path = rest.partition("/")
    names = [pair.partition("=") for pair in query.split("&")] if query else []
    shown = "&".join(f"{name}=*" if eq else "*" for name, eq, _ in names)
    return f"{scheme}{slashes}{authority.rpartition('@')[2]}{slash}{path}{mark}{shown}"
