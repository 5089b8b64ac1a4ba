"""Who runs the agents: what the annex says, and what it does not."""

from dataclasses import replace

from controller.core.bundle.annex import parsed_annex
from controller.core.bundle.vantage import run_by, truthfulness
from tests.unit.core.bundle.made import AGENTS, ANNEX, LOG_KEY_OF, ORIGIN, raw


def test_agents_of_others_than_the_provider_are_counted_where_the_annex_says() -> None:
    both = replace(ANNEX, run_by={"fra-1": "example.net", "nyc-1": "acme"})
    assert "By the annex others run 1 of 2 agents." in truthfulness(both, AGENTS).text
    one = replace(ANNEX, run_by={"nyc-1": "acme"})
    assert "and of 1 it does not say by whom." in truthfulness(one, AGENTS).text
    assert truthfulness(ANNEX, AGENTS).text.endswith("run are the remedy.")
    assert run_by(one, "nyc-1") == ", run by acme"
    assert run_by(one, "fra-1") == ""


def test_who_runs_an_agent_stands_behind_its_key() -> None:
    key = "ab" * 32
    text = f"log {ORIGIN} {raw(LOG_KEY_OF).hex()}\nagent a {key} by acme-corp_1.org # theirs\nagent b sha256:{key}\n"
    found = parsed_annex(text)
    assert found.run_by == {"a": "acme-corp_1.org"}
    assert found.agents == {"a": key, "b": f"sha256:{key}"}
    assert found.organisation == "example.net"
