"""Caches the account's meters for a minute: reports are frequent, changes of meters rare.

Before a report is refused they are read again, once for all reports that wait.
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

#: Seconds for which the meters are cached.
_HOLDS = 60.0
_PAGE = 100
#: Pages that are read at most.
_PAGES = 20


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter; archived ones accept no usage."""

    stripe_id: str
    event_name: str
    #: Under which keys an event's payload names the customer and the value.
    customer_key: str
    value_key: str
    is_active: bool = True


class Meters:
    """Finds meters by the event name."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._stripe = client
        self._found: dict[str, Meter] = {}
        self._read_at = time.monotonic() - _HOLDS - 1
        #: Those who wait share what the first has read.
        self._reading = asyncio.Lock()

    async def find(self, event_name: str) -> Meter | None:
        """Return the meter with this event name, of several the active one; None without one.

        Raises:
            StripeUnavailable, StripeRefused
        """
        await self._read_if_older_than(_HOLDS)
        return self._found.get(event_name)

    async def refresh(self) -> None:
        """Read the meters again, at least once after this call.

        Raises:
            StripeUnavailable, StripeRefused
        """
        await self._read_if_older_than(0.0)

    def forget(self) -> None:
        """Drop the cache: Stripe refused a request that was valid by the cached meters."""
        self._read_at = time.monotonic() - _HOLDS - 1

    async def _read_if_older_than(self, seconds: float) -> None:
        asked_at = time.monotonic()
        async with self._reading:
            # Another may have read them while this one waited.
            if self._read_at < asked_at - seconds:
                began = time.monotonic()
                self._found = await self._read()
                self._read_at = began

    async def _read(self) -> dict[str, Meter]:
        found: list[Json] = []
        for _ in range(_PAGES):
            params: MeterListParams = {"limit": _PAGE}
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
