"""What deploy/ promises, as far as it can be held without systemd, Docker or Ansible."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.config import POLICY_FILE
from agent.link import identity
from controller.config import AGENTS_PORT, PEOPLE_PORT
from controller.identity.files import SETTINGS
from tests.command_lines import ENTRY_POINTS, CommandLine, in_shell, problem_of

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = {
    "agent": DEPLOY / "agent" / "vedette-agent.service",
    "controller": DEPLOY / "controller" / "vedette-controller.service",
}
IMAGES = {side: DEPLOY / side / "Dockerfile" for side in UNITS}
ROLE = DEPLOY / "ansible" / "roles" / "vedette_agent"
LOCKS = ("agent", "controller", "dev")

Unit = dict[str, list[str]]
Instruction = tuple[str, str]


def unit_of(path: Path) -> Unit:
    """The settings of a unit, each with its values in order."""
    settings: Unit = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            key, equals, value = line.partition("=")
            assert equals, f"{path.name}: {line}"
            assert re.fullmatch(r"[A-Z][A-Za-z]+", key), f"{path.name}: {line}"
            settings.setdefault(key, []).append(value)
    return settings


def instructions_of(path: Path) -> list[Instruction]:
    text = re.sub(r"^#.*\n", "", path.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    found = [line.strip().split(None, 1) for line in text.splitlines() if line.strip()]
    return [(word, rest) for word, rest in found]


def last(instructions: list[Instruction], word: str) -> str:
    return [rest for name, rest in instructions if name == word][-1]


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return document


def tasks() -> Iterator[dict[str, Any]]:
    for path in sorted((ROLE / "tasks").glob("*.yml")):
        yield from yaml.safe_load(path.read_text())


# --- units


@pytest.mark.parametrize("side", UNITS)
def test_a_unit_starts_a_command_that_exists(side: str) -> None:
    unit = unit_of(UNITS[side])
    (start,) = unit["ExecStart"]
    (line,) = in_shell(re.sub(r"\$\{\w+\}", "0.0.0.0:0", start))
    assert problem_of(line) is None
    assert str(line).split()[1] == {"agent": "run", "controller": "serve"}[side]
    settings = " ".join(unit.get("Environment", []))
    assert all(f"{name}=" in settings for name in re.findall(r"\$\{(\w+)\}", start))


@pytest.mark.parametrize("side", UNITS)
def test_a_unit_gives_up_what_it_does_not_need(side: str) -> None:
    unit = unit_of(UNITS[side])
    wanted = {
        "CapabilityBoundingSet": "", "AmbientCapabilities": "", "NoNewPrivileges": "yes",
        "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes",
        "PrivateUsers": "yes", "ProtectProc": "invisible", "ProtectKernelTunables": "yes",
        "RestrictNamespaces": "yes", "RestrictSUIDSGID": "yes", "MemoryDenyWriteExecute": "yes",
        "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
        "SystemCallArchitectures": "native", "UMask": "0077", "StateDirectoryMode": "0700",
    }  # fmt: skip
    assert {key: unit.get(key) for key in wanted} == {k: [v] for k, v in wanted.items()}
    assert unit["SystemCallFilter"][:2] == ["@system-service", "~@privileged @resources"]
    assert unit["User"] == unit["Group"]


def test_the_agent_comes_back_unless_it_is_revoked_or_a_file_is_wrong() -> None:
    unit = unit_of(UNITS["agent"])
    (state,) = re.findall(r"--state (\S+)", unit["ExecStart"][0])
    assert state == f"/var/lib/{unit['StateDirectory'][0]}"
    folder = f"{state}/{identity.DIRECTORY}"
    assert unit["ConditionPathExists"] == [
        f"{folder}/{identity._FACTS}",
        f"!{folder}/{identity._REVOKED}",
    ]
    assert (unit["Restart"], unit["RestartPreventExitStatus"]) == (["always"], ["2"])
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert unit["ReadOnlyPaths"] == [f"-{state}/{POLICY_FILE}"]
    assert {"MemoryMax", "TasksMax"} <= unit.keys()


def test_the_agent_reads_the_clock_after_all_that_forbids_it() -> None:
    unit = unit_of(UNITS["agent"])
    assert unit["SystemCallFilter"][-1] == "adjtimex clock_adjtime"
    assert "ProtectClock" not in unit


def test_echo_requests_are_the_only_right_that_can_be_added() -> None:
    added = unit_of(DEPLOY / "agent" / "vedette-agent-icmp.conf")
    assert added.pop("PrivateUsers") == ["no"]
    assert added == {
        "CapabilityBoundingSet": ["CAP_NET_RAW"],
        "AmbientCapabilities": ["CAP_NET_RAW"],
    }


def test_a_witness_runs_as_the_agent_does_and_signs_besides() -> None:
    added = unit_of(DEPLOY / "agent" / "vedette-agent-witness.conf")
    (plain,) = unit_of(UNITS["agent"])["ExecStart"]
    assert added == {"ExecStart": ["", f"{plain} --witness"]}


def test_the_controller_waits_for_init() -> None:
    unit = unit_of(UNITS["controller"])
    assert unit["ConditionPathExists"] == [f"/var/lib/{unit['StateDirectory'][0]}/{SETTINGS}"]
    known = " ".join([*unit["Environment"], "VEDETTE_DB PGPASSFILE"])
    named = re.findall(
        r"^#?([A-Z_]+)=", (DEPLOY / "controller/controller.env").read_text(), re.MULTILINE
    )
    assert named
    assert all(name in known for name in named)


@pytest.mark.parametrize(("side", "stem"), [("agent", "vedette-agent"), ("controller", "vedette")])
def test_user_and_folder_are_those_of_the_unit(side: str, stem: str) -> None:
    (user,) = unit_of(UNITS[side])["User"]
    users = (DEPLOY / side / f"{stem}.sysusers.conf").read_text()
    folders = (DEPLOY / side / f"{stem}.tmpfiles.conf").read_text()
    assert re.search(rf"^u {user} - ", users, re.MULTILINE)
    assert re.search(rf"^d /var/lib/{stem} 0700 {user} {user} -$", folders, re.MULTILINE)


# --- images


@pytest.mark.parametrize("side", IMAGES)
def test_an_image_copies_what_is_there_and_what_is_let_in(side: str) -> None:
    ignore = (DEPLOY / side / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    assert "*" in ignore
    copied = [rest.split() for word, rest in instructions_of(IMAGES[side]) if word == "COPY"]
    sources = [s for words in copied if not words[0].startswith("--from") for s in words[:-1]]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source.rstrip("/").split("/")[0] in let_in, source


@pytest.mark.parametrize("side", IMAGES)
def test_an_image_copies_all_that_the_wheel_is_made_of(side: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    text = IMAGES[side].read_text()
    for name in {*(p.split("/")[0] for p in packages), project["project"]["readme"]}:
        assert re.search(rf"^COPY .*{re.escape(name)}", text, re.MULTILINE), name


@pytest.mark.parametrize("side", IMAGES)
def test_an_image_installs_by_hash_only(side: str) -> None:
    runs = [rest for word, rest in instructions_of(IMAGES[side]) if word == "RUN"]
    installs = [step for run in runs for step in run.split("&&") if "pip install" in step]
    assert any(f"requirements/{side}.txt" in step for step in installs)
    assert all("--require-hashes -r " in s or "--no-index --no-deps" in s for s in installs)


@pytest.mark.parametrize("side", IMAGES)
def test_an_image_runs_our_command_as_nobody_in_particular(side: str) -> None:
    found = instructions_of(IMAGES[side])
    user = last(found, "USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert f"--chown={user}" in IMAGES[side].read_text()
    start = [*json.loads(last(found, "ENTRYPOINT")), *json.loads(last(found, "CMD"))]
    assert start[0] == ENTRY_POINTS[side]
    assert problem_of(CommandLine(start)) is None
    assert "HEALTHCHECK" in dict(found)


def test_the_agents_health_is_its_status() -> None:
    check = json.loads(last(instructions_of(IMAGES["agent"]), "HEALTHCHECK").split("CMD", 1)[1])
    assert problem_of(CommandLine(check)) is None
    assert check == compose()["services"]["agent"]["healthcheck"]["test"][1:]


def test_the_controllers_health_asks_both_ports() -> None:
    asked = last(instructions_of(IMAGES["controller"]), "HEALTHCHECK")
    assert f"({AGENTS_PORT}, {PEOPLE_PORT})" in asked
    assert last(instructions_of(IMAGES["controller"]), "EXPOSE") == f"{AGENTS_PORT} {PEOPLE_PORT}"


# --- compose


def test_compose_refers_to_what_is_there() -> None:
    document = compose()
    for name, service in document["services"].items():
        build = service.get("build")
        if build:
            context = (DEPLOY / build["context"]).resolve()
            assert context == ROOT
            assert (context / build["dockerfile"]).is_file()
            assert problem_of(CommandLine([ENTRY_POINTS[name], *service["command"]])) is None
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in document["volumes"]
        assert set(service["networks"]) <= document["networks"].keys()
        assert set(service.get("secrets", [])) <= document["secrets"].keys()
        assert set(service.get("depends_on", {})) <= document["services"].keys()


def test_compose_hardens_and_watches_every_service() -> None:
    for name, service in compose()["services"].items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if "build" in service:
            assert (service["cap_drop"], service["read_only"]) == (["ALL"], True), name
        else:
            assert re.search(r":\d+$", service["image"]), name
        assert "privileged" not in service
    assert compose()["networks"]["data"] == {"internal": True}
    assert compose()["services"]["db"]["networks"] == ["data"]


def test_compose_takes_secrets_from_files_that_git_passes_over() -> None:
    document = compose()
    assert "/secrets/" in (DEPLOY / ".gitignore").read_text().splitlines()
    assert all("/secrets}/" in secret["file"] for secret in document["secrets"].values())
    for service in document["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASS" in name:
                assert name.endswith(("_FILE", "PASSFILE"))
                assert value.removeprefix("/run/secrets/") in service["secrets"]


# --- ansible


def test_the_role_copies_what_is_there() -> None:
    sources = [
        task["ansible.builtin.copy"]["src"] for task in tasks() if "ansible.builtin.copy" in task
    ]
    ours = [s.replace("{{ role_path }}", str(ROLE)) for s in sources if "role_path" in s]
    assert len(ours) == 2
    assert all(Path(path).resolve().is_file() for path in ours)
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    lock = defaults["vedette_agent_requirements"].replace("{{ role_path }}", str(ROLE))
    assert Path(lock).resolve() == ROOT / "requirements" / "agent.txt"


def test_the_role_knows_every_variable_that_it_uses() -> None:
    known = set(yaml.safe_load((ROLE / "defaults/main.yml").read_text()))
    for task in tasks():
        known |= {task.get("register", ""), *task.get("ansible.builtin.set_fact", {})}
    files = [p for p in (DEPLOY / "ansible").rglob("*") if p.suffix in {".yml", ".j2"}]
    used = {name for p in files for name in re.findall(r"\bvedette_agent_\w+", p.read_text())}
    assert used - known == set()


def test_the_role_runs_commands_that_exist_and_hides_the_join_file() -> None:
    argvs = [
        task["ansible.builtin.command"]["argv"]
        for task in tasks()
        if "ansible.builtin.command" in task
    ]
    of_ours = [argv[4:] for argv in argvs if argv[0] == "runuser"]
    assert len(of_ours) == 2
    for _, *words in of_ours:
        assert problem_of(CommandLine(["vedette-agent", *words])) is None
    (join,) = [task for task in tasks() if "stdin" in task.get("ansible.builtin.command", {})]
    assert join["no_log"] is True
    assert "creates" in join["ansible.builtin.command"]


# --- locks


@pytest.mark.parametrize("name", [*LOCKS, "build"])
def test_every_line_of_a_lock_carries_hashes(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines
    assert all(
        re.match(r"[a-z0-9.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line) for line in lines
    )


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_all_that_the_project_asks_for(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"][name]]
    names = {re.split(r"[\[<>=;~ ]", line)[0].lower() for line in asked} - {"vedette"}
    locked = (ROOT / "requirements" / f"{name}.txt").read_text()
    missing = [n for n in sorted(names) if not re.search(rf"^{n}(\[|==)", locked, re.MULTILINE)]
    assert not missing, f"run `make lock`: requirements/{name}.txt lacks {missing}"
