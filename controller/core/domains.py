"""Failure domains: which regions of a check share a provider or an autonomous system, and so a vote.

They are written out into the check when it comes into force, so that its revision says who votes, and
anyone can judge by the check alone.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec
from msgspec import UnsetType

from vedette.shared.definitions import Check, Distinct
from vedette.shared.probes import Finding


class Place(Protocol):
    """What a fleet file says of where a region is."""

    @property
    def provider(self) -> str | None:
        """Whose network it is in."""
        ...

    @property
    def asn(self) -> int | None:
        """The number of the autonomous system that it is in."""
        ...


def domain_of(place: Place, distinct: Distinct) -> str | None:
    """The domain of a region; None if it is one of its own."""
    if distinct is Distinct.PROVIDER:
        return place.provider or None
    if distinct is Distinct.ASN and place.asn is not None:
        return f"AS{place.asn}"
    return None


def with_domains(check: Check, places: Mapping[str, Place]) -> Check:
    """The check with its domains written out; one that says them keeps what it says."""
    quorum, regions = check.quorum, check.regions
    if quorum.distinct is Distinct.REGION or quorum.domains or isinstance(regions, UnsetType):
        return check
    found = {
        region: domain
        for region in regions
        if region in places
        if (domain := domain_of(places[region], quorum.distinct)) is not None
    }
    return msgspec.structs.replace(check, quorum=msgspec.structs.replace(quorum, domains=found))


def domain_findings(check: Check, places: Mapping[str, Place]) -> list[Finding]:
    """What is wrong with the domains of a check whose regions and domains are written out.

    A check may say its own domains where the file says nothing of a region, never others than the file.
    """
    quorum, regions = check.quorum, check.regions
    if quorum.distinct is Distinct.REGION or isinstance(regions, UnsetType):
        return []
    word = quorum.distinct.value
    known = {
        region: domain
        for region in regions
        if region in places
        if (domain := domain_of(places[region], quorum.distinct)) is not None
    }
    if not quorum.domains:
        expected = f"a region of the check with {word}: without any, each region has a vote anyway"
        return [(("quorum", "distinct"), expected, f"none in {', '.join(regions)}")]
    return [
        (("quorum", "domains"), f"{region}: {domain}, as this file says of the region", found)
        for region, domain in known.items()
        if (found := quorum.domains.get(region, "no such region")) != domain
    ]
