"""The end of a purchase that is under way, so that the next can begin."""

import logging
import time
from dataclasses import dataclass
from urllib.parse import quote

import stripe

from gateway.checkout.purchase_history import PurchaseHistory
from gateway.checkout.quote import Quote
from gateway.checkout.result import sync_session
from gateway.errors import StripeRefused, StripeUnavailable
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.buyer import END_ATTEMPT, AttemptEnd
from gateway.pocketbase.hook_call import call_hook
from gateway.rows import Json
from gateway.stripe_api import SyncSnapshot, read_object, translate_errors
from gateway.vocabulary import ATTEMPT_METADATA

_log = logging.getLogger(__name__)

#: Stripe wants a session to stay open for half an hour; a minute for clocks that differ.
_SHORTEST_OPEN = 31 * 60
#: Of a hundred sessions each.
_PAGES = 20


@dataclass(frozen=True, slots=True)
class PendingCheckouts:
    """Ends exclusive purchases by their numbers."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    apply: SyncSnapshot

    async def end(self, user: str, customer: str, number: int) -> None:
        """End a purchase: what was paid for arrives, and what is open closes.

        Raises:
            StripeUnavailable, StripeRefused, PocketBaseUnavailable
        """
        for session in await self._find(customer, number) if customer else ():
            await self._close(session)
        await call_hook(self.pocketbase, END_ATTEMPT, AttemptEnd(buyer=user, number=number))
        _log.info("purchase superseded", extra={"user": user, "attempt": number})

    async def _find(self, customer: str, number: int) -> list[Json]:
        """Return the purchase's sessions, also behind many that were made since."""
        start = f"/v1/checkout/sessions?limit=100&customer={quote(customer, safe='')}"
        path = start
        for _ in range(_PAGES):
            page = (await read_object(self.client, path)).body
            sessions: list[Json] = page["data"]
            made = [each for each in sessions if _is_of(each, number)]
            if made or not page["has_more"]:
                return made
            path = f"{start}&starting_after={quote(sessions[-1]['id'], safe='')}"
        raise StripeUnavailable("There are too many purchases of this buyer under way.")

    async def _close(self, session: Json) -> None:
        if session["status"] == "open":
            try:
                with translate_errors():
                    await self.client.v1.checkout.sessions.expire_async(session["id"])
                return
            except StripeRefused:
                _log.info("checkout session already completed", extra={"session": session["id"]})
        await sync_session(self.client, self.apply, session["id"])


def _is_of(session: Json, number: int) -> bool:
    return bool(session["metadata"].get(ATTEMPT_METADATA) == str(number))


def is_stale(offer: Quote, standing: PurchaseHistory) -> bool:
    """Whether the session under way is over by its time, or too near to that to start it."""
    ends = standing.attempt_since + offer.expires_minutes * 60
    return ends - time.time() < _SHORTEST_OPEN
