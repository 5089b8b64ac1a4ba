"""Who runs the agents that a bundle rests on: as the annex says, on which the parties agreed."""

from collections.abc import Collection

from controller.core.bundle.annex import Annex
from controller.core.bundle.statements import Statement, not_checked


def run_by(annex: Annex, agent: str) -> str:
    """Words on who runs an agent; empty where the annex does not say."""
    who = annex.run_by.get(agent)
    return f", run by {who}" if who else ""


def truthfulness(annex: Annex, agents: Collection[str]) -> Statement:
    """What no signature shows; and how many of these agents are run by others than the provider."""
    known = [annex.run_by[one] for one in agents if one in annex.run_by]
    others = sum(who != annex.organisation for who in known)
    told = ""
    if known:
        agent_s = "agent" if len(agents) == 1 else "agents"
        told = f" By the annex others run {others} of {len(agents)} {agent_s}"
        unsaid = len(agents) - len(known)
        told += f", and of {unsaid} it does not say by whom." if unsaid else "."
    return not_checked(
        "That the agents measured truthfully cannot be proved: whoever holds an agent's evidence key can sign"
        f" whatever they like. Agents that others than {annex.organisation} run are the remedy.{told}"
    )
