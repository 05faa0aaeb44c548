"""The account's meters, remembered for a minute: usage comes often, and they seldom change."""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import stripe

from gateway.shapes import listing, mapping, text
from gateway.stripe_api import translate_errors
from gateway.writes import Json

if TYPE_CHECKING:
    from stripe.params.billing import MeterListParams

#: Seconds for which what was read holds, and for which an unknown name is not sought again.
_HOLDS = 60.0
_SEEKS_AGAIN = 5.0
_PAGE = 100
#: Pages that are read at most.
_PAGES = 20


@dataclass(frozen=True, slots=True)
class Meter:
    """An active meter."""

    stripe_id: str
    event_name: str
    #: Under which keys an event's payload names the customer and the value.
    customer_key: str
    value_key: str


class Meters:
    """Finds meters by the event name."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._stripe = client
        self._found: dict[str, Meter] = {}
        self._read_at = time.monotonic() - _HOLDS - 1
        #: Those who wait share what the first has read.
        self._reading = asyncio.Lock()

    async def find(self, event_name: str) -> Meter | None:
        """Return the active meter of this name, None if there is none.

        Raises:
            StripeUnavailable, StripeRefused
        """
        async with self._reading:
            age = time.monotonic() - self._read_at
            if age > (_HOLDS if event_name in self._found else _SEEKS_AGAIN):
                self._found = await self._read()
                self._read_at = time.monotonic()
        return self._found.get(event_name)

    async def _read(self) -> dict[str, Meter]:
        found: list[Json] = []
        for _ in range(_PAGES):
            params: MeterListParams = {"status": "active", "limit": _PAGE}
            if found:
                params["starting_after"] = text(found[-1]["id"])
            with translate_errors():
                page = await self._stripe.v1.billing.meters.list_async(params)
            found += listing(page.to_dict())
            if not page.has_more:
                break
        return {meter.event_name: meter for meter in map(_meter, found)}


def _meter(body: Json) -> Meter:
    return Meter(
        text(body.get("id")),
        text(body.get("event_name")),
        text(mapping(body.get("customer_mapping")).get("event_payload_key")),
        text(mapping(body.get("value_settings")).get("event_payload_key")),
    )
