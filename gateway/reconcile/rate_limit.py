"""Asks Stripe at an even pace, and patiently when it, or PocketBase, does not answer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import stripe

from gateway.errors import StripeFailure, StripeUnavailable, Unavailable
from gateway.mirror.nested_lists import complete
from gateway.retries import retrying
from gateway.stripe_api import Snapshot, read_object

T = TypeVar("T")
_log = logging.getLogger(__name__)

#: Requests per second in live and in test mode: four fifths of Stripe's limits, because the gateway
#: reads as well.
_LIVE_RATE, _TEST_RATE = 80.0, 20.0
#: With pauses of half a second to 32 seconds, a minute in all.
_MAX_ATTEMPTS = 8
_MAX_PAUSE_SECONDS = 60.0
_TOO_MANY = 429
#: Without a Retry-After: Stripe counts requests per second.
_PAUSE_SECONDS = 1.0


def choose_rate(secret_key: str) -> float:
    """Return the requests per second that leave room below Stripe's limit of the key's mode."""
    return _LIVE_RATE if "_live_" in secret_key else _TEST_RATE


class RateLimit:
    """Spaces requests evenly, so that Stripe's limit per second is never met by a burst."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._next = 0.0
        self.requests = 0

    async def wait(self) -> None:
        """Return when the next request may be sent."""
        self.requests += 1
        now = time.monotonic()
        turn = max(self._next, now)
        self._next = turn + self._interval
        await asyncio.sleep(turn - now)

    def delay(self, seconds: float) -> None:
        """Send no further request for some seconds: Stripe has answered 429."""
        self._next = max(self._next, time.monotonic() + seconds)


@dataclass(slots=True)
class RateLimitedStripe:
    """Reads from Stripe."""

    client: stripe.StripeClient
    pace: RateLimit
    #: The API version that shapes the answers, by default the SDK's.
    version: str = ""

    async def read(self, path: str) -> Snapshot:
        """GET one path.

        Raises:
            Missing: Stripe answered 404.
            StripeRefused: see `gateway.stripe_api.translate_errors`.
            StripeUnavailable: also after a minute of trying.
        """

        async def read() -> Snapshot:
            await self.pace.wait()
            try:
                return await read_object(self.client, path, self.version)
            except StripeUnavailable as error:
                if error.stripe.status == _TOO_MANY:
                    self.pace.delay(max(error.stripe.retry_after, _PAUSE_SECONDS))
                raise

        return await with_retries(read)

    async def read_whole(self, path: str) -> Snapshot:
        """GET one object with all entries of its nested lists; raises the same."""
        return await complete(self.read, await self.read(path))


async def with_retries(call: Callable[[], Awaitable[T]]) -> T:
    """Retry a call with growing pauses while its service is unavailable; it must be idempotent.

    Raises:
        Unavailable: it is still unavailable after a minute; the run ends and can be continued.
    """
    async for attempt in retrying(
        _should_retry, first=0.5, longest=_MAX_PAUSE_SECONDS, attempts=_MAX_ATTEMPTS
    ):
        with attempt:
            return await call()
    raise AssertionError("the last attempt returns or raises")


def _should_retry(error: Exception) -> bool | float:
    """Whether to call again; the seconds that Stripe asks for with a 429."""
    if not isinstance(error, Unavailable):
        return False
    _log.warning("waiting", extra={"reason": error.detail})
    asked = error.stripe.retry_after if isinstance(error, StripeFailure) else 0
    return min(float(asked), _MAX_PAUSE_SECONDS) or True
