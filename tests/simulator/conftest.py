"""A fresh simulator and a webhook receiver for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.simulator.served import Receiver, Running, receiving, run

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stripe's SDK hands its body to httpx in a way that httpx warns of."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"))


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    """A fresh simulator with the demo catalogue, which must never break the contract itself."""
    async with run() as served:
        yield served
        assert [v for v in served.simulator.violations if v["what"] != "request"] == []


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A webhook endpoint."""
    async with receiving() as endpoint:
        yield endpoint
