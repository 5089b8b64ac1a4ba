"""What an HTTP probe saw, as variables for expectations and as facts for the line."""

import codecs
from collections.abc import Mapping, Sequence, Set
from hashlib import sha256
from typing import Any, Final

import msgspec

from agent.core.redaction import redacted_url
from agent.probers.network.certificate import tls_facts, tls_variables
from agent.probers.transport.answer import Answer
from agent.probers.transport.wants import Hop
from vedette.shared.limits import HEADER_NAMES_SHOWN_MAX, JSON_BYTES_MAX, JSON_DEPTH_MAX

# By allow-list: some of Python's codecs take quadratic time on hostile input.
_CHARSETS: Final = frozenset(
    codecs.lookup(name).name
    for name in (
        "utf-8", "utf-8-sig", "ascii", "latin-1", "iso8859-2", "iso8859-15", "cp1250", "cp1251", "cp1252",
        "cp1253", "cp1254", "cp1256", "koi8-r", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gbk", "gb2312",
        "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
    )
)  # fmt: skip


def phases_ms(phases_us: Mapping[str, int]) -> dict[str, float]:
    """Phases as expectations see them."""
    return {f"{name}_ms": us / 1000 for name, us in phases_us.items()}


def variables_of(hops: Sequence[Hop], took_us: int, now_us: int, names: Set[str]) -> dict[str, Any]:
    """The expectation variables: those of `names` that cost something, and all that cost nothing."""
    last = hops[-1]
    values: dict[str, Any] = {
        "took_ms": took_us / 1000,
        "url": last.url,
        "phases": phases_ms(last.phases_us),
    }
    if "hops" in names:
        values["hops"] = [_hop_variables(hop) for hop in hops]
    if last.addr is not None:
        values["addr"] = last.addr
    if last.is_tls and "tls" in names:
        values["tls"] = tls_variables(
            last.chain, last.tls_version, last.tls_cipher,
            verified=last.tls_verified, now_us=now_us,
        )  # fmt: skip
    if last.response is not None and last.response.status:
        values |= _response_variables(last.response, names)
    return values


def facts_of(hops: Sequence[Hop], method: str, url_shown: str) -> dict[str, Any]:
    """The `http` part of the line: sizes, hashes and names, never contents. `url_shown` is of the first hop."""
    last = hops[-1]
    facts: dict[str, Any] = {
        "method": method,
        "url": url_shown if len(hops) == 1 else redacted_url(last.url),
    }
    response = last.response
    if response is not None and response.status:
        facts |= {"status": response.status, "version": f"HTTP/{response.version}"}
        names = dict.fromkeys(name.decode("latin-1")[:100] for name, _ in response.headers)
        facts["headers"] = list(names)[:HEADER_NAMES_SHOWN_MAX]
        if response.interim:
            facts["interim"] = response.interim
        if response.body is not None:
            content = response.body.content
            facts["size"] = len(content)
            facts["sha256"] = sha256(content).hexdigest()
            if response.body.received_bytes != len(content):
                facts["received"] = response.body.received_bytes
    if last.is_tls:
        facts["tls"] = tls_facts(last.chain, last.tls_version, last.tls_cipher)
    if len(hops) > 1:
        facts["hops"] = [_hop_facts(hop) for hop in hops]
    return facts


def _response_variables(response: Answer, names: Set[str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "status": response.status,
        "reason": response.reason,
        "version": f"HTTP/{response.version}",
    }
    if names & {"headers", "headers_all"}:
        every = _headers(response)
        values["headers"] = {name: found[0] for name, found in every.items()}
        values["headers_all"] = every
    if response.body is None or not response.is_complete:
        return values
    content = response.body.content
    values["body_size"] = len(content)
    if "body_sha256" in names:
        values["body_sha256"] = sha256(content).hexdigest()
    if response.body.is_plain and "body" in names:
        values["body"] = _text(content, response.header(b"content-type").decode("latin-1"))
    if response.body.is_plain and "json" in names:
        values |= _json(content)
    return values


def _headers(response: Answer) -> dict[str, list[str]]:
    every: dict[str, list[str]] = {}
    for name, value in response.headers:
        every.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return every


def _hop_variables(hop: Hop) -> dict[str, Any]:
    values: dict[str, Any] = {"url": hop.url, "phases": phases_ms(hop.phases_us)}
    if hop.addr is not None:
        values["addr"] = hop.addr
    if hop.response is not None and hop.response.status:
        values["status"] = hop.response.status
    return values


def _hop_facts(hop: Hop) -> dict[str, Any]:
    facts: dict[str, Any] = {"url": redacted_url(hop.url), "phases": dict(hop.phases_us)}
    if hop.addr is not None:
        facts["addr"] = hop.addr
    if hop.response is not None and hop.response.status:
        facts["status"] = hop.response.status
    return facts


def _text(content: bytes, content_type: str) -> str:
    """The body as text. What does not fit the charset becomes replacement characters."""
    name = "utf-8"
    for parameter in content_type.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset":
            name = value.strip().strip("\"'")
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        codec = "utf-8"
    return content.decode(codec if codec in _CHARSETS else "utf-8", errors="replace")


def _json(content: bytes) -> dict[str, Any]:
    """The body as JSON under its name; nothing if it is none, too large, or nested without measure."""
    if len(content) > JSON_BYTES_MAX:
        return {}
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}
    brackets = content.count(b"[") + content.count(b"{")
    if brackets > JSON_DEPTH_MAX and not _is_shallow(value):
        return {}
    return {"json": value}


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(JSON_DEPTH_MAX):
        level = [
            inner
            for part in level
            if isinstance(part, dict | list)
            for inner in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return True
    return False
