"""Temporary failures are retried after growing, random pauses."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stamina
from stamina.instrumentation import RetryDetails, get_on_retry_hooks, set_on_retry_hooks

from gateway.background import repeat
from gateway.errors import NotFound, PocketBaseUnavailable, StripeUnavailable, Unavailable
from gateway.reconcile.rate_limit import with_retries
from gateway.retries import retrying
from gateway.stripe_error import StripeAnswer

_log = logging.getLogger(__name__)


@pytest.fixture
def waits() -> Iterator[list[float]]:
    """The seconds before each retry, which are not waited."""
    found: list[float] = []

    def note(details: RetryDetails) -> None:
        found.append(details.wait_for)

    before = get_on_retry_hooks()
    set_on_retry_hooks([note])
    yield found
    set_on_retry_hooks(before)


def _failing(*errors: Exception) -> Callable[[], Any]:
    left = list(errors)

    async def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


async def test_no_arguments_or_texts_are_logged() -> None:
    """The library's own log lines are off: whoever tries logs what may be logged."""
    assert get_on_retry_hooks() == ()


async def test_the_pauses_grow_and_differ(waits: list[float]) -> None:
    """Doubled each time up to the longest, with up to a quarter of the first on top."""

    async def fail() -> None:
        async for attempt in retrying(Unavailable, first=0.01, longest=0.04, attempts=5):
            with attempt:
                raise Unavailable

    with pytest.raises(Unavailable):
        await fail()
    bounds = zip(waits, (0.01, 0.02, 0.04, 0.04), strict=True)
    assert all(-1e-9 < wait - least < 0.00251 for wait, least in bounds)


async def test_stripe_says_when(waits: list[float]) -> None:
    """A 429 names the seconds to wait."""
    limited = StripeUnavailable().of(StripeAnswer(429, retry_after=1))
    assert await with_retries(_failing(limited)) == "done"
    assert waits == [1.0]


async def test_what_is_refused_is_not_repeated(waits: list[float]) -> None:
    """Only what time mends is tried again."""
    with pytest.raises(NotFound):
        await with_retries(_failing(NotFound(), NotFound()))
    assert waits == []


async def test_a_loop_goes_on_after_any_failure(
    waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """Known failures are logged with their reason, others whole, and the next round comes."""
    done = asyncio.Event()
    fail = _failing(PocketBaseUnavailable("It restarts."), RuntimeError("a mistake"))

    async def work() -> None:
        await fail()
        done.set()

    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(repeat(work, 0.01, _log, "work", Unavailable))
        async with asyncio.timeout(10):
            await done.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(waits) == 2
    assert vars(caplog.records[0])["reason"] == "It restarts."
    assert caplog.records[1].exc_info
    assert stamina.is_active()
