"""Caches the account's meters for a minute: reports are frequent, changes of meters are rare.

Before a report is refused the meters are read again, once for all waiting reports.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from gateway.rows import Json
from gateway.stripe_api import translate_errors
from gateway.stripe_api.fields import as_dict, as_list, as_text

if TYPE_CHECKING:
    from stripe.params.billing import MeterListParams

_CACHE_SECONDS = 60.0
#: Stripe's maximum.
_PAGE_SIZE = 100
_MAX_PAGES = 20


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter; archived ones accept no usage."""

    stripe_id: str
    event_name: str
    #: The payload keys of an event for the customer and the value.
    customer_key: str
    value_key: str
    is_active: bool = True


class Meters:
    """A cache of the account's meters by event name."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._stripe = client
        self._found: dict[str, Meter] = {}
        self._read_at = time.monotonic() - _CACHE_SECONDS - 1
        #: Concurrent requests share one read.
        self._lock = asyncio.Lock()

    async def find(self, event_name: str) -> Meter | None:
        """Return the meter with this event name, an active one before archived ones; None without.

        Raises:
            StripeUnavailable, StripeRefused
        """
        await self._read_if_older_than(_CACHE_SECONDS)
        return self._found.get(event_name)

    async def refresh(self) -> None:
        """Read the meters again, after the start of this call.

        Raises:
            StripeUnavailable, StripeRefused
        """
        await self._read_if_older_than(0.0)

    def forget(self) -> None:
        """Drop the cache, after Stripe refused a request that was valid by the cached meters."""
        self._read_at = time.monotonic() - _CACHE_SECONDS - 1

    async def _read_if_older_than(self, seconds: float) -> None:
        called_at = time.monotonic()
        async with self._lock:
            # Another call may have read them while this one waited.
            if self._read_at < called_at - seconds:
                started = time.monotonic()
                self._found = await self._read()
                self._read_at = started

    async def _read(self) -> dict[str, Meter]:
        found: list[Json] = []
        for _ in range(_MAX_PAGES):
            params: MeterListParams = {"limit": _PAGE_SIZE}
            if found:
                params["starting_after"] = as_text(found[-1]["id"])
            with translate_errors():
                page = await self._stripe.v1.billing.meters.list_async(params)
            found += as_list(page.to_dict())
            if not page.has_more:
                break
        # Newest first, and an active one before archived ones of its name.
        meters = sorted(map(_meter, reversed(found)), key=lambda meter: meter.is_active)
        return {meter.event_name: meter for meter in meters}


def _meter(body: Json) -> Meter:
    return Meter(
        as_text(body.get("id")),
        as_text(body.get("event_name")),
        as_text(as_dict(body.get("customer_mapping")).get("event_payload_key")),
        as_text(as_dict(body.get("value_settings")).get("event_payload_key")),
        is_active=body.get("status") != "inactive",
    )
