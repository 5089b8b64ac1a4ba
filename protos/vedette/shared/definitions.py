"""Checks: one set of structs for YAML, JSON Schema and the wire.

A check travels to agents as `canonical_bytes(check)`: JSON with sorted keys, defaults left out, regions
written out. Its SHA-256 is the check's revision, which every result names.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction
from functools import cache, lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from vedette.shared.durations import Duration
from vedette.shared.identity import ID_EXPECTED, ID_PATTERN, LABEL_VALUE_PATTERN, is_id
from vedette.shared.limits import LABELS_MAX, OUTAGE_INTERVAL_US_MIN
from vedette.shared.probes import (
    PROBES,
    DnsProbe,
    DurationText,
    Finding,
    HttpProbe,
    IcmpProbe,
    Part,
    Probe,
    TcpProbe,
)
from vedette.shared.probes.family import family_problem

Id = Annotated[str, Meta(pattern=ID_PATTERN, description="lower-case letters, digits, - _ .")]
LabelValue = Annotated[str, Meta(pattern=LABEL_VALUE_PATTERN)]


@lru_cache(maxsize=4096)
@lru_cache(maxsize=1024)
def micros(text: str) -> int:
    """The duration that `text` says, in microseconds."""
    return int(Duration.parse(text))


class Rule(StrEnum):
    """How many regions make a verdict (S-12)."""

    MAJORITY = "majority"
    AT_LEAST_HALF = "at_least_half"
    ALL = "all"
    ANY = "any"
    K_OF = "k_of"
    HEALTHY_FRACTION = "healthy_fraction"


class Distinct(StrEnum):
    """What has one vote: a region, or all regions of a provider or of an autonomous system together."""

    REGION = "region"
    PROVIDER = "provider"
    ASN = "asn"


class Quorum(Part, frozen=True):
    """How samples become labels and labels a verdict (SEMANTICS 2 and 3).

    `domains` names the provider or system of each region that has one, as the fleet file said when the
    check was put in force: the check alone says who votes.
    """

    rule: Rule = Rule.MAJORITY
    distinct: Distinct = Distinct.REGION
    domains: dict[Id, Annotated[str, Meta(min_length=1)]] = field(default_factory=dict)
    k: Annotated[int, Meta(ge=1)] | None = None
    strict: bool = False
    fraction: Annotated[str, Meta(pattern=r"^[0-9]{1,9}/[1-9][0-9]{0,8}$")] | None = None
    min_evidence: Annotated[int, Meta(ge=1)] | None = None
    fail_after: Annotated[int, Meta(ge=1, le=100)] = 2
    recover_after: Annotated[int, Meta(ge=1, le=100)] = 2
    freshness: DurationText | None = None
    partial_weight: Literal["0", "1", "regions", "weights"] = "0"
    weights: dict[str, Annotated[str, Meta(pattern=r"^(0(\.[0-9]{1,9})?|1(\.0{1,9})?)$")]] = field(
        default_factory=dict
    )


class OutageRules(Part, frozen=True):
    """How DOWN intervals become outages, and outages incidents (SEMANTICS 4)."""

    merge_gap: DurationText = "120s"
    correlation_window: DurationText = "120s"
    abandon_after: DurationText = "24h"
    every: DurationText | None = None


class Check(Part, frozen=True):
    """One check: what is probed, how often, from where, and how failures are judged."""

    id: Id
    service: Id
    every: DurationText = "60s"
    timeout: DurationText | None = None
    degraded_over: DurationText | None = None
    regions: list[Id] | UnsetType = UNSET
    agents: Annotated[dict[str, LabelValue], Meta(max_length=LABELS_MAX)] = field(
        default_factory=dict
    )
    http: HttpProbe | UnsetType = UNSET
    dns: DnsProbe | UnsetType = UNSET
    icmp: IcmpProbe | UnsetType = UNSET
    tcp: TcpProbe | UnsetType = UNSET
    quorum: Quorum = field(default_factory=Quorum)
    outage: OutageRules = field(default_factory=OutageRules)

    @property
    def kind(self) -> str:
        """Name of the probe: http, dns, icmp or tcp."""
        # Asked several times for every result; a loop over the names would take four times as long.
        if self.http is not UNSET:
            return "http"
        if self.icmp is not UNSET:
            return "icmp"
        if self.dns is not UNSET:
            return "dns"
        if self.tcp is not UNSET:
            return "tcp"
        raise ValueError(f"check {self.id} has no probe")

    @property
    def probe(self) -> Probe:
        """The probe that the check runs."""
        for probe in (self.http, self.dns, self.icmp, self.tcp):
            if not isinstance(probe, UnsetType):
                return probe
        raise ValueError(f"check {self.id} has no probe")

    @property
    def target(self) -> str:
        """What is probed, in one line for people."""
        return self.probe.target

    @property
    def interval_us(self) -> int:
        """Time between two runs in a region."""
        return micros(self.every)

    @property
    def timeout_us(self) -> int:
        """Time that a run may take: what was said, or ten seconds, or 4/5 of the interval if that is less."""
        if self.timeout:
            return micros(self.timeout)
        return min(_TIMEOUT_US, self.interval_us * 4 // 5 // 1000 * 1000)

    @property
    def outage_interval_us(self) -> int:
        """Time between two runs in a region while an outage is open: what was said, or a quarter of the interval.

        At least five seconds, but never longer than the interval itself.
        """
        if self.outage.every:
            return micros(self.outage.every)
        return min(max(self.interval_us // 4, OUTAGE_INTERVAL_US_MIN), self.interval_us)

    @property
    def freshness_us(self) -> int:
        """F of S-7: how long a sample counts. 2.5 intervals unless set."""
        return micros(self.quorum.freshness) if self.quorum.freshness else self.interval_us * 5 // 2


_TIMEOUT_US: Final = 10_000_000
KINDS: Final = tuple(PROBES)

_encoder: Final = msgspec.json.Encoder(order="sorted")
_decoder: Final = msgspec.json.Decoder(Check)


def canonical_bytes(check: Check) -> bytes:
    """The bytes that stand for this revision of the check, everywhere and for ever.

    A default says the same written out and left out, so it is always left out.
    """
    return _encoder.encode(_spoken(check))


def _spoken(value: object) -> object:
    """A struct as a mapping of what differs from its defaults; anything else as it is."""
    if isinstance(value, list | tuple):
        return [_spoken(item) for item in value]
    if not isinstance(value, msgspec.Struct):
        return value
    said: dict[str, object] = {}
    for each in msgspec.structs.fields(value):
        own = getattr(value, each.name)
        factory = each.default_factory
        default = each.default if factory is msgspec.NODEFAULT else factory()
        if own is not UNSET and own != default:
            said[each.encode_name] = _spoken(own)
    return said


@cache
def _names_of(kind: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """What each field is called where it is written, and in the struct."""
    return tuple((each.encode_name, each.name) for each in msgspec.structs.fields(kind))


def written_out(value: Any) -> Any:
    """A struct as plain data with every default said: what two revisions are compared by."""
    if isinstance(value, list | tuple):
        return [written_out(item) for item in value]
    if not isinstance(value, msgspec.Struct):
        return value
    said = {name: getattr(value, attribute) for name, attribute in _names_of(type(value))}
    return {key: written_out(own) for key, own in said.items() if own is not UNSET}


def digest_of(definition: bytes) -> str:
    """The revision that `definition` is: SHA-256 in hexadecimal."""
    return hashlib.sha256(definition).hexdigest()


def decode_check(definition: bytes) -> Check:
    """The check that canonical bytes stand for. ValueError says what is wrong with them."""
    try:
        return _decoder.decode(definition)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error


def domains_of(regions: Sequence[str], quorum: Quorum) -> tuple[int, ...]:
    """The number of the domain that each region is of, from 0 in order of appearance.

    A region of which no domain is known is a domain of its own.
    """
    numbers: dict[tuple[str, str], int] = {}
    keys = (
        ("domain", quorum.domains[region]) if region in quorum.domains else ("region", region)
        for region in regions
    )
    return tuple(numbers.setdefault(key, len(numbers)) for key in keys)


def fraction_of(text: str) -> Fraction:
    """`18/100` as a fraction."""
    numerator, denominator = text.split("/")
    return Fraction(int(numerator), int(denominator))


def findings(check: Check, *, is_new: bool = False) -> list[Finding]:
    """What is wrong with a well-formed check on its own: (path, expected, found) each.

    A timeout as long as the interval is refused in a check that is new here. One that is or was in force, here
    or elsewhere, may have it: what was measured under it is read as ever.
    Rules that span several fields stand here, for the fleet file and for one-shot probes alike.
    """
    found: list[Finding] = []
    kinds = [k for k in KINDS if getattr(check, k) is not UNSET]
    if len(kinds) != 1:
        found.append(((), f"exactly one of {', '.join(KINDS)}", " and ".join(kinds) or "none"))
    interval, timeout = check.interval_us, check.timeout_us
    for kind in kinds:
        probe = getattr(check, kind)
        found += [
            ((kind, *path), expected, seen) for path, expected, seen in probe.problems(timeout)
        ]
        if is_new and (wrong := family_problem(probe)) is not None:
            found.append(((kind, "family"), *wrong))
    if check.degraded_over and not 0 < micros(check.degraded_over) < timeout:
        expected = f"a time below the timeout ({Duration(timeout)})"
        found.append((("degraded_over",), expected, check.degraded_over))
    if interval < 1_000_000 or interval > 86_400_000_000:
        found.append((("every",), "an interval from 1s to 24h", check.every))
    longest = min(interval - 1 if is_new else interval, 120_000_000)
    if not 1_000 <= timeout <= longest:
        below = f"below the interval ({check.every}), so that runs do not overlap"
        expected = f"a timeout of 1ms or more, 120s at most and {below}"
        found.append((("timeout",), expected, str(check.timeout)))
    elif check.freshness_us < interval + timeout:
        expected = f"at least interval + timeout ({Duration(interval + timeout)}): a result must outlive the next run"
        found.append((("quorum", "freshness"), expected, str(check.quorum.freshness)))
    found += [
        (("agents",), f"as label {ID_EXPECTED}", repr(key))
        for key in check.agents
        if not is_id(key)
    ]
    return found + _outage_findings(check) + _quorum_findings(check)


def _outage_findings(check: Check) -> list[Finding]:
    interval_us = check.interval_us
    least_us = min(OUTAGE_INTERVAL_US_MIN, interval_us)
    if not check.outage.every or least_us <= check.outage_interval_us <= interval_us:
        return []
    expected = f"a time from {Duration(least_us)} to the check's own interval ({check.every})"
    return [(("outage", "every"), expected, check.outage.every)]


_VOTERS: Final = {
    Distinct.REGION: "regions",
    Distinct.PROVIDER: "providers of the regions",
    Distinct.ASN: "autonomous systems of the regions",
}


def _quorum_findings(check: Check) -> list[Finding]:
    quorum = check.quorum
    found: list[Finding] = []
    if (quorum.rule is Rule.K_OF) != (quorum.k is not None):
        found.append((("quorum", "k"), "k together with rule k_of, and only then", str(quorum.k)))
    if (quorum.rule is Rule.HEALTHY_FRACTION) != (quorum.fraction is not None):
        expected = "a fraction such as 18/100 together with rule healthy_fraction, and only then"
        found.append((("quorum", "fraction"), expected, str(quorum.fraction)))
    if quorum.fraction and fraction_of(quorum.fraction) > 1:
        found.append((("quorum", "fraction"), "a fraction of at most 1", quorum.fraction))
    if (quorum.partial_weight == "weights") != bool(quorum.weights):
        expected = "weights together with partial_weight: weights, and only then"
        found.append((("quorum", "weights"), expected, f"{len(quorum.weights)} weights"))
    if quorum.domains and quorum.distinct is Distinct.REGION:
        expected = "domains together with distinct: provider or asn, and only then"
        found.append((("quorum", "domains"), expected, f"{len(quorum.domains)} domains"))
    regions = check.regions
    if not isinstance(regions, UnsetType):
        strangers = sorted(set(quorum.domains) - set(regions))
        if strangers:
            expected = "domains of the check's own regions"
            found.append((("quorum", "domains"), expected, ", ".join(strangers)))
        if not regions or len(set(regions)) != len(regions):
            found.append(
                (("regions",), "at least one region, each once", ", ".join(regions) or "none")
            )
        unknown = sorted(set(quorum.weights) - set(regions))
        if unknown:
            found.append(
                (("quorum", "weights"), "weights of the check's own regions", ", ".join(unknown))
            )
        voters = len(set(domains_of(regions, quorum)))
        if quorum.min_evidence is not None and quorum.min_evidence > voters:
            expected = f"at most the number of {_VOTERS[quorum.distinct]} ({voters})"
            found.append((("quorum", "min_evidence"), expected, str(quorum.min_evidence)))
    return found
