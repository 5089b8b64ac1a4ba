"""Our errors as gRPC status codes: translated here, once, for every method."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn

import grpc

from controller.errors import (
    BadInput,
    ControllerError,
    Fatal,
    NotFound,
    Rejected,
    Revoked,
    Unauthenticated,
    Unreachable,
    Unstorable,
    Unsynced,
)
from vedette.shared.identity import REVOKED_METADATA
from vedette.shared.limits import RPC_SECONDS_MAX

STATUS_OF: Final[Mapping[type[ControllerError], grpc.StatusCode]] = {
    ControllerError: grpc.StatusCode.INVALID_ARGUMENT,
    BadInput: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    Rejected: grpc.StatusCode.PERMISSION_DENIED,
    Revoked: grpc.StatusCode.PERMISSION_DENIED,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Unreachable: grpc.StatusCode.UNAVAILABLE,
    Unstorable: grpc.StatusCode.INTERNAL,
    Fatal: grpc.StatusCode.INTERNAL,
    Unsynced: grpc.StatusCode.INTERNAL,
}
Context = grpc.aio.ServicerContext[Any, Any]

log = logging.getLogger(__name__)


@asynccontextmanager
async def translated(context: Context, method: str, *, has_deadline: bool) -> AsyncIterator[None]:
    """Run a method's body: our errors become its status, and anything else says nothing of our insides."""
    seconds = RPC_SECONDS_MAX if has_deadline else None
    try:
        async with asyncio.timeout(seconds):
            yield
    except ControllerError as error:
        if not isinstance(error, Unreachable | Fatal):
            log.info("rpc.refused", extra={"method": method, "reason": str(error)})
        if isinstance(error, Revoked):
            context.set_trailing_metadata(((REVOKED_METADATA, "1"),))
        await _abort(context, STATUS_OF[type(error)], str(error))
    except TimeoutError:
        log.warning("rpc.late", extra={"method": method, "seconds_max": seconds})
        await _abort(
            context,
            grpc.StatusCode.DEADLINE_EXCEEDED,
            f"The controller did not finish within {seconds:.0f} s; try again.",
        )
    except (asyncio.CancelledError, grpc.aio.AbortError):
        raise
    except Exception as error:  # the edge: no exception text of ours may leave the process
        reference = secrets.token_hex(4)
        log.error("rpc.failed", exc_info=error, extra={"method": method, "reference": reference})
        await _abort(
            context,
            grpc.StatusCode.INTERNAL,
            f"The controller failed; its log has the reason under reference {reference}.",
        )


async def _abort(context: Context, code: grpc.StatusCode, details: str) -> NoReturn:
    await context.abort(code, details)
    raise AssertionError("abort returned")
