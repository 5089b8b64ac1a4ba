"""`vedette login`: remember a controller and a token for it."""

import sys
from pathlib import Path

import click

from controller.cli.channel import connected
from controller.cli.output import as_document, until, write_json
from controller.cli.people.context import DEFAULT, LoginContext, save_context
from controller.cli.sources import read_file
from controller.errors import BadInput
from vedette.v1 import access_pb2, access_pb2_grpc


@click.command()
@click.argument("address")
@click.option("--ca", type=click.Path(path_type=Path), required=True, help="The CA file, PEM.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="File with the token; - reads stdin."
)
@click.option(
    "--name", default=DEFAULT, show_default=True, help="Keep it under this name, beside others."
)
@as_document
def login(address: str, ca: Path, token_file: Path | None, name: str, as_json: bool) -> None:
    """Remember the controller at ADDRESS (host:port) and a token for it.

    Asks for the token unless a file is named. It is tried first, and stored only if it is accepted.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise BadInput(f"Expected an address such as vedette.example:7444, found {address!r}.")
    certificate = read_file(ca)
    if b"-----BEGIN CERTIFICATE-----" not in certificate:
        raise BadInput(f"Expected a CA certificate (PEM) in {ca}.")
    context = LoginContext(address, _token(token_file), certificate)
    with connected(context) as connection:
        stub = access_pb2_grpc.AccessServiceStub(connection.channel)
        answer = stub.WhoAmI(access_pb2.WhoAmIRequest(), **connection.call)
    save_context(name, context)
    if as_json:
        write_json(
            {
                "context": name,
                "address": address,
                "name": answer.name,
                "role": answer.role,
                "contracts": list(answer.contracts),
                "expires_us": answer.expires_us,
                "controller_version": answer.controller_version,
            }
        )
        return
    click.echo(
        f"Logged in to {address} as {answer.name} ({' '.join([answer.role, *answer.contracts])}), until"
        f" {until(answer.expires_us)}."
    )


def _token(file: Path | None) -> str:
    if file is None:
        text: str = click.prompt("Token", hide_input=True, err=True)
    elif str(file) == "-":
        text = sys.stdin.read()
    else:
        text = read_file(file).decode("utf-8", errors="replace")
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable():
        raise BadInput("Expected a token of the form vdt_<id>_<secret>.")
    return token
