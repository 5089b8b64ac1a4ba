"""Secrets at the controller: sealed for whom they are for, delivered to whom they are named by."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from controller.errors import BadInput, Fatal
from controller.identity.files import StateDirectory
from controller.identity.vault import VAULT_KEY, Vault
from controller.ports.agents import AgentRecord
from controller.ports.custody import CONTROLLER, Actor, AgentStanding, Standing
from controller.services.agents.duties import Duties
from controller.services.agents.secrets import Secrets
from controller.services.agents.standings import Standings
from tests.fakes.storage import FakeStorage
from tests.unit.services.conftest import World
from vedette.shared.sealing import SealLabel, opened

ADA = Actor("ada", "admin", "test")
FLEET = b"""\
version: 1
regions: [{id: fra}, {id: nyc}, {id: sin}]
services: [{id: shop}]
checks:
  - id: home
    service: shop
    regions: [fra]
    http: {url: "https://shop.example/", headers: {A: "${secret:one}", B: "${secret:two}"}}
  - {id: plain, service: shop, regions: [nyc], http: {url: "https://shop.example/"}}
"""


@dataclass
class Custody:
    """The services about secrets, over one storage, and the agents' keys."""

    world: World
    folder: Path
    keys: dict[str, X25519PrivateKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        now = lambda: self.world.now_us  # noqa: E731 - a clock
        storage = self.world.storage
        self.vault = Vault(StateDirectory(self.folder))
        self.secrets = Secrets(storage, self.vault, now)
        self.standings = Standings(storage, self.secrets, now)
        self.duties = Duties(storage, self.world.fleets)
        for agent in ("fra-1", "nyc-1", "sin-1"):
            self.enrol(agent)
        self.world.fleets.apply(FLEET, "fleet.yaml", "ada")

    def enrol(self, agent: str) -> AgentRecord:
        key = self.keys[agent] = X25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        region = agent.split("-")[0]
        record = AgentRecord(agent, region, "box", 1, b"", public, "0a", None, 2)
        with self.world.storage.transaction() as tx:
            tx.put_agent(record)
        return record

    def held(self, agent: str) -> dict[str, str]:
        """What an agent can open of what it is given, by label."""
        found: dict[str, str] = {}
        for copy in self.duties.of(agent, agent.split("-")[0]).secrets:
            label = SealLabel(agent, copy.name, copy.version)
            found[f"{copy.name}@{copy.version}"] = opened(copy.sealed, self.keys[agent], label)
        return found


@pytest.fixture
def custody(world: World, tmp_path: Path) -> Custody:
    return Custody(world, tmp_path)


def test_an_agent_gets_the_secrets_that_its_checks_name(custody: Custody) -> None:
    for name in ("one", "two", "three"):
        custody.secrets.set(name, f"value-of-{name}", ADA)
    assert custody.held("fra-1") == {"one@1": "value-of-one", "two@1": "value-of-two"}
    assert custody.held("nyc-1") == {}


def test_a_new_version_is_a_new_assignment_where_it_is_named(custody: Custody) -> None:
    before = [custody.duties.of(a, a[:3]).revision for a in ("fra-1", "nyc-1")]
    custody.secrets.set("one", "first-value", ADA)
    first = [custody.duties.of(a, a[:3]).revision for a in ("fra-1", "nyc-1")]
    custody.secrets.set("one", "second-value", ADA)
    second = [custody.duties.of(a, a[:3]).revision for a in ("fra-1", "nyc-1")]
    assert len({before[0], first[0], second[0]}) == 3
    assert before[1] == first[1] == second[1]
    assert custody.held("fra-1") == {"one@2": "second-value"}


def test_an_agent_that_is_not_approved_gets_nothing(custody: Custody) -> None:
    custody.secrets.set("one", "value-of-one", ADA)
    with custody.world.storage.transaction() as tx:
        tx.put_standing(AgentStanding("fra-1", Standing.PENDING))
    assert custody.duties.of("fra-1", "fra").assignment.checks == ()
    assert custody.held("fra-1") == {}
    custody.secrets.set("two", "value-of-two", ADA)
    assert [s.agents for s in custody.secrets.list()] == [["nyc-1", "sin-1"]] * 2
    custody.standings.approve("fra-1", ADA)
    assert custody.held("fra-1") == {"one@1": "value-of-one", "two@1": "value-of-two"}
    custody.standings.revoke("fra-1", "stolen", ADA)
    assert custody.held("fra-1") == {}
    with custody.world.storage.transaction() as tx:
        assert tx.copies_for("fra-1") == []


def test_an_agent_that_comes_later_gets_what_the_controller_may_open(custody: Custody) -> None:
    custody.secrets.set("one", "value-of-one", ADA)
    custody.secrets.set("two", "value-of-two", ADA, agents_only=True)
    late = custody.enrol("fra-2")
    with custody.world.storage.transaction() as tx:
        custody.secrets.give(tx, late)
        assert [copy.name for copy in tx.copies_for(CONTROLLER)] == ["one"]
    assert custody.held("fra-2") == {"one@1": "value-of-one"}
    assert [status.lacking for status in custody.secrets.list()] == [[], ["fra-2"]]


def test_an_older_copy_is_never_delivered_beside_a_newer_version(custody: Custody) -> None:
    custody.secrets.set("one", "first-value", ADA)
    custody.secrets.set("one", "second-value", ADA, agents_only=True)
    late = custody.enrol("fra-2")
    with custody.world.storage.transaction() as tx:
        custody.secrets.give(tx, late)
    assert custody.held("fra-2") == {}


def test_nothing_is_kept_as_it_is(custody: Custody, storage: FakeStorage) -> None:
    custody.secrets.set("one", "canary-value", ADA)
    with storage.transaction() as tx:
        kept = repr([*tx.secrets(), *tx.acts(None, 100)]).encode()
        kept += b"".join(copy.sealed for copy in tx.copies("one"))
    assert b"canary-value" not in kept
    assert b"canary-value" not in (custody.folder / VAULT_KEY).read_bytes()


def test_the_vaults_key_is_made_once_and_private(custody: Custody) -> None:
    public = custody.vault.public_key
    path = custody.folder / VAULT_KEY
    assert path.stat().st_mode & 0o777 == 0o600
    assert Vault(StateDirectory(custody.folder)).public_key == public
    path.write_bytes(b"torn")
    with pytest.raises(Fatal, match="it is damaged"):
        _ = Vault(StateDirectory(custody.folder)).key


def test_an_agent_without_a_key_is_named(custody: Custody) -> None:
    with custody.world.storage.transaction() as tx:
        tx.put_agent(AgentRecord("fra-9", "fra", "box", 1, b"", b"", "0a", None, 2))
    with pytest.raises(BadInput, match="Agent fra-9 has no key"):
        custody.secrets.set("one", "value-of-one", ADA)


def of_the_controller(custody: Custody, *names: str) -> dict[str, str]:
    with custody.world.storage.transaction() as tx:
        return dict(custody.secrets.values(tx, names))


def test_the_controller_opens_what_its_channels_name(custody: Custody) -> None:
    custody.secrets.set("one", "value-of-one", ADA)
    custody.secrets.set("one", "newer-value", ADA)
    assert of_the_controller(custody, "one") == {"one": "newer-value"}
    assert of_the_controller(custody) == {}


def test_what_the_controller_cannot_open_is_said_with_what_to_do(custody: Custody) -> None:
    custody.secrets.set("one", "value-of-one", ADA)
    custody.secrets.set("two", "value-of-two", ADA, agents_only=True)
    custody.secrets.set("gone", "value-of-gone", ADA)
    custody.secrets.delete("gone", ADA)
    for name, message in {
        "none": "There is no secret none: `vedette secret set none`.",
        "gone": "There is no secret gone: `vedette secret set gone`.",
        "two": "Secret two is kept for agents only: set it again, without --agents-only.",
    }.items():
        with pytest.raises(BadInput) as caught:
            of_the_controller(custody, name)
        assert str(caught.value) == message
    (custody.folder / VAULT_KEY).unlink()
    custody.secrets = Secrets(
        custody.world.storage, Vault(StateDirectory(custody.folder)), lambda: custody.world.now_us
    )
    with pytest.raises(BadInput, match="Secret one cannot be opened with the vault key"):
        of_the_controller(custody, "one")
