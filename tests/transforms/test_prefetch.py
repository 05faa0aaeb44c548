"""`prefetch`: one look-up for all writes of a batch, within the time that a write may take."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import BaseModel, Field

from gateway.errors import PocketBaseUnavailable
from gateway.transforms import FieldErrors, Transform, TransformContext, Write
from gateway.transforms.runner import TransformRunner
from gateway.transforms.transform import Prefetch


class Line(BaseModel):
    """A line of an order."""

    product: str = Field(min_length=1)


def price(line: Line, context: TransformContext) -> dict[str, Any]:
    """Take the price that was looked up."""
    return {"price": context.prefetched[line.product]}


async def _run(prefetch: Prefetch, *products: str, seconds: float = 3.0) -> list[dict[str, Any]]:
    transform = Transform("lines", {"create"}, price, Line, timeout=seconds, prefetch=prefetch)
    found = TransformRunner({("lines", "create"): transform})
    item = {"collection": "lines", "operation": "create", "sent": ["product"], "original": None}
    items = [item | {"record": {"product": each}, "files": {}} for each in products]
    return await found.run_all(items, None)


async def test_a_batch_is_looked_up_once() -> None:
    """The function is given the same result for each write; a single write has a list of one."""
    calls = []

    async def find_prices(writes: Sequence[Write]) -> dict[str, int]:
        calls.append([write.incoming.product for write in writes])
        return {write.incoming.product: len(write.incoming.product) for write in writes}

    results = await _run(find_prices, "pen", "paper")
    assert results == [{"values": {"price": 3}}, {"values": {"price": 5}}]
    assert await _run(find_prices, "ink") == [{"values": {"price": 3}}]
    assert calls == [["pen", "paper"], ["ink"]]


async def test_writes_that_are_not_valid_are_not_looked_up() -> None:
    """Their result is known, and the others get theirs."""

    async def find_prices(writes: Sequence[Write]) -> dict[str, int]:
        return {write.incoming.product: 1 for write in writes}

    wrong, right = await _run(find_prices, "", "pen")
    assert wrong["errors"].keys() == {"product"}
    assert right == {"values": {"price": 1}}


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (RuntimeError("broken"), "error"),
        (FieldErrors({"product": ("code", "Whose?")}), "error"),
        (PocketBaseUnavailable(), "unavailable"),
    ],
)
async def test_a_look_up_that_fails_fails_its_writes(error: Exception, result: str) -> None:
    """None of them can be judged without it."""

    async def find_prices(writes: Sequence[Write]) -> dict[str, int]:
        raise error

    results = await _run(find_prices, "pen", "paper")
    assert [each["failed"] for each in results] == [result] * 2


async def test_a_look_up_takes_its_time_from_the_function() -> None:
    """PocketBase waits for the time-out of the transform, not for twice as long."""

    async def wait(writes: Sequence[Write]) -> None:
        await asyncio.Event().wait()

    assert await _run(wait, "pen", "paper", seconds=0.05) == [{"failed": "timeout"}] * 2
