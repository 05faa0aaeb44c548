"""The state of the key, by Stripe's answers."""

import asyncio

import pytest

from gateway.background import run_in_background
from gateway.stripe_api import KeyCheck, StripeKeyNotAccepted


async def test_a_key_that_is_revoked_while_idle_is_noticed() -> None:
    """Without other requests the key is tried again: one that worked at the start is refused."""
    check = KeyCheck(probe_seconds=0.01)
    statuses = iter((200, 401))
    is_revoked = asyncio.Event()

    async def probe() -> None:
        check.check()
        status = next(statuses, 401)
        check.note("GET", "/v1/prices", status)
        if status == 401:
            is_revoked.set()

    async with run_in_background(check.watch(probe)), asyncio.timeout(20):
        await is_revoked.wait()
        with pytest.raises(StripeKeyNotAccepted, match="STRIPE_SECRET_KEY is not valid"):
            check.check()


async def test_a_key_in_use_is_not_tried() -> None:
    """Answers to other requests show the state of the key."""
    check = KeyCheck(probe_seconds=1000)
    check.note("GET", "/v1/prices", 200)
    tries: list[bool] = []

    async def probe() -> None:
        tries.append(True)

    async with run_in_background(check.watch(probe)):
        for _ in range(5):
            await asyncio.sleep(0)
    assert tries == []
