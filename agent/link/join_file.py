"""The join file: what an operator hands to a site, once."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cryptography import x509

from agent.errors import BadInput
from vedette.shared.documents import Problem, shown_value

_BYTES_MAX: Final = 64 * 1024
_VERSION: Final = 1
_STANDARD_INPUT: Final = Path("-")
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=_BYTES_MAX)]


class JoinFile(msgspec.Struct, frozen=True, kw_only=True):
    """Where to enrol, with which one-use token, and the CA that the controller must show.

    `expires` is for people: whether the token is still good is the controller's to say, because a
    site's clock may be wrong.
    """

    version: int
    address: _Text
    token_id: _Text
    token_secret: _Text
    expires: str | int = ""
    ca_certificate: _Text

    def __repr__(self) -> str:
        return f"JoinFile({self.address!r}, token {self.token_id!r})"


def read_join_file(path: Path) -> JoinFile:
    """The join file at `path`, or on standard input for `-`. BadInput says what is wrong with it."""
    try:
        if path == _STANDARD_INPUT:
            data = sys.stdin.buffer.read(_BYTES_MAX + 1)
        else:
            with path.open("rb") as file:
                data = file.read(_BYTES_MAX + 1)
    except OSError as error:
        raise BadInput(
            f"The join file {path} cannot be read: {error.strerror or error}."
        ) from error
    if len(data) > _BYTES_MAX:
        raise BadInput(f"{path}: expected a join file of at most {_BYTES_MAX} bytes, found more.")
    join = _decoded(path, data)
    if join.version != _VERSION:
        raise BadInput(
            f"{path}: version: expected {_VERSION}, found {join.version}: install the vedette-agent that "
            "belongs to this controller."
        )
    _require_address(path, join.address)
    try:
        x509.load_pem_x509_certificates(join.ca_certificate.encode())
    except ValueError as error:
        raise _bad(path, "ca_certificate", "a PEM certificate", "something else") from error
    return join


def _decoded(path: Path, data: bytes) -> JoinFile:
    try:
        plain: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _bad(
            path, "", "a join file made by `vedette agent token create`", "no JSON"
        ) from error
    if not isinstance(plain, dict):
        raise _bad(path, "", "a mapping", shown_value(plain))
    for name in JoinFile.__struct_fields__:
        if name not in plain and name != "expires":
            raise _bad(path, name, "a value", "nothing")
    try:
        return msgspec.convert(plain, JoinFile)
    except msgspec.ValidationError as error:
        # The value may be the secret: the message of msgspec names types only.
        raise BadInput(f"{path}: {error}.") from error


def _require_address(path: Path, address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise _bad(path, "address", "host:port such as vedette.example:7444", shown_value(address))


def _bad(path: Path, where: str, expected: str, found: str) -> BadInput:
    return BadInput(f"{Problem(str(path), 0, where, expected, found)}.")
