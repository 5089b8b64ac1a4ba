"""What follows from several periods of a contract, as people read it."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from controller.cli.output import instant, plain
from controller.core.sla.figures.attainment import shown_percent
from controller.core.sla.money.money import exact_text


def with_rights(document: bytes, rights: Sequence[dict[str, Any]]) -> bytes:
    """The document of records with the rights behind them; where there are none, as it is, byte for byte."""
    if not rights:
        return document
    return (
        document.rstrip(b"\n").removesuffix(b"}")
        + b',"rights":'
        + msgspec.json.encode(rights)
        + b"}\n"
    )


def write_rights(rights: Sequence[dict[str, Any]], zone: ZoneInfo) -> None:
    """A line for each right, chain and pool."""
    for one in rights:
        for line in _lines(one, zone):
            click.echo(plain(f"{one['contract']} {line}"))


def _lines(one: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    for chain in one.get("termination", ()):
        yield f"{chain['objective']}: {_chain(chain, zone)}"
    for pool in one.get("earn_back", ()):
        standing = pool["standing"].replace("_", " ")
        yield f"{pool['objective']}: {pool['taken']} taken in {pool['label']}, {standing}: {'; '.join(pool['steps'])}"
    year = one.get("year")
    if year:
        credited = sum((Fraction(amount) for amount in year["credited"].values()), Fraction(0))
        left = max(Fraction(year["cap"]) - credited, Fraction(0))
        yield (
            f"credits of the year: {exact_text(credited)} of at most {year['cap']} {year['currency']},"
            f" {exact_text(left)} left"
        )


def _chain(chain: dict[str, Any], zone: ZoneInfo) -> str:
    bound = f"below {chain['below']}% in {chain['periods']} periods running"
    links = ", ".join(f"{one['label']} {_attained(one, chain['below'])}" for one in chain["chain"])
    listed = f" ({links})" if links else ""
    if chain["arose_at"] is not None:
        return f"right to terminate since {instant(chain['arose_at'], zone)}, {bound}{listed}"
    return f"no right to terminate, which needs to be {bound}: {chain['count']} so far{listed}"


def _attained(link: dict[str, Any], below: str) -> str:
    found = link["attainment"]
    if found is None:
        return "not judged"
    return f"{shown_percent(Fraction(found['num'], found['den']), below)}%"
