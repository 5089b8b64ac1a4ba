"""Agents, join tokens, people's tokens."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import RowMapping, insert, select, update

from controller.ports.agents import AgentRecord, JoinToken
from controller.ports.leaves import LeafKind
from controller.ports.people import PersonToken
from controller.storage.log import LogRows
from controller.storage.tables import AgentRow, JoinTokenRow, PersonTokenRow, StreamRow, table

_AGENT = table(AgentRow)
_JOIN_TOKEN = table(JoinTokenRow)
_PERSON_TOKEN = table(PersonTokenRow)
_STREAM = table(StreamRow)
_COUNTED = ("lines", "lost")
_COUNT_MAX = 2**63 - 1


class RegistryRows(LogRows):
    """controller.ports.AgentStore and PersonStore over SQL."""

    def put_join_token(self, token: JoinToken) -> None:
        """Keep a new token."""
        self._connection.execute(insert(_JOIN_TOKEN).values(asdict(token)))

    def join_token(self, token_id: str) -> JoinToken | None:
        """The token of that id."""
        query = select(_JOIN_TOKEN).where(_JOIN_TOKEN.c.id == token_id)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else JoinToken(**row)

    def use_join_token(self, token_id: str, agent: str) -> bool:
        """Mark it used, compare-and-set: False if it was used before, or is not there."""
        unused = (_JOIN_TOKEN.c.id == token_id) & _JOIN_TOKEN.c.used_by.is_(None)
        statement = update(_JOIN_TOKEN).where(unused).values(used_by=agent)
        return self._connection.execute(statement).rowcount == 1

    def put_agent(self, agent: AgentRecord) -> None:
        """Insert or replace an agent; its counts of lines are not taken from here.

        A key or a region that is new is entered in the log: evidence is judged by them.
        """
        values = {k: v for k, v in asdict(agent).items() if k not in _COUNTED}
        c = _AGENT.c
        before = self._connection.execute(
            select(c.evidence_key, c.region).where(c.id == agent.id)
        ).first()
        if before is None:
            self._connection.execute(insert(_AGENT).values(values))
        else:
            self._connection.execute(update(_AGENT).where(c.id == agent.id).values(values))
        if before is None or tuple(before) != (agent.evidence_key, agent.region):
            keys = {"evidence_key": agent.evidence_key.hex(), "region": agent.region}
            self._enter(LeafKind.KEY, agent.id, keys)

    def agent(self, agent_id: str) -> AgentRecord | None:
        """The agent of that id."""
        found = self._agents(agent_id)
        return found[0] if found else None

    def agents(self) -> Sequence[AgentRecord]:
        """All agents, by id, with the lines that were appended and lost on their streams."""
        return self._agents(None)

    def _agents(self, agent_id: str | None) -> Sequence[AgentRecord]:
        counts = select(_STREAM.c.agent, _STREAM.c.lines, _STREAM.c.lost)
        agents = select(_AGENT)
        if agent_id is not None:
            counts = counts.where(_STREAM.c.agent == agent_id)
            agents = agents.where(_AGENT.c.id == agent_id)
        # Added up here: a database refuses a sum that is too large for it, and agents say what they lost.
        counted: dict[str, tuple[int, int]] = {}
        for agent, lines, lost in self._connection.execute(counts):
            before = counted.get(agent, (0, 0))
            counted[agent] = (before[0] + lines, min(before[1] + lost, _COUNT_MAX))
        records = []
        for row in self._connection.execute(agents).mappings():
            lines, lost = counted.get(row["id"], (0, 0))
            records.append(AgentRecord(**row, lines=lines, lost=lost))
        return sorted(records, key=lambda record: record.id)

    def put_person_token(self, token: PersonToken) -> None:
        """Keep a new token."""
        self._connection.execute(
            insert(_PERSON_TOKEN).values({**asdict(token), "contracts": " ".join(token.contracts)})
        )

    def person_token(self, token_id: str) -> PersonToken | None:
        """The token of that id."""
        query = select(_PERSON_TOKEN).where(_PERSON_TOKEN.c.id == token_id)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else _person_token(row)

    def person_tokens(self) -> Sequence[PersonToken]:
        """Every token that was made, the newest first."""
        query = select(_PERSON_TOKEN).order_by(_PERSON_TOKEN.c.created_us.desc())
        return [_person_token(row) for row in self._connection.execute(query).mappings()]

    def revoke_person_token(self, token_id: str, at_us: int) -> bool:
        """Revoke it, compare-and-set: False if it is not there, or was revoked before."""
        good = (_PERSON_TOKEN.c.id == token_id) & _PERSON_TOKEN.c.revoked_us.is_(None)
        statement = update(_PERSON_TOKEN).where(good).values(revoked_us=at_us)
        return self._connection.execute(statement).rowcount == 1


def _person_token(row: RowMapping) -> PersonToken:
    return PersonToken(**{**row, "contracts": tuple(row["contracts"].split())})
