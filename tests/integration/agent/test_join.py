import os
from collections.abc import Iterator
from pathlib import Path

import grpc
import msgspec
import pytest

from agent.errors import AgentError, BadInput, Fatal, Rejected, Unreachable
from agent.link.credential import new_request
from agent.link.enrol import join
from agent.link.identity import Identity
from agent.link.join_file import JoinFile, read_join_file
from tests.fakes.controller import AGENT, HOST, REGION, FakeAuthority, FakeController
from tests.integration.agent.machine import join_file_for


def tree(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def modes(directory: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in directory.iterdir()}


@pytest.fixture(autouse=True)
def loose_umask() -> Iterator[None]:
    """Files must be private whatever the umask of the one who joins."""
    before = os.umask(0)
    yield
    os.umask(before)


async def test_joining_makes_an_identity_that_only_its_owner_can_read(
    controller: FakeController, tmp_path: Path
) -> None:
    state = tmp_path / "deep" / "state"
    await join(join_file_for(controller), state, policy=b"allow: [10.0.0.0/8]\n")
    identity = Identity.load(state)
    assert (identity.facts.agent, identity.facts.region) == (AGENT, REGION)
    assert identity.facts.session_address == f"{HOST}:{controller.port}"
    assert tree(state) == ["identity", "identity/agent.json", "identity/ca.pem",
                           "identity/evidence.key", "identity/sealing.key", "identity/tls.pem",
                           "policy.yaml"]  # fmt: skip
    assert modes(state / "identity") == {0o600}
    assert state.stat().st_mode & 0o777 == 0o700
    assert controller.enrolled[0].hostname


async def test_a_used_token_is_refused_in_the_words_of_the_controller(
    controller: FakeController, tmp_path: Path
) -> None:
    join_file = join_file_for(controller)
    await join(join_file, tmp_path / "one")
    with pytest.raises(Rejected, match=r"refused: This join token was used already; ask for a new"):
        await join(join_file, tmp_path / "two")
    assert tree(tmp_path) == ["one", *(f"one/{name}" for name in tree(tmp_path / "one"))]


REFUSED = grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        pytest.param(
            (REFUSED, "This join token has expired."), Rejected, "has expired", id="expired"
        ),
        pytest.param((REFUSED, "not known here"), Rejected, r"not known here\.", id="foreign"),
        pytest.param((grpc.StatusCode.INTERNAL, "oh"), Unreachable, r"failed: oh\.", id="broken"),
    ],
)
async def test_what_the_controller_says_is_one_sentence_and_changes_nothing(
    controller: FakeController,
    tmp_path: Path,
    error: tuple[grpc.StatusCode, str],
    kind: type[AgentError],
    words: str,
) -> None:
    controller.token_error = error
    with pytest.raises(kind, match=words) as caught:
        await join(join_file_for(controller), tmp_path / "state")
    assert caught.value.exit_code == 3
    assert tree(tmp_path) == []


async def test_another_ca_is_named_and_the_token_is_not_shown_to_it(
    controller: FakeController, tmp_path: Path
) -> None:
    foreign = FakeAuthority().ca_pem.decode()
    join_file = msgspec.structs.replace(join_file_for(controller), ca_certificate=foreign)
    with pytest.raises(Rejected, match="does not show a certificate of the CA"):
        await join(join_file, tmp_path / "state")
    assert (tree(tmp_path), controller.enrolled) == ([], [])


async def test_a_controller_that_is_not_there_is_one_sentence(
    controller: FakeController, tmp_path: Path
) -> None:
    join_file = join_file_for(controller)
    await controller.stop()
    with pytest.raises(Unreachable, match=r"cannot be reached: nothing listens there\."):
        await join(join_file, tmp_path / "state")
    assert tree(tmp_path) == []


async def test_a_controller_under_a_name_that_is_not_its_own_is_refused(tmp_path: Path) -> None:
    controller = FakeController()
    controller.names = ("elsewhere.example",)
    await controller.start()
    with pytest.raises(Rejected, match="shows a certificate for other names"):
        await join(join_file_for(controller), tmp_path / "state")
    await controller.stop()
    assert controller.enrolled == []


async def test_a_certificate_over_another_key_is_refused(
    controller: FakeController, tmp_path: Path
) -> None:
    controller.answers_with = lambda: controller.authority.agent(new_request()[1])
    with pytest.raises(Rejected, match="does not fit this agent's key"):
        await join(join_file_for(controller), tmp_path / "state")
    assert tree(tmp_path) == []


async def test_a_state_directory_that_holds_an_agent_is_left_alone(
    controller: FakeController, tmp_path: Path
) -> None:
    await join(join_file_for(controller), tmp_path)
    before = tree(tmp_path)
    with pytest.raises(BadInput, match=f"already holds agent {AGENT} of region {REGION}"):
        await join(join_file_for(controller, "t2"), tmp_path)
    assert (tree(tmp_path), "t2" in controller.tokens) == (before, True)


async def test_a_policy_of_the_site_is_not_overwritten(
    controller: FakeController, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text("deny: [0.0.0.0/0]\n")
    with pytest.raises(BadInput, match=r"policy\.yaml is there already"):
        await join(join_file_for(controller), tmp_path, policy=b"allow: []\n")
    assert tree(tmp_path) == ["policy.yaml"]
    assert controller.tokens


async def test_a_state_directory_that_cannot_be_made_is_told_before_the_token_is_spent(
    controller: FakeController, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written: Not a directory"):
        await join(join_file_for(controller), tmp_path / "file" / "state")
    assert controller.tokens


def test_an_identity_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"run `vedette-agent join FILE --state .*` first"):
        Identity.load(tmp_path)


async def test_an_identity_whose_key_is_damaged_says_where(
    controller: FakeController, tmp_path: Path
) -> None:
    await join(join_file_for(controller), tmp_path)
    (tmp_path / "identity" / "tls.pem").write_text("?")
    with pytest.raises(Fatal, match=r"tls\.pem does not hold a TLS key and its certificate"):
        Identity.load(tmp_path)


CA = FakeAuthority().ca_pem.decode()
GOOD = {
    "version": 1,
    "address": "localhost:7444",
    "token_id": "a",
    "token_secret": "very-secret",
    "expires": "2026-01-01T00:00:00Z",
    "ca_certificate": CA,
}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "expected a join file made by", id="empty"),
        pytest.param(b"\xff", "expected a join file made by", id="no text"),
        pytest.param(b"[]", "expected a mapping, found a list of 0", id="a list"),
        pytest.param({**GOOD, "version": 2}, "version: expected 1, found 2", id="newer"),
        pytest.param({**GOOD, "address": "x"}, "address: expected host:port", id="no port"),
        pytest.param({**GOOD, "address": "x:0"}, "address: expected host:port", id="port 0"),
        pytest.param({**GOOD, "ca_certificate": "x"}, "expected a PEM certificate", id="no CA"),
        pytest.param({**GOOD, "token_secret": 5}, r"token_secret", id="a number as secret"),
        pytest.param(
            {"version": 1}, "address: expected a value, found nothing", id="empty mapping"
        ),
        pytest.param(b"{" + b" " * 70_000, "at most 65536 bytes", id="too large"),
    ],
)
def test_a_join_file_that_is_none_says_what_was_expected(
    tmp_path: Path, content: bytes | dict[str, object], words: str
) -> None:
    path = tmp_path / "fra.join"
    path.write_bytes(content if isinstance(content, bytes) else msgspec.json.encode(content))
    with pytest.raises(BadInput, match=words) as caught:
        read_join_file(path)
    assert str(path) in str(caught.value)
    assert "very-secret" not in str(caught.value)


def test_a_join_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot be read: No such file or directory\."):
        read_join_file(tmp_path / "none")


def test_a_join_file_never_shows_its_secret() -> None:
    join_file = msgspec.convert(GOOD, JoinFile)
    assert "very-secret" not in repr(join_file)
