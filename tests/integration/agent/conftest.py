from collections.abc import AsyncIterator

import pytest

from tests.fakes.controller import FakeController


@pytest.fixture
async def controller() -> AsyncIterator[FakeController]:
    fake = FakeController()
    await fake.start()
    yield fake
    await fake.stop()
