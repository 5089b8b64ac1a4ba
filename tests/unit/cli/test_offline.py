"""The command line where there is no controller: options, refusals, completion."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from controller.cli.main import COMMANDS, cli
from controller.cli.people.context import LoginContext, context_names, load_context, save_context
from controller.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with neither a controller nor a login."""
    monkeypatch.setenv("VEDETTE_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("VEDETTE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("VEDETTE_DB", raising=False)
    return tmp_path


def vedette(*arguments: str, text: str | None = None) -> Result:
    result = CliRunner().invoke(cli, arguments, input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_version_is_printed() -> None:
    assert vedette("--version").output.startswith("vedette 0.")


def test_help_lists_every_command() -> None:
    output = vedette("--help").output
    assert all(f"  {name}" in output for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_short_help_is_what_the_command_says(name: str) -> None:
    result = vedette(name, "--help")
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        pytest.param(["burn"], 2, "No such command 'burn'", id="no such command"),
        pytest.param(["check", "list"], 2, "run `vedette login", id="no login"),
        pytest.param(["apply", "-f", "none.yaml"], 2, "Cannot read none.yaml: No such file", id="no file"),
        pytest.param(["apply", "-f", "."], 2, "Cannot read .: Is a directory", id="a folder"),
        pytest.param(["serve"], 2, "run `vedette init` first", id="no init"),
        pytest.param(["db", "check"], 2, "run `vedette init` first", id="no init for db"),
        pytest.param(["db", "check", "--db", "mysql://x/y"], 2, "not a known database", id="db"),
        pytest.param(["serve", "--agents-address", "7443"], 2, "expected an address such as",
                     id="no address"),
        pytest.param(["serve", "--people-address", "::1:7444"], 2, "expected an address such as",
                     id="IPv6 without brackets"),
        pytest.param(["serve", "--people-address", "h:70000"], 2, "expected an address such as",
                     id="no port"),
        pytest.param(["init", "--host", "a b"], 2, "Expected a host name", id="no host name"),
        pytest.param(["init", "--organisation", "ACME"], 2, "Expected an organisation", id="org"),
        pytest.param(["login", "localhost", "--ca", "x"], 2, "Expected an address such as", id="login"),
        pytest.param(["login", "localhost:1", "--ca", "none.pem"], 2, "Cannot read none.pem", id="ca"),
        pytest.param(["outage", "list", "--from", "yesterday"], 2, "expected an instant", id="time"),
        pytest.param(["outage", "list", "--from", "2026-06-11T10:00:00"], 2, "expected an instant",
                     id="an instant without an offset"),
        pytest.param(["outage", "list", "--tz", "Mars/Base"], 2, "expected a time zone", id="zone"),
        pytest.param(["outage", "list", "--tz", "../etc"], 2, "expected a time zone", id="path"),
        pytest.param(["agent", "token", "create", "--region", "fra", "--out", "x", "--ttl", "soon"],
                     2, "expected a duration", id="duration"),
        pytest.param(["completion", "tcsh"], 2, "is not one of", id="shell"),
    ],
)  # fmt: skip
def test_bad_input_is_a_sentence(
    folder: Path, arguments: list[str], code: int, sentence: str
) -> None:
    result = vedette(*arguments)
    assert result.exit_code == code
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_no_controller_at_the_address_is_a_sentence(folder: Path) -> None:
    (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
    result = vedette(
        "login", "localhost:1", "--ca", str(folder / "ca.pem"), "--token-file", "-", text="vdt_x\n"
    )
    assert (result.exit_code, result.stdout) == (3, "")
    assert not (folder / "config").exists()


@pytest.mark.parametrize("token", ["", "\n", "ä", "a\x00b"])
def test_a_text_that_is_no_token_is_refused(folder: Path, token: str) -> None:
    (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    result = vedette(
        "login", "localhost:1", "--ca", str(folder / "ca.pem"), "--token-file", "-", text=token
    )
    assert result.exit_code == 2
    assert "Expected a token" in result.stderr


def test_init_shows_the_token_once_and_writes_nothing_twice(folder: Path) -> None:
    result = vedette("init", "--json", "--host", "vedette.example")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["names"][0] == "vedette.example"
    assert document["admin_token"].startswith("vdt_")
    assert len(document["ca_sha256"]) == 64
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (folder / "state").iterdir()}
    assert set(modes.values()) == {0o600}
    again = vedette("init")
    assert again.exit_code == 3
    assert "already there" in again.stderr


def test_init_writes_the_token_where_it_is_told(folder: Path) -> None:
    result = vedette("init", "--token-file", str(folder / "token"))
    token = (folder / "token").read_text().strip()
    assert result.exit_code == 0
    assert token.startswith("vdt_")
    assert token not in result.output
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600


def test_init_does_not_overwrite_a_token_file(folder: Path) -> None:
    (folder / "token").write_text("mine")
    result = vedette("init", "--token-file", str(folder / "token"))
    assert result.exit_code == 2
    assert not (folder / "state").exists()


def test_a_database_of_a_newer_version_is_a_sentence(folder: Path) -> None:
    import sqlite3

    vedette("init")
    with sqlite3.connect(folder / "state" / "vedette.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'r9999'")
    database.close()
    result = vedette("serve", "--agents-address", "127.0.0.1:0", "--people-address", "127.0.0.1:0")
    assert result.exit_code == 3
    assert "newer version" in result.stderr
    assert vedette("db", "check").exit_code == 1


def test_damage_is_named_and_is_a_negative_finding(folder: Path) -> None:
    import sqlite3

    vedette("init")
    fine = vedette("db", "check")
    assert (fine.exit_code, fine.stdout.splitlines()[-1]) == (0, "No damage was found.")
    with sqlite3.connect(folder / "state" / "vedette.db") as database:
        database.execute("INSERT INTO stream VALUES (1, 'fra-1', 'e1', 'shop', 2, 2, 0)")
        database.execute("INSERT INTO segment VALUES (1, 1, 2, 0, 7, x'00', NULL)")
    database.close()
    assert vedette("db", "check").exit_code == 1
    told = vedette("db", "check", "--json")
    assert told.exit_code == 1
    document = json.loads(told.stdout)
    assert (document["state"], document["is_current"], document["is_sound"]) == (
        "current",
        True,
        False,
    )
    (damage,) = document["damages"]
    (folder / "state" / "vedette.db").write_bytes(b"no database" * 1000)
    ruined = vedette("db", "check")
    assert ruined.exit_code == 1
    assert "file is not a database" in ruined.stdout
    assert damage.startswith(
        "Lines 1 to 2 of stream 'shop' epoch e1 of agent fra-1: they cannot be unpacked"
    )


def test_a_token_for_a_person_is_made_beside_the_database(folder: Path) -> None:
    vedette("init")
    result = vedette("token", "create", "--local", "--name", "ada", "--role", "auditor", "--json")
    document = json.loads(result.stdout)
    assert (document["name"], document["role"]) == ("ada", "auditor")
    assert document["token"].startswith("vdt_")


def test_a_backup_is_made_once(folder: Path) -> None:
    vedette("init")
    assert vedette("db", "backup", str(folder / "copy.db")).exit_code == 0
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    again = vedette("db", "backup", str(folder / "copy.db"))
    assert again.exit_code == 2
    assert "exists already" in again.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(shell: str) -> None:
    result = vedette("completion", shell)
    assert result.exit_code == 0
    assert "_VEDETTE_COMPLETE" in result.stdout


def test_completion_offers_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    from click.shell_completion import BashComplete

    offered = BashComplete(cli, {}, "vedette", "_VEDETTE_COMPLETE").get_completions([], "ou")
    assert [item.value for item in offered] == ["outage"]


def test_a_login_is_read_back(folder: Path) -> None:
    context = LoginContext("localhost:7444", "vdt_x", b"PEM")
    save_context("default", context)
    assert load_context() == context
    assert "vdt_x" not in repr(context)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (folder / "config").rglob("*")}
    assert modes == {"contexts": 0o700, "default.json": 0o600, "current": 0o600}


def test_the_login_of_an_earlier_version_is_read_until_the_next_one(folder: Path) -> None:
    former = folder / "config" / "context.json"
    former.parent.mkdir()
    former.write_text('{"version": 1, "address": "a:1", "token": "t", "ca_certificate": "PEM"}')
    assert context_names() == ["default"]
    assert load_context() == LoginContext("a:1", "t", b"PEM")
    save_context("default", LoginContext("b:2", "t", b"PEM"))
    assert not former.exists()
    assert load_context().address == "b:2"


def test_several_controllers_are_kept_by_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("lab", "prod"):
        save_context(name, LoginContext(f"{name}.example:7444", f"vdt_{name}", b"PEM"))
    assert load_context().address == "prod.example:7444"
    assert vedette("context", "use", "lab").stdout == "Using lab (lab.example:7444).\n"
    listed = json.loads(vedette("context", "list", "--json").stdout)
    assert (listed["current"], [c["name"] for c in listed["contexts"]]) == ("lab", ["lab", "prod"])
    assert "vdt_" not in vedette("context", "list").stdout
    monkeypatch.setenv("VEDETTE_CONTEXT", "prod")
    assert load_context().address == "prod.example:7444"
    monkeypatch.delenv("VEDETTE_CONTEXT")
    assert vedette("context", "forget", "lab").exit_code == 0
    gone = vedette("check", "list")
    assert gone.exit_code == 2
    assert gone.stderr == (
        "Error: There is no context 'lab' here (prod): `vedette login ADDRESS --ca FILE --name lab`"
        " makes it.\n"
    )
    assert vedette("context", "use", "../x").exit_code == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"address": 1}'])
def test_a_damaged_login_is_a_sentence(folder: Path, text: str) -> None:
    (folder / "config").mkdir()
    (folder / "config" / "context.json").write_text(text)
    with pytest.raises(BadInput, match="run `vedette login` again"):
        load_context()


def test_what_is_stored_is_computed_again_and_a_check_that_is_none_is_named(folder: Path) -> None:
    vedette("init")
    fine = vedette("db", "recompute")
    assert (fine.exit_code, fine.stdout) == (
        0,
        "0 checks, 0 results, 0 verdict intervals, 0 outages: equal.\n",
    )
    assert json.loads(vedette("db", "recompute", "--json").stdout)["differences"] == []
    unknown = vedette("db", "recompute", "nobodys")
    assert unknown.exit_code == 2
    assert "There is no check 'nobodys'. There are: none." in unknown.stderr
