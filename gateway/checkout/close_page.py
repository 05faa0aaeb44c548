"""Expires a page of Checkout that would sell what the buyer has got elsewhere.

Without it, a buyer who has a page open while the seller, a Payment Link or a quote starts a
subscription could pay for a second one; likewise for a price that is sold once per buyer.
PocketBase adds the item of the queue with the purchase's row (pb_hooks/lib/checkout/open_page.js).
"""

import logging
from dataclasses import dataclass
from urllib.parse import quote

import stripe
from pydantic import TypeAdapter

from gateway.checkout.end_pending import expire_session, list_sessions
from gateway.checkout.purchase_history import PurchaseHistory
from gateway.checkout.quote import is_excluded
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.buyer import PRICES, PricesRequest
from gateway.pocketbase.hook_call import call_hook
from gateway.price_terms import TermsFile
from gateway.rows import Json
from gateway.stripe_api import Missing, read_object
from gateway.stripe_api.fields import as_list, item_price, stripe_id
from gateway.work import Done, Outcome, WorkContext, WorkHandler, WorkItem

CLOSE_PAGE = "gateway.checkout.close_page"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewPurchase:
    """The payload of an item: the payer's pending checkout, and the purchase made elsewhere."""

    #: The number of the pending checkout.
    number: int
    #: The Stripe ids of the payer's customers.
    customers: tuple[str, ...]
    #: The Stripe ids of a subscription's prices.
    prices: tuple[str, ...] = ()
    #: The Stripe ids of the prices of one-time sales.
    bought: tuple[str, ...] = ()


_PAYLOAD = TypeAdapter(NewPurchase)


@dataclass(frozen=True, slots=True)
class PageCloser:
    """Closes pages; repeating it changes nothing."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    terms_file: TermsFile

    @property
    def handler(self) -> WorkHandler:
        """The work handler; a failed request is tried again."""
        return WorkHandler(CLOSE_PAGE, self.run)

    async def run(self, item: WorkItem, context: WorkContext) -> Outcome:
        """Expire the open sessions that the purchase excludes; the result lists their ids."""
        new = _PAYLOAD.validate_python(item.payload)
        closed = [
            session["id"]
            for customer in new.customers
            for session in await self._list_open(customer, new.number)
            if await self._is_excluded(session, new)
            and await expire_session(self.client, session["id"])
        ]
        for session in closed:
            _log.info("checkout page closed", extra={"session": session, "source": item.source})
        return Done(closed)

    async def _list_open(self, customer: str, number: int) -> list[Json]:
        try:
            sessions = await list_sessions(self.client, customer, number)
        except Missing:
            return []
        return [session for session in sessions if session["status"] == "open"]

    async def _is_excluded(self, session: Json, new: NewPurchase) -> bool:
        path = f"/v1/checkout/sessions/{quote(session['id'], safe='')}/line_items?limit=100"
        lines = as_list((await read_object(self.client, path)).body)
        sold = {stripe_id(item_price(line)) for line in lines}
        request = PricesRequest(prices=tuple({*sold, *new.prices, *new.bought}))
        prices = (await call_hook(self.pocketbase, PRICES, request)).prices
        held = (new.prices,) if new.prices else ()
        history = PurchaseHistory(subscriptions=held, bought=new.bought, prices=tuple(prices))
        offered = [price for price in prices if price.stripe_id in sold]
        return is_excluded(offered, history, self.terms_file)
