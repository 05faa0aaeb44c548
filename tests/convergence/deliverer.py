"""Delivers events as Stripe does at its worst: in any order, again, and many at a time."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

from tests.delivery import sign

Json = dict[str, Any]
_AT_ONCE = 16
_ATTEMPTS = 20
_RESOLVED_WITHIN = 30.0


class Deliverer:
    """Delivers to one or several gateways; a gateway that is busy is asked again."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        urls: Sequence[str],
        secret: str,
        count_unresolved: Callable[[], int],
    ) -> None:
        self._http = http
        self._count_unresolved = count_unresolved
        self._urls = [f"{url}/webhooks/stripe" for url in urls]
        self._secret = secret
        self.outcomes: dict[str, int] = {}
        self.refused = 0

    async def deliver(self, events: Sequence[Json]) -> None:
        """Deliver in this order, up to 16 at once, and wait until all events are resolved."""
        free = asyncio.Semaphore(_AT_ONCE)

        async def one(place: int, event: Json) -> None:
            async with free:
                await self._deliver_one(self._urls[place % len(self._urls)], event)

        await asyncio.gather(*(one(place, event) for place, event in enumerate(events)))
        await self.wait_resolved()

    async def wait_resolved(self) -> None:
        """Wait until no stored event waits for a read from Stripe."""
        ends = time.monotonic() + _RESOLVED_WITHIN
        while unresolved := self._count_unresolved():
            assert time.monotonic() < ends, f"{unresolved} events stay unresolved"
            await asyncio.sleep(0.02)

    async def post(self, event: Json, url: str = "") -> tuple[int, Json]:
        """Deliver once; returns the status and the answer."""
        body = json.dumps(event).encode()
        headers = {"Stripe-Signature": sign(body, self._secret)}
        async with self._http.post(url or self._urls[0], data=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def _deliver_one(self, url: str, event: Json) -> None:
        for _ in range(_ATTEMPTS):
            status, answer = await self.post(event, url)
            if status == 200:
                outcome = answer["outcome"]
                self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
                return
            assert status == 503, f"{event['type']}: {status} {answer}"
            self.refused += 1
        raise AssertionError(f"{event['id']} was refused {_ATTEMPTS} times")
