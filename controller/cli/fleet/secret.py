"""`vedette secret`: values that checks name as ${secret:name}."""

import sys
from zoneinfo import ZoneInfo

import click

from controller.cli.channel import connected
from controller.cli.output import (
    NOTHING,
    as_document,
    instant,
    shown,
    write_json,
    write_table,
)
from controller.errors import BadInput
from vedette.shared.limits import SECRET_CHARS_MAX
from vedette.v1 import secret_pb2, secret_pb2_grpc


@click.group()
def secret() -> None:
    """Secrets that checks name as ${secret:NAME}. Nothing shows a value again."""


@secret.command("set")
@click.argument("name")
@click.option(
    "--agents-only",
    is_flag=True,
    help="Keep no copy that the controller could open: agents that enrol later lack it.",
)
@as_document
def set_(name: str, agents_only: bool, as_json: bool) -> None:
    """Keep a value under NAME, as its next version.

    The value is asked for, or read from standard input without its last newline. It is never an
    argument, because arguments can be seen by everybody on a machine.
    """
    value = _value()
    with connected() as connection:
        answer = secret_pb2_grpc.SecretServiceStub(connection.channel).SetSecret(
            secret_pb2.SetSecretRequest(name=name, value=value, agents_only=agents_only),
            **connection.call,
        )
    if as_json:
        write_json({"name": name, "version": answer.version, "agents": list(answer.agents)})
        return
    click.echo(
        f"Secret {name} is version {answer.version}, sealed for {len(answer.agents)} agents."
    )


@secret.command("list")
@shown
def list_(as_json: bool, zone: ZoneInfo) -> None:
    """List names and versions. Exit code 1 if an approved agent lacks one."""
    with connected() as connection:
        answer = secret_pb2_grpc.SecretServiceStub(connection.channel).ListSecrets(
            secret_pb2.ListSecretsRequest(), **connection.call
        )
    if as_json:
        write_json({"secrets": [_document(item) for item in answer.secrets]})
    else:
        write_table(
            ["NAME", "VERSION", "SET", "BY", "AGENTS", "LACKING", "CONTROLLER"],
            [
                (
                    item.name,
                    str(item.version),
                    instant(item.set_us, zone),
                    item.set_by,
                    str(len(item.agents)),
                    ", ".join(item.lacking) or NOTHING,
                    "cannot open it" if item.agents_only else "can open it",
                )
                for item in answer.secrets
            ],
        )
    if any(item.lacking for item in answer.secrets):
        raise SystemExit(1)


@secret.command("delete")
@click.argument("name")
@as_document
def delete(name: str, as_json: bool) -> None:
    """Forget every copy of NAME. Checks that name it are not run any more."""
    with connected() as connection:
        secret_pb2_grpc.SecretServiceStub(connection.channel).DeleteSecret(
            secret_pb2.DeleteSecretRequest(name=name), **connection.call
        )
    if as_json:
        write_json({"name": name, "deleted": True})
        return
    click.echo(f"Secret {name} is deleted.")


def _value() -> str:
    if sys.stdin.isatty():
        text: str = click.prompt("Value", hide_input=True, confirmation_prompt=True, err=True)
        return text
    try:
        text = sys.stdin.read(4 * SECRET_CHARS_MAX)
    except UnicodeDecodeError as error:
        raise BadInput("Expected text in UTF-8 on standard input; it is not.") from error
    return text.removesuffix("\n").removesuffix("\r")


def _document(item: secret_pb2.Secret) -> dict[str, object]:
    return {
        "name": item.name,
        "version": item.version,
        "set_us": item.set_us,
        "set_by": item.set_by,
        "agents_only": item.agents_only,
        "agents": list(item.agents),
        "lacking": list(item.lacking),
    }
