"""What of a target's address may stand in a line: never user info, never the values of a query."""

from urllib.parse import urlsplit, urlunsplit

_HIDDEN = "*"
_CHARS_MAX = 300


def redacted_url(url: str) -> str:
    """`url` without user info, fragment and query values; the names of the query stay."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _HIDDEN
    host = parts.netloc.rpartition("@")[2]
    names = [pair.partition("=") for pair in parts.query.split("&")] if parts.query else []
    query = "&".join(f"{name}={_HIDDEN}" if eq else _HIDDEN for name, eq, _ in names)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))[:_CHARS_MAX]
