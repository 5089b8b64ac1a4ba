"""BacktestService: another rule on the stored results, part by part, so that others come in between."""

from dataclasses import dataclass

import msgspec

from controller.ports.storage import Worker
from controller.rpc.status import Context
from controller.services.timeline.backtest import Backtests
from vedette.v1 import backtest_pb2, backtest_pb2_grpc


@dataclass(frozen=True, slots=True)
class BacktestServicer(backtest_pb2_grpc.BacktestServiceServicer):
    """Judges a part of the time of one check a call."""

    worker: Worker
    backtests: Backtests

    async def Backtest(  # noqa: N802 - gRPC's name
        self, request: backtest_pb2.BacktestRequest, context: Context
    ) -> backtest_pb2.BacktestResponse:
        """A part of the time of one check under another rule."""
        part = await self.worker.run(
            lambda: self.backtests.judged(
                request.rule,
                request.check,
                from_us=request.from_us,
                to_us=request.to_us,
                horizon_us=request.horizon_us,
            )
        )
        return backtest_pb2.BacktestResponse(part_json=msgspec.json.encode(part))
