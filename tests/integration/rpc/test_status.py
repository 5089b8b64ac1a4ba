"""Errors become gRPC statuses in one place, and that place is complete."""

import asyncio
from typing import Any, NoReturn

import grpc
import pytest

from controller.errors import ControllerError, NotFound, Rejected, Revoked, Unreachable
from controller.rpc import status
from controller.rpc.status import STATUS_OF, translated


class Aborted(Exception):
    """What grpc's own context raises when a call is ended."""


class FakeContext:
    """The part of a context that is used: the end of the call."""

    def __init__(self) -> None:
        self.ended: list[tuple[grpc.StatusCode, str]] = []
        self.trailing: tuple[tuple[str, str], ...] = ()

    def set_trailing_metadata(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self.trailing = metadata

    async def abort(self, code: grpc.StatusCode, details: str = "") -> NoReturn:
        self.ended.append((code, details))
        raise Aborted


def all_errors(kind: type[ControllerError] = ControllerError) -> set[type[ControllerError]]:
    return {kind}.union(*(all_errors(sub) for sub in kind.__subclasses__()))


def test_every_error_of_ours_has_a_status() -> None:
    assert all_errors() == set(STATUS_OF)


async def ended_by(error: BaseException, *, has_deadline: bool = True) -> tuple[Any, str]:
    context: Any = FakeContext()
    with pytest.raises(Aborted):
        async with translated(context, "/test", has_deadline=has_deadline):
            raise error
    ended: list[tuple[Any, str]] = context.ended
    assert len(ended) == 1
    return ended[0]


@pytest.mark.parametrize("kind", list(STATUS_OF))
async def test_an_error_of_ours_is_said_as_it_is(kind: type[ControllerError]) -> None:
    assert await ended_by(kind("A sentence.")) == (STATUS_OF[kind], "A sentence.")


async def test_only_a_revocation_is_marked_as_being_for_good() -> None:
    for error, trailing in ((Revoked("R."), (("vedette-revoked", "1"),)), (Rejected("R."), ())):
        context: Any = FakeContext()
        with pytest.raises(Aborted):
            async with translated(context, "/test", has_deadline=True):
                raise error
        assert context.trailing == trailing


async def test_nothing_of_our_insides_is_said() -> None:
    code, details = await ended_by(ValueError("secret path /var/lib/vedette"))
    assert code is grpc.StatusCode.INTERNAL
    assert "secret" not in details
    assert "reference" in details


async def test_a_method_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "RPC_SECONDS_MAX", 0.0)
    context: Any = FakeContext()
    with pytest.raises(Aborted):
        async with translated(context, "/test", has_deadline=True):
            await asyncio.Event().wait()
    assert context.ended[0][0] is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_cancelled_call_stays_cancelled() -> None:
    context: Any = FakeContext()
    with pytest.raises(asyncio.CancelledError):
        async with translated(context, "/test", has_deadline=False):
            raise asyncio.CancelledError
    assert context.ended == []


def test_exit_codes_follow_the_kind() -> None:
    assert (NotFound.exit_code, Unreachable.exit_code) == (2, 3)
