"""A scenario holds, or is refused with everything that is wrong with it, by file and line."""

from pathlib import Path

import pytest

from controller.core.simulation.scenario import read_scenario
from tests.unit.core.simulation.scenes import DARK, MIXED, scenario
from vedette.shared.documents import BadDocument

SCENARIOS = Path(__file__).parents[4] / "docs" / "scenarios"
HEAD = b"version: 1\ntitle: t\nlength: 1d\nregions: [{id: fra, provider: p}, {id: nyc}]\n"


def problems(text: bytes) -> list[str]:
    with pytest.raises(BadDocument) as caught:
        read_scenario(text, "s.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_published_scenario_holds(path: Path) -> None:
    assert read_scenario(path.read_bytes(), path.name).agents >= 5


def test_what_is_left_out_is_filled_in() -> None:
    made = scenario(HEAD)
    assert (made.seed, made.agents, made.checks) == (1, 2, ["check-1"])
    assert made.end_us - made.start_us == 86_400_000_000
    ids = [rule.id for rule in made.rules]
    assert ids == ["single-3-retries", "2-of-n", "healthy-18", "ours"], "3 of 4 takes four regions"
    assert [rule.id for rule in scenario(MIXED).rules][2] == "3-of-4"


def test_a_seed_of_the_command_goes_before_that_of_the_file() -> None:
    assert (scenario(MIXED, 9).seed, scenario(DARK).seed) == (9, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"", "s.yaml: expected a document, found an empty file", id="empty"),
        pytest.param(b"[]", "s.yaml:1: expected a mapping", id="a list"),
        pytest.param(HEAD + b"lasting: 1d", "s.yaml:5: lasting: expected no such key", id="typo"),
        pytest.param(
            HEAD.replace(b"length: 1d\n", b""), "s.yaml:1: length: expected a value", id="no length"
        ),
        pytest.param(
            HEAD.replace(b"1d", b"400d"), "s.yaml:3: length: expected from one interval", id="long"
        ),
        pytest.param(
            HEAD.replace(b"1d", b"300d") + b"checks: {count: 900}",
            "s.yaml:3: length: expected at most 200,000,000 results",
            id="too many results",
        ),
        pytest.param(
            HEAD.replace(b"{id: nyc}", b"{id: fra}"),
            "s.yaml:4: regions: expected at least one region, each once",
            id="a region twice",
        ),
        pytest.param(
            HEAD + b"start: yesterday", "s.yaml:5: start: expected an instant", id="no instant"
        ),
        pytest.param(
            HEAD + b"checks: {timeout: 60s}", "s.yaml:5: checks.timeout: expected", id="timeout"
        ),
        pytest.param(
            HEAD + b"network: {target: {least: 1s, most: 20s}}",
            "s.yaml:5: network.target.most: expected less than the timeout",
            id="answers that may be late",
        ),
        pytest.param(
            HEAD + b"network: {link: {least: 2s, most: 1s}}",
            "s.yaml:5: network.link: expected a least length",
            id="a range upside down",
        ),
        pytest.param(
            HEAD + b"network: {loss: {share: 0.1}}", "network.loss.share: expected", id="no share"
        ),
        pytest.param(
            HEAD + b"anchors: {total: 2}", "s.yaml:5: anchors.total: expected", id="two anchors"
        ),
        pytest.param(
            HEAD + b"faults:\n  - {kind: outge, lasting: 1m}",
            "s.yaml:6: faults[0].kind: expected one of death, flapping",
            id="no such fault",
        ),
        pytest.param(
            HEAD + b"faults: [{kind: outage, lasting: 2d}]",
            "faults[0].lasting: expected an end within the 1d",
            id="a fault beyond the end",
        ),
        pytest.param(
            HEAD + b"faults: [{kind: outage, lasting: 1m, regions: [fra]}]",
            "faults[0].regions: expected no regions in a fault of kind outage",
            id="a key of another kind",
        ),
        pytest.param(
            HEAD + b"faults: [{kind: flapping, lasting: 1h, up: {least: 1m, most: 2m}}]",
            "faults[0].down: expected down in a fault of kind flapping, found nothing",
            id="a key that is missing",
        ),
        pytest.param(
            HEAD + b"faults: [{kind: death, lasting: 1h, agents: [fra-2]}]",
            "faults[0].agents[0]: expected one of fra-1, nyc-1, found fra-2",
            id="no such agent",
        ),
        pytest.param(
            HEAD + b"faults: [{kind: partition, lasting: 1h, anchors: 5}]",
            "faults[0].anchors: expected at most the 4 anchors",
            id="more anchors than there are",
        ),
        pytest.param(
            HEAD + b"faults: [{kind: skew, lasting: 1h}]",
            "faults[0].ahead: expected either ahead or behind, found neither",
            id="skewed to neither side",
        ),
        pytest.param(
            HEAD + b"faults: [{kind: loss, lasting: 1h, share: 0%}]",
            "faults[0].share: expected a share above 0%",
            id="a loss of nothing",
        ),
        pytest.param(
            HEAD + b"faults: [{kind: outage, lasting: 1m, at: 1h, times: 2}]",
            "faults[0].times: expected times only where `at` does not say when",
            id="twice at one instant",
        ),
        pytest.param(
            HEAD + b"rules: [{id: a}, {id: a}]",
            "rules[1].id: expected an id of its own",
            id="a rule twice",
        ),
        pytest.param(
            HEAD + b"rules: [{id: a, quorum: {rule: k_of}}]",
            "s.yaml:5: rules[0].quorum.k: expected k together with rule k_of",
            id="a quorum that does not hold",
        ),
        pytest.param(
            HEAD + b"rules: [{id: a, regions: 3}]",
            "rules[0].regions: expected at most the 2 regions",
            id="more regions than there are",
        ),
        pytest.param(
            HEAD + b"rules: [{id: a, looks: {by: controller, every: 2s}}]",
            "rules[0].looks.every: expected no every",
            id="confirm now has its own time",
        ),
        pytest.param(
            HEAD + b"rules: [{id: a, looks: {by: site}}]",
            "rules[0].looks.every: expected 1s or more",
            id="retries without a time",
        ),
    ],
)
def test_a_bad_scenario_is_refused(text: bytes, expected: str) -> None:
    assert any(expected in problem for problem in problems(text)), problems(text)


def test_several_faults_are_told_at_once() -> None:
    text = HEAD + b"seed: -1\nchecks: {count: 0}\nfaults:\n  - {kind: death}\n"
    found = problems(text)
    assert [one.split(":")[1] for one in found] == ["5", "6", "8"]


def test_faults_of_meaning_are_told_at_once() -> None:
    text = HEAD + (
        b"faults:\n  - {kind: late, lasting: 1h, regions: [mars]}\n"
        b"  - {kind: slow, lasting: 1h}\n  - {kind: outage, lasting: 0s, checks: [check-2]}\n"
    )
    found = problems(text)
    assert [one.split(": expected")[0] for one in found] == [
        "s.yaml:6: faults[0].regions[0]",
        "s.yaml:7: faults[1].by",
        "s.yaml:8: faults[2].checks[0]",
        "s.yaml:8: faults[2].lasting",
    ]


def test_what_cannot_be_read_hides_nothing_that_follows_it() -> None:
    text = HEAD + (
        b"faults:\n  - {kind: quake, lasting: 1h}\n  - {kind: death}\n"
        b"rules:\n  - {id: a, looks: {by: moon}}\nextra: 1\n"
    )
    found = problems(text)
    assert [one.split(": expected")[0] for one in found] == [
        "s.yaml:6: faults[0].kind",
        "s.yaml:7: faults[1].lasting",
        "s.yaml:9: rules[0].looks.by",
        "s.yaml:10: extra",
    ]


def test_checks_faults_and_rules_that_mean_nothing_are_told_together() -> None:
    text = HEAD.replace(b"{id: nyc}", b"{id: fra}") + (
        b"checks: {timeout: 90s}\nfaults: [{kind: slow, lasting: 1h}]\n"
        b"rules: [{id: a, quorum: {rule: k_of}}]\n"
    )
    found = problems(text)
    assert [one.split(": expected")[0] for one in found] == [
        "s.yaml:4: regions",
        "s.yaml:5: checks.timeout",
        "s.yaml:6: faults[0].by",
        "s.yaml:7: rules[0].quorum.k",
    ]
