"""The connection to a controller, and its refusals as sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import grpc

from controller.cli.people.context import LoginContext, load_context
from controller.errors import BadInput, ControllerError, NotFound, Rejected, Unreachable
from vedette.shared.limits import FLEET_BYTES_MAX, RPC_SECONDS_MAX

_MARGIN_BYTES: Final = 1024 * 1024
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", FLEET_BYTES_MAX + _MARGIN_BYTES),
    ("grpc.max_send_message_length", FLEET_BYTES_MAX + _MARGIN_BYTES),
    # The address says where the controller is; a proxy for web pages is not on the way.
    ("grpc.enable_http_proxy", 0),
)
_ERROR_OF: Final[dict[grpc.StatusCode, type[ControllerError]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: BadInput,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.PERMISSION_DENIED: Rejected,
    grpc.StatusCode.UNAUTHENTICATED: Rejected,
    grpc.StatusCode.RESOURCE_EXHAUSTED: BadInput,
}


class Connection:
    """An open channel with the caller's token. Stubs are made over `channel`."""

    def __init__(self, channel: grpc.Channel, context: LoginContext) -> None:
        self.channel = channel
        self._context = context

    @property
    def call(self) -> dict[str, Any]:
        """Keyword arguments of every call: the token and a deadline."""
        return {
            "metadata": (("authorization", f"Bearer {self._context.token}"),),
            "timeout": RPC_SECONDS_MAX,
        }


@contextmanager
def connected(context: LoginContext | None = None) -> Iterator[Connection]:
    """A connection to the controller of `context`, or of the last login. Refusals become our errors."""
    context = context or load_context()
    credentials = grpc.ssl_channel_credentials(context.ca_certificate)
    channel = grpc.secure_channel(context.address, credentials, _OPTIONS)
    try:
        yield Connection(channel, context)
    except grpc.RpcError as error:
        raise _translated(error, context.address) from error
    finally:
        channel.close()


def _translated(error: grpc.RpcError, address: str) -> ControllerError:
    # What a sync stub raises is also a Call; the stubs cannot say so.
    call = cast("grpc.Call", error)
    code, details = call.code(), call.details() or ""
    if code is grpc.StatusCode.UNAVAILABLE:
        return _unavailable(details, address)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unreachable(
            f"The controller at {address} did not answer within {RPC_SECONDS_MAX:.0f} s."
        )
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return Rejected(f"The controller at {address} is older than this command: upgrade it.")
    return _ERROR_OF.get(code, Unreachable)(details or f"The controller at {address} failed.")


def _unavailable(details: str, address: str) -> ControllerError:
    if "CERTIFICATE_VERIFY_FAILED" in details or "handshake failed" in details.lower():
        return Rejected(
            f"The certificate of {address} is not of the CA that was given: log in with the CA file"
            " of this controller (`vedette login ADDRESS --ca FILE`)."
        )
    if "Hostname Verification" in details or "Peer name" in details:
        return Rejected(
            f"The certificate of {address} is for another name: use a name that was given to"
            " `vedette init --host` or `vedette serve --public-address`."
        )
    # What the controller itself says is a sentence of its own; gRPC's words are not.
    if details and not details.startswith(("failed to connect", "DNS resolution", "Socket closed")):
        return Unreachable(details if details.endswith(".") else f"{details}.")
    return Unreachable(f"There is no controller at {address}: check the address and that it runs.")
