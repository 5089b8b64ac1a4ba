"""BacktestService: another rule on the stored results, in steps that let others in between."""

from dataclasses import dataclass

import msgspec

from controller.ports import Worker
from controller.rpc.status import Context
from controller.services.backtest import Backtests
from vedette.v1 import backtest_pb2, backtest_pb2_grpc


@dataclass(frozen=True, slots=True)
class BacktestServicer(backtest_pb2_grpc.BacktestServiceServicer):
    """Judges one check a call."""

    worker: Worker
    backtests: Backtests

    async def Backtest(  # noqa: N802 - gRPC's name
        self, request: backtest_pb2.BacktestRequest, context: Context
    ) -> backtest_pb2.BacktestResponse:
        """One check under another rule."""
        begun = await self.worker.run(
            lambda: self.backtests.begin(
                request.rule, request.check, request.from_us, request.to_us
            )
        )
        while await self.worker.run(begun.step):
            pass
        result = await self.worker.run(begun.result)
        return backtest_pb2.BacktestResponse(result_json=msgspec.json.encode(result))
