"""Tells Stripe how many members an organization has, where its subscription is paid by seat.

Nothing is queued. PocketBase compares members with mirrored quantities whenever it is asked, so
what was missed, while the gateway or Stripe was down, is seen the next time; and no write in
PocketBase ever waits for Stripe. See docs/decisions/010-teams.md.
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

#: Seconds until a quantity that is still not mirrored is sent again: at first, and at the most.
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0
#: How many are remembered; those forgotten are just tried sooner.
_MOST_TRIED = 1000


@dataclass(slots=True)
class SeatSync:
    """Runs beside the requests; several gateways may: to set a number twice is to set it once."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    terms_file: TermsFile
    pause: float
    #: Behind which item the next look goes on, so that the many that stay wrong hide none.
    _after: str = ""
    #: When, by the monotonic clock, the same is sent again, and after which pause.
    _tried: dict[Seats, tuple[float, float]] = field(default_factory=dict)

    async def run(self) -> NoReturn:
        """Bring seats in line for ever; what fails is logged and tried again."""
        await repeat(self.keep, self.pause, _log, "seat sync", GatewayError, PocketBaseRefused)

    async def keep(self) -> None:
        """Tell Stripe numbers that are not the mirrored ones: the next hundred, in turn.

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
        """Return the quantity for a number of members, within the price's terms."""
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
            told = {"item": seats.item, "members": seats.members, "quantity": quantity}
            _log.info("seat quantity updated", extra=told)
        # Also what was taken: the webhook that brings the new quantity is on its way.
        self._postpone(seats)

    def _postpone(self, seats: Seats) -> None:
        _, pause = self._tried.pop(seats, (0.0, _FIRST_PAUSE / 2))
        pause = min(2 * pause, _LONGEST_PAUSE)
        self._tried[seats] = (time.monotonic() + pause, pause)
        while len(self._tried) > _MOST_TRIED:
            del self._tried[next(iter(self._tried))]
