"""A controller for the tests of a module."""

from collections.abc import Iterator

import pytest

from tests.integration.rpc.running import Running, running


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A controller with a fleet file in force, shared by the tests of a module."""
    with running(tmp_path_factory.mktemp("controller")) as started:
        started.apply()
        yield started
