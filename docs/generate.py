"""Generate the reference parts of the documentation from the code (the only way to do so).

The tables of docs/checks.md, docs/contracts.md and docs/failures.md, between their marks, and docs/check.schema.json. `--check` fails
if one of them is not up to date.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from controller.core.sla.terms.contracts import Contract
from controller.core.sla.terms.exclusions import Exclusion
from vedette.shared.definitions import Check
from vedette.shared.failure import Failure
from vedette.shared.probes import PROBES

ROOT = Path(__file__).parent
SCHEMA = ROOT / "check.schema.json"
_MARK = re.compile(r"(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WORDS_EXPECTED = {"parts", "keys", "variables"}
_DURATION = "a duration"
# Where a part's own table stands, besides its place in the order.
_TITLES = {
    "Check": "check", "HttpProbe": "http", "Auth": "http.auth", "BasicAuth": "http.auth.basic",
    "OAuth2": "http.auth.oauth2", "Redirects": "http.redirects", "PhaseTimeouts": "http.phase_timeouts",
    "TlsDemands": "tls", "ClientCertificate": "tls.client", "DnsProbe": "dns", "Dnssec": "dns.dnssec",
    "IcmpProbe": "icmp", "TcpProbe": "tcp", "Step": "tcp.dialogue[]", "Quorum": "quorum", "OutageRules": "outage",
    "Contract": "contract", "Scope": "scope", "KOfN": "scope.k_of_n", "PeriodTerms": "period", "ServiceHours": "service_hours",
    "Availability": "objectives[], metric: availability", "Latency": "objectives[], metric: latency",
    "Acknowledge": "objectives[], metric: acknowledge", "Resolve": "objectives[], metric: resolve",
    "OutageTerms": "outage", "ExclusionClauses": "exclusions", "ExclusionTerms": "exclusions.<type>", "Overlay": "overlays[]", "Credits": "credits",
    "Tier": "credits.tiers[]", "PerMinute": "credits.per_minute", "Blocks": "credits.blocks", "DayBand": "credits.day_bands[]",
    "AtRisk": "credits.at_risk", "EarnBack": "credits.at_risk.earn_back", "Extension": "credits.extension",
    "DayTier": "credits.extension.tiers[]", "Termination": "termination", "Grade": "grades[]", "Cost": "cost",
    "Lateness": "lateness", "Exclusion": "exclusions[] of the file", "ExclusionScope": "exclusions[].scope",
}  # fmt: skip
_CHAPTERS = {
    "http": ("HttpProbe", "Redirects", "PhaseTimeouts", "Auth", "BasicAuth", "OAuth2"),
    "dns": ("DnsProbe", "Dnssec"),
    "icmp": ("IcmpProbe",),
    "tcp": ("TcpProbe", "Step"),
    "tls": ("TlsDemands", "ClientCertificate"),
    "check": ("Check", "Quorum", "OutageRules"),
}
# Those of contracts, whose words stand in a file of their own.
_CLAUSES = {
    "contract": ("Contract",),
    "scope": ("Scope", "KOfN"),
    "time": ("PeriodTerms", "ServiceHours", "Overlay", "Lateness"),
    "objectives": ("Availability", "Latency", "Acknowledge", "Resolve"),
    "outage": ("OutageTerms",),
    "exclusions": ("ExclusionClauses", "ExclusionTerms", "Exclusion", "ExclusionScope"),
    "credits": (
        "Credits", "Tier", "PerMinute", "Blocks", "DayBand", "AtRisk", "EarnBack", "Extension", "DayTier",
    ),
    "consequences": ("Grade", "Termination", "Cost"),
}  # fmt: skip


class Words:
    """docs/words.yaml, or a file like it: what keys and variables mean."""

    def __init__(self, name: str = "words.yaml") -> None:
        words: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
        assert set(words) <= _WORDS_EXPECTED
        self.parts: Mapping[str, str] = words["parts"]
        self.keys: Mapping[str, str] = words["keys"]
        self.variables: Mapping[str, Mapping[str, str]] = words.get("variables", {})

    def problems(self, parts: Mapping[str, Any]) -> Iterator[str]:
        """Keys without words, and words without a key."""
        known: set[str] = set()
        for name, part in parts.items():
            known |= {f"{name}.{key}" for key in part["properties"]}
            known |= {name}
            if name not in self.parts:
                yield f"parts: {name} has no words"
            for key, schema in part["properties"].items():
                if f"{name}.{key}" not in self.keys and not _described(schema):
                    yield f"keys: {name}.{key} has no words"
        yield from (f"keys: there is no {k}" for k in (*self.keys, *self.parts) if k not in known)
        for kind, probe in PROBES.items() if self.variables else ():
            found = set(self.variables.get(kind, ()))
            yield from (
                f"variables: {kind} has no words for {v}" for v in sorted(probe.variables - found)
            )
            yield from (
                f"variables: {kind} has no {v}" for v in sorted(found - set(probe.variables))
            )


def schema() -> dict[str, Any]:
    """The JSON Schema of a check, with the words as descriptions."""
    words, found = Words(), msgspec.json.schema(Check)
    for name, part in _parts(found).items():
        part["description"] = words.parts.get(name, part.get("description", ""))
        for key, value in part["properties"].items():
            text = words.keys.get(f"{name}.{key}")
            if text is not None and "$ref" not in value:
                value["description"] = f"{text}: {d}" if (d := _described(value)) else text
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A check of Vedette",
        **found,
    }


def tables(what: str) -> str:
    """The generated text for a mark."""
    words = Words()
    if what == "failures":
        return _failures()
    subject, _, chapter = what.partition(" ")
    if subject == "variables":
        return _table(("variable", "what it is"), sorted(words.variables[chapter].items()))
    if subject == "clauses":
        return _keys(Words("contract-words.yaml"), _contract_schema(), _CLAUSES[chapter])
    assert subject == "keys", f"unknown mark {what!r}"
    return _keys(words, msgspec.json.schema(Check), _CHAPTERS[chapter])


def _contract_schema() -> dict[str, Any]:
    """What may stand under `contracts:` and `exclusions:`."""
    _, parts = msgspec.json.schema_components([Contract, Exclusion], ref_template="#/$defs/{name}")
    return {"$defs": parts}


def _keys(words: Words, found: Mapping[str, Any], names: Iterable[str]) -> str:
    """A table of the keys of each part."""
    parts = _parts(found)
    text = ""
    for name in (n for n in names if n in parts):
        part = parts[name]
        needed = part.get("required", [])
        rows = [
            (f"`{key}`", _meaning(words, name, key, value), _shape(value, found), _default(value, needed=key in needed))
            for key, value in part["properties"].items()
        ]  # fmt: skip
        text += f"**`{_TITLES[name]}`** — {words.parts.get(name, '')}\n\n"
        text += _table(("key", "what it says", "value", "if left out"), rows) + "\n"
    return text


def page(text: str) -> str:
    """`text` with everything between its marks made anew."""
    return _MARK.sub(lambda match: f"{match[1]}{tables(match[2])}{match[3]}", text)


def fresh() -> dict[Path, str]:
    """Every generated file as it should be."""
    for name, parts in (
        ("words.yaml", _parts(msgspec.json.schema(Check))),
        ("contract-words.yaml", _parts(_contract_schema())),
    ):
        words = list(Words(name).problems(parts))
        if words:
            sys.exit(f"docs/{name}:\n" + "\n".join(f"  {problem}" for problem in words))
    pages = {
        ROOT / name: page((ROOT / name).read_text())
        for name in ("checks.md", "contracts.md", "failures.md")
    }
    return {SCHEMA: json.dumps(schema(), indent=1, ensure_ascii=False) + "\n", **pages}


def main() -> None:
    """Generate in place, or compare with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    is_check = parser.parse_args().check
    stale = [
        p for p, text in fresh().items() if not p.exists() or p.read_text(encoding="utf-8") != text
    ]
    if is_check and stale:
        sys.exit(f"not up to date: {', '.join(p.name for p in stale)}. Run: make docs")
    for path in stale:
        path.write_text(fresh()[path], encoding="utf-8")


def _parts(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in found["$defs"].items() if "properties" in part}


def _described(value: Mapping[str, Any]) -> str:
    options = [value, *value.get("anyOf", ())]
    return next((o["description"] for o in options if "description" in o), "")


def _meaning(words: Words, name: str, key: str, value: Mapping[str, Any]) -> str:
    return words.keys.get(f"{name}.{key}") or _described(value)


def _shape(value: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """What may stand there, in a few words."""
    if [o.get("type") for o in value.get("anyOf", ())] == ["string", "integer"]:
        return "an instant"
    if "anyOf" in value:
        return " or ".join(_shape(o, found) for o in value["anyOf"] if o.get("type") != "null")
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        part = found["$defs"][name]
        return f"see `{_TITLES[name]}`" if "properties" in part else _shape(part, found)
    if "enum" in value:
        return ", ".join(f"`{word}`" for word in value["enum"])
    if value["type"] == "array":
        most = f" up to {value['maxItems']}" if "maxItems" in value else ""
        return f"list of{most}: {_shape(value['items'], found)}"
    if value["type"] == "object":
        return "mapping"
    if value["type"] == "string":
        is_duration = "(us|ms|s|m|h|d)" in value.get("pattern", "")
        return _DURATION if is_duration else f"text{_most(value, 'maxLength')}"
    if value["type"] == "integer":
        least, bound = value.get("minimum", 0), value.get("maximum")
        return f"{least:,} or more" if bound is None else f"{least:,} to {bound:,}"
    return "`true`, `false`" if value["type"] == "boolean" else str(value["type"])


def _most(value: Mapping[str, Any], name: str) -> str:
    return f", at most {value[name]:,}" if name in value else ""


def _default(value: Mapping[str, Any], *, needed: bool) -> str:
    if needed:
        return "needed"
    default = value.get("default")
    shown = default if isinstance(default, str) else json.dumps(default)
    is_nothing = str(default) in ("None", "", "[]", "()", "{}")
    return "" if is_nothing else f"`{shown}`"


def _failures() -> str:
    rows = [
        (f"`{kind}`", "the agent" if kind.is_agent_fault else "the target", kind.meaning, kind.look_at)
        for kind in Failure
    ]  # fmt: skip
    return _table(("kind", "says something of", "what was seen", "what to look at"), rows)


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    cells = ([str(cell).replace("|", "\\|") for cell in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


if __name__ == "__main__":
    main()
