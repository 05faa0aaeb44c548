"""Updates the quantity of items paid per member at Stripe.

There is no queue: at each round PocketBase compares the members with the mirrored quantities, so
changes during a downtime are caught up, and no write in PocketBase waits for Stripe. See
docs/decisions/010-teams.md.
"""

import logging
import time
from dataclasses import dataclass, field
from typing import NoReturn

import stripe

from gateway.background import repeat
from gateway.errors import GatewayError
from gateway.pocketbase import PocketBase, PocketBaseRefused
from gateway.pocketbase.contracts.teams import SEATS, Seats, SeatsRequest
from gateway.pocketbase.hook_call import call_hook
from gateway.price_terms import PriceTerms, TermsFile
from gateway.stripe_api import translate_errors
from gateway.teams.seat_phases import update_phases

_log = logging.getLogger(__name__)

#: Pause before a quantity that is still not mirrored is sent again.
_MIN_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 5.0, 600.0
#: Remembered items; forgotten ones are tried again sooner.
_MAX_TRIED = 1000


@dataclass(slots=True)
class SeatSync:
    """Runs in the background; several gateways can, because setting a quantity is idempotent."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    terms_file: TermsFile
    #: Seconds between two rounds: the setting GATEWAY_SEAT_SYNC_SECONDS.
    pause: float
    #: The item after which the next round continues, so that failing items don't block others.
    _after: str = ""
    #: Per item: the monotonic time of the next try, and the pause before it in seconds.
    _tried: dict[Seats, tuple[float, float]] = field(default_factory=dict)

    async def run(self) -> NoReturn:
        """Update seats forever; log failures and try again."""
        await repeat(self.update, self.pause, _log, "seat sync", GatewayError, PocketBaseRefused)

    async def update(self) -> None:
        """Update the next hundred items with a quantity that is out of date.

        Raises:
            PocketBaseRefused, PocketBaseUnavailable
        """
        answer = await call_hook(self.pocketbase, SEATS, SeatsRequest(after=self._after))
        self._after = answer.next
        for seats in answer.seats:
            quantity = self._fit(seats)
            due, _ = self._tried.get(seats, (0.0, 0.0))
            if quantity != seats.quantity and time.monotonic() >= due:
                await self._set_quantity(seats, quantity)

    def _fit(self, seats: Seats) -> int:
        """Return the number of members, within the bounds of the price's terms."""
        terms = self.terms_file.find(seats.price) or PriceTerms()
        return terms.fit(seats.members)

    async def _set_quantity(self, seats: Seats, quantity: int) -> None:
        try:
            with translate_errors():
                if seats.schedule:
                    await update_phases(self.client, seats.schedule, quantity)
                else:
                    await self.client.v1.subscription_items.update_async(
                        seats.item, {"quantity": quantity}
                    )
        except GatewayError as error:
            _log.warning(
                "seat quantity refused", extra={"item": seats.item, "reason": error.detail}
            )
        else:
            fields = {"item": seats.item, "members": seats.members, "quantity": quantity}
            _log.info("seat quantity updated", extra=fields)
        # Also after success: the webhook with the new quantity has not arrived yet.
        self._postpone(seats)

    def _postpone(self, seats: Seats) -> None:
        _, pause = self._tried.pop(seats, (0.0, _MIN_PAUSE_SECONDS / 2))
        pause = min(2 * pause, _MAX_PAUSE_SECONDS)
        self._tried[seats] = (time.monotonic() + pause, pause)
        while len(self._tried) > _MAX_TRIED:
            del self._tried[next(iter(self._tried))]
