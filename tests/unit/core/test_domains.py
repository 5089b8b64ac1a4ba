"""Failure domains: regions that share a provider or an autonomous system have one vote (S-12)."""

from typing import Any

import pytest

from controller.core.fleet import read_fleet
from controller.core.labels import Label
from controller.core.policy import policy_of
from controller.core.quorum import Verdict, verdict
from controller.services.outages.rule import rule_in_words
from tests.unit.core.scenes import SECOND, Scene, every_minute, policy
from vedette.shared.definitions import Distinct, Rule, canonical_bytes, decode_check
from vedette.shared.documents import BadDocument

NAMES = {"?": Label.NONE, "U": Label.UP, "G": Label.DEGRADED, "D": Label.DOWN}
FLEET = """
version: 1
regions:
  - {id: fra, provider: hetzner, asn: 24940}
  - {id: nbg, provider: hetzner, asn: 24940}
  - {id: hel, provider: hetzner, asn: 24941}
  - {id: nyc, provider: aws}
  - {id: sin}
services: [{id: shop}]
checks:
  - {id: home, service: shop, http: {url: "http://shop.example/"}, quorum: {distinct: provider}}
"""


def _verdict(votes: str, domains: tuple[int, ...], **rules: Any) -> Verdict:
    own = policy("abcdef"[: len(votes)], domains=domains, **rules)
    return verdict(own, [NAMES[v] for v in votes])


THREE_AT_ONE = (0, 0, 0, 1, 2)


@pytest.mark.parametrize(
    ("votes", "rules", "expected"),
    [
        pytest.param("DDDUU", {}, Verdict.PARTIAL, id="three of one provider are one vote"),
        pytest.param("DDDDU", {}, Verdict.DOWN, id="two of three providers"),
        pytest.param("DDUDD", {}, Verdict.DOWN, id="two without the one that is not whole"),
        pytest.param("DDUDU", {}, Verdict.PARTIAL, id="a domain is down with all of its regions"),
        pytest.param("DD?DU", {}, Verdict.DOWN, id="with all of those that have evidence"),
        pytest.param("DDU??", {"min_evidence": 1}, Verdict.PARTIAL, id="part of the only domain"),
        pytest.param("DDD??", {}, Verdict.UNKNOWN, id="one domain is one witness"),
        pytest.param("UUU??", {}, Verdict.UNKNOWN, id="of success too"),
        pytest.param("DDD??", {"min_evidence": 1}, Verdict.DOWN, id="one may be enough"),
        pytest.param("UUUUU", {}, Verdict.UP, id="up"),
        pytest.param("GGGGU", {}, Verdict.DEGRADED, id="two of three are slow"),
        pytest.param("GGUGU", {}, Verdict.UP, id="slow with all of its regions"),
        pytest.param("GDGGU", {}, Verdict.PARTIAL, id="a failure somewhere"),
        pytest.param("DDDUU", {"rule": Rule.ANY}, Verdict.DOWN, id="any domain"),
        pytest.param("DDUUU", {"rule": Rule.ANY}, Verdict.PARTIAL, id="no whole domain"),
        pytest.param("DDDUU", {"rule": Rule.K_OF, "k": 2}, Verdict.PARTIAL, id="one of two"),
        pytest.param("???DD", {"rule": Rule.K_OF, "k": 3}, Verdict.DOWN, id="min(k, domains)"),
        pytest.param(
            "DDDDU", {"rule": Rule.K_OF, "k": 4, "is_strict": True}, Verdict.UNKNOWN, id="strict"
        ),
        pytest.param("DDDDU", {"rule": Rule.ALL}, Verdict.PARTIAL, id="not all domains"),
    ],
)
def test_s12_domains_vote(votes: str, rules: dict[str, Any], expected: Verdict) -> None:
    assert _verdict(votes, THREE_AT_ONE, **rules) is expected


def test_without_a_shared_domain_nothing_differs() -> None:
    for votes in ("DDUU?", "DUUUU", "GGGUU", "D????"):
        assert _verdict(votes, (0, 1, 2, 3, 4)) is _verdict(votes, ())


def test_the_outage_of_two_domains_is_confirmed_by_the_last_region_of_the_second() -> None:
    """a, b and c are one domain, down at 300, 360 and 420; d is down from 310 on."""
    down = {"a": 300, "b": 360, "c": 420, "d": 310}
    own = policy("abcde", domains=THREE_AT_ONE)
    results = [
        one
        for region in "abcde"
        for one in every_minute(
            region, down.get(region, 0) % 60, [(down[region], 900)] if region in down else []
        )
    ]
    (found,) = Scene(results, own).outages()
    assert found.span.started_us == 420 * SECOND
    assert found.confirmed_us == 420 * SECOND


def test_a_fleet_writes_domains_into_its_checks() -> None:
    check = read_fleet(FLEET.encode(), "fleet.yaml").checks["home"]
    assert check.quorum.domains == {
        "fra": "hetzner",
        "nbg": "hetzner",
        "hel": "hetzner",
        "nyc": "aws",
    }
    again = decode_check(canonical_bytes(check))
    assert policy_of(again).domains == (0, 0, 0, 1, 2)
    assert policy_of(again).min_evidence == 2


def test_autonomous_systems_are_domains_too() -> None:
    text = FLEET.replace("distinct: provider", "distinct: asn").encode()
    check = read_fleet(text, "fleet.yaml").checks["home"]
    assert check.quorum.domains == {"fra": "AS24940", "nbg": "AS24940", "hel": "AS24941"}
    assert policy_of(check).domains == (0, 0, 1, 2, 3)


def test_a_region_named_like_a_provider_is_still_its_own_domain() -> None:
    text = FLEET.replace("{id: sin}", "{id: aws}").encode()
    assert policy_of(read_fleet(text, "fleet.yaml").checks["home"]).domains == (0, 0, 0, 1, 2)


def test_one_domain_alone_needs_one_vote() -> None:
    text = FLEET.replace("service: shop,", "service: shop, regions: [fra, nbg],").encode()
    own = policy_of(read_fleet(text, "fleet.yaml").checks["home"])
    assert (own.voters, own.min_evidence) == (1, 1)


def test_a_check_that_says_no_distinct_keeps_its_bytes() -> None:
    plain = (
        b'{"http":{"url":"http://shop.example/"},"id":"home","regions":["fra"],"service":"shop"}'
    )
    assert canonical_bytes(decode_check(plain)) == plain


def test_a_check_with_its_domains_is_judged_by_itself() -> None:
    """Whoever recomputes has the check's bytes, and perhaps a file that says nothing of its regions."""
    text = FLEET.replace("quorum: {", "quorum: {domains: {fra: a, nbg: a, nyc: a}, ")
    for region in ("hetzner, asn: 24940", "hetzner, asn: 24941", "aws"):
        text = text.replace(f", provider: {region}", "")
    assert policy_of(read_fleet(text.encode(), "f").checks["home"]).domains == (0, 0, 1, 0, 2)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("distinct: provider", "distinct: site", "expected one of asn, provider, region"),
        (
            "distinct: provider",
            "distinct: provider, min_evidence: 4",
            (
                "fleet.yaml:11: checks[0].quorum.min_evidence: expected at most the number of providers"
                " of the regions (3), found 4"
            ),
        ),
        (
            "distinct: provider",
            "domains: {fra: x}",
            "quorum.domains: expected domains together with distinct: provider or asn",
        ),
        (
            "distinct: provider",
            "distinct: provider, domains: {fra: ovh, nbg: hetzner, hel: hetzner, nyc: aws}",
            "quorum.domains: expected fra: hetzner, as this file says of the region, found ovh",
        ),
        (
            "distinct: provider",
            "distinct: provider, domains: {tokyo: ovh}",
            "quorum.domains: expected domains of the check's own regions, found tokyo",
        ),
        (
            "service: shop, http",
            "service: shop, regions: [sin], http",
            "quorum.distinct: expected a region of the check with provider: without any",
        ),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(old: str, new: str, problem: str) -> None:
    with pytest.raises(BadDocument) as caught:
        read_fleet(FLEET.replace(old, new).encode(), "fleet.yaml", is_new=True)
    assert any(problem in str(p) for p in caught.value.problems), caught.value.problems


def test_the_rule_in_words_says_who_votes() -> None:
    words = rule_in_words(policy_of(read_fleet(FLEET.encode(), "f").checks["home"]))
    assert "more than half of the providers that report say so (2 of 3 when all 3 report)" in words
    assert "The regions of one provider have one vote (fra and nbg and hel have one vote)" in words


def test_without_domains_the_rule_reads_as_ever() -> None:
    assert "domain" not in rule_in_words(policy("abc"))
    assert Distinct.REGION is policy("abc").distinct
