"""The people's door: every call carries a token, and the token's role must be allowed to make it.

What is asked is read after that: a fleet file may have megabytes, and a stranger must not fill the memory with
them. gRPC reads the request of a plain method before it is called, so methods are served as if requests came in
a stream; on the wire there is no difference.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.message import DecodeError

from controller.errors import BadInput, Rejected, Unauthenticated
from controller.identity.roles import is_of_no_contract, is_open, roles_of
from controller.ports.storage import Worker
from controller.rpc.status import Context, translated
from controller.services.people.access import Access, Person
from controller.services.people.ledger import Ledger

METADATA_KEY: Final = "authorization"
_SCHEME: Final = "bearer "
# Calls without a token of a person (enrolment): so many at a time, and not for long; none needs more bytes.
_STRANGERS_MAX: Final = 4
_STRANGERS_SECONDS_MAX: Final = 5.0
_STRANGERS_BYTES_MAX: Final = 64 * 1024
# Quoted: generic in its type stubs only.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
_caller: ContextVar[Person] = ContextVar("caller")


def caller() -> Person:
    """The person who makes the call that is being served."""
    return _caller.get()


class Gate(grpc.aio.ServerInterceptor):
    """Checks the token of every call, and translates the errors of every method."""

    def __init__(self, access: Access, ledger: Ledger, worker: Worker) -> None:
        self._access = access
        self._ledger = ledger
        self._worker = worker
        self._strangers = asyncio.Semaphore(_STRANGERS_MAX)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """The method's own handler behind the door."""
        inner = await continuation(handler_call_details)
        if inner is None:
            return None
        method = str(handler_call_details.method)
        if inner.unary_stream is not None:
            return self._many(method, inner)
        if inner.unary_unary is None:
            raise ValueError(f"{method} streams; the gate guards calls with one request only")
        serve, parsed = inner.unary_unary, inner.request_deserializer
        assert parsed is not None, "generated handlers parse"

        async def guarded(_requests: object, context: Context) -> Any:
            async with translated(context, method, has_deadline=True):
                if is_open(method):
                    async with self._strangers:
                        request = _message(await _read_little(context), parsed)
                        return await serve(request, context)  # type: ignore[arg-type]  # typed for sync servers
                _caller.set(await self._admitted(method, context))
                request = _message(await _read(context), parsed)
                await self._require_scope(method, request)
                return await serve(request, context)  # type: ignore[arg-type]  # as above
            raise AssertionError("translated swallows nothing")

        return grpc.stream_unary_rpc_method_handler(guarded, None, inner.response_serializer)

    def _many(self, method: str, inner: Any) -> _Handler:
        """The same for a method with many answers, which takes as long as it takes."""
        serve, parsed = inner.unary_stream, inner.request_deserializer

        async def guarded(_requests: object, context: Context) -> AsyncIterator[Any]:
            async with translated(context, method, has_deadline=False):
                _caller.set(await self._admitted(method, context))
                request = _message(await _read(context), parsed)
                await self._require_scope(method, request)
                async for answer in serve(request, context):
                    yield answer

        return grpc.stream_stream_rpc_method_handler(guarded, None, inner.response_serializer)

    async def _admitted(self, method: str, context: Context) -> Person:
        text, peer = _bearer(context), str(context.peer())
        person = await self._worker.run(lambda: self._access.authenticate(text, peer))
        allowed = roles_of(method)
        if person.role not in allowed:
            name = method.rsplit("/", 1)[-1]
            needed = " or ".join(sorted(allowed)) or "nobody"
            reason = f"needs the role {needed}"
            await self._worker.run(lambda: self._ledger.refused(person.actor, name, reason))
            raise Rejected(
                f"{name} {reason}; the token of {person.name} has the role {person.role}."
            )
        return person

    async def _require_scope(self, method: str, request: Any) -> None:
        """A token for some contracts is good for requests that name one of them, and for nothing else."""
        person = caller()
        if not person.is_scoped or is_of_no_contract(method):
            return
        asked = str(getattr(request, "contract", ""))
        if asked in person.contracts:
            return
        name = method.rsplit("/", 1)[-1]
        contracts = ", ".join(person.contracts) or "none"
        reason = f"is for the contracts of the token ({contracts})"
        await self._worker.run(lambda: self._ledger.refused(person.actor, name, reason))
        raise Rejected(
            f"The token of {person.name} is for some contracts only ({contracts}): expected a request that names"
            f" one of them, found {asked[:80] or 'none'}."
        )


async def _read(context: Context) -> bytes:
    """The request as it came."""
    request: Any = await context.read()
    if request is grpc.aio.EOF:
        raise BadInput("Expected a request, found none.")
    return bytes(request)


async def _read_little(context: Context) -> bytes:
    """The request of a stranger, which has to come soon and be small."""
    try:
        async with asyncio.timeout(_STRANGERS_SECONDS_MAX):
            request = await _read(context)
    except TimeoutError as error:
        raise BadInput(
            f"Expected a request within {_STRANGERS_SECONDS_MAX:.0f} s; it did not come whole."
        ) from error
    if len(request) > _STRANGERS_BYTES_MAX:
        raise BadInput(
            f"Expected a request of at most {_STRANGERS_BYTES_MAX} bytes, found {len(request)}."
        )
    return request


def _message(request: bytes, parsed: Callable[[bytes], Any]) -> Any:
    try:
        return parsed(request)
    except DecodeError as error:
        raise BadInput("Expected a message of this method, found bytes that are none.") from error


def _bearer(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == METADATA_KEY and isinstance(value, str) and value.lower().startswith(_SCHEME):
            return value[len(_SCHEME) :].strip()
    raise Unauthenticated("This call needs a token; log in first with `vedette login`.")
