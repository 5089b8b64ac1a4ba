"""The people's door: every call carries a token, and the token's role must be allowed to make it."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Final, TypeAlias

import grpc

from controller.errors import Rejected, Unauthenticated
from controller.identity.roles import is_open, roles_of
from controller.ports import Worker
from controller.rpc.status import Context, translated
from controller.services.access import Access, Person
from controller.services.ledger import Ledger

METADATA_KEY: Final = "authorization"
_SCHEME: Final = "bearer "
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
        if inner.unary_unary is None:
            raise ValueError(f"{method} streams; the gate guards calls with one answer only")
        serve = inner.unary_unary

        async def guarded(request: Any, context: Context) -> Any:
            async with translated(context, method, has_deadline=True):
                if not is_open(method):
                    _caller.set(await self._admitted(method, context))
                return await serve(request, context)  # type: ignore[arg-type]  # typed for sync servers
            raise AssertionError("translated swallows nothing")

        return grpc.unary_unary_rpc_method_handler(
            guarded, inner.request_deserializer, inner.response_serializer
        )

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


def _bearer(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == METADATA_KEY and isinstance(value, str) and value.lower().startswith(_SCHEME):
            return value[len(_SCHEME) :].strip()
    raise Unauthenticated("This call needs a token; log in first with `vedette login`.")
