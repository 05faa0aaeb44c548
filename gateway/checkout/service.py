"""Sells: from what is asked for to a session at Stripe, whatever happens at the same time.

Of exclusive purchases (one subscription a buyer, or a trial) a buyer has one under way. It has a
number, and the number is Stripe's idempotency key: Stripe makes one session of it, however many
requests come at once. Who asks for something else meanwhile ends that purchase first, and only then
takes the next number. See docs/decisions/013.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import stripe

from gateway.checkout.create_session import (
    CheckoutSession,
    KeyFailed,
    KeyTaken,
    create_one_session,
    create_session,
)
from gateway.checkout.incomplete_subscription import require_none_payable, without_incomplete
from gateway.checkout.pending import PendingCheckouts, is_stale
from gateway.checkout.purchase_history import PurchaseHistory, read_purchase_history
from gateway.checkout.quote import (
    AlreadySubscribed,
    Item,
    Quote,
    build_quote,
    require_promotion_codes,
)
from gateway.checkout.refusal import explain_refusal
from gateway.checkout.session_params import CheckoutPage, SessionPayer, build_params
from gateway.customers.buyer import Buyer, OrderRequest, Price, read_buyer
from gateway.customers.find_or_create import find_or_create_customer
from gateway.customers.mark_deleted import CustomerGone, mark_deleted
from gateway.errors import (
    GatewayError,
    IdempotencyKeyReused,
    StripeRefused,
    StripeUnavailable,
)
from gateway.http.rate_limits import RateLimits
from gateway.json_codec import dump
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.buyer import PRICES, PricesRequest
from gateway.pocketbase.hook_call import call_hook
from gateway.price_terms import Terms
from gateway.stripe_api import (
    SyncSnapshot,
    find_promotion_code,
    read_object,
    translate_errors,
)
from gateway.stripe_api.fields import as_dict

if TYPE_CHECKING:
    from stripe.params.billing_portal import SessionCreateParams as PortalParams
    from stripe.params.checkout import SessionCreateParams

#: How often a customer may be gone, or another purchase be in the way, within one request.
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Order:
    """What a request asks for."""

    page: CheckoutPage
    #: Nothing, to save a payment method for later.
    items: tuple[Item, ...] = ()
    #: The Idempotency-Key header.
    key: str = ""
    #: The organization that is to pay, "" for the user.
    organization: str = ""
    #: As a customer types it, "" for none.
    promotion_code: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for the same request."""
        items = [asdict(item) for item in self.items]
        content = [asdict(self.page), items, self.organization]
        if self.promotion_code:
            content.append(self.promotion_code)
        return sha256(dump(content)).hexdigest()


@dataclass(frozen=True, slots=True)
class CheckoutService:
    """What selling takes."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    apply: SyncSnapshot
    plans: Terms
    limits: RateLimits
    #: Of the portal that leads to a running subscription, "" for Stripe's default.
    portal_configuration: str = ""

    async def sell(self, order: Order, token: str) -> CheckoutSession:
        """Return a session of the token's user for what is ordered.

        With a customer that is known, that is one call to PocketBase and one to Stripe.

        Raises:
            InvalidRequest, AlreadySubscribed, IdempotencyKeyReused, Unauthenticated, NoOrganization
            StripeUnavailable, StripeRefused, PocketBaseUnavailable
        """
        buyer = await self.read_buyer(order, token)
        await self.limits.count_user(buyer.user)
        has_failed = False
        for _ in range(_ATTEMPTS):
            standing = read_purchase_history(buyer)
            if standing.key and standing.key.fingerprint != order.fingerprint:
                raise IdempotencyKeyReused
            try:
                offer = self._decide(order, buyer.prices, standing, buyer.seats)
            except AlreadySubscribed:
                others = without_incomplete(buyer)
                if refused := self._find_refusal(order, others):
                    raise await self._lead_to_portal(refused, buyer, order.page) from None
                await require_none_payable(self.client, buyer)
                buyer = others
                continue
            attempt = standing.attempt if offer.is_exclusive else 0
            customer = await find_or_create_customer(
                self.client, self.pocketbase, self.apply, buyer, token
            )
            try:
                offer = await self._redeem(order, offer, customer)
                return await self._open(order, buyer, customer, offer, standing)
            except CustomerGone:
                await mark_deleted(self.pocketbase, customer)
            except KeyTaken as taken:
                if not attempt:
                    raise IdempotencyKeyReused from taken
                if isinstance(taken, KeyFailed):
                    if has_failed:
                        raise taken.error from taken.error.__cause__
                    has_failed = True
                await self._attempts.end(buyer.payer, customer, attempt)
            buyer = await self.read_buyer(order, token)
        raise StripeUnavailable("Another purchase of the same buyer is under way.")

    async def sell_to_guest(self, order: Order, address: str) -> CheckoutSession:
        """Return a session for somebody who has not signed in; never with a trial.

        Args:
            address: where the request comes from: it parts one guest's Idempotency-Keys from
                another's.
        """
        asked = PricesRequest(prices=tuple(item.price for item in order.items))
        prices = (await call_hook(self.pocketbase, PRICES, asked)).prices
        offer = self._decide(order, prices, PurchaseHistory(trial_used=True, is_guest=True))
        offer = await self._redeem(order, offer, customer="")
        params = build_params(offer, SessionPayer(), order.page, int(time.time()))
        key = f"guest-{_digest(address, order.key)}" if order.key else ""
        try:
            return await self._create(offer, params, key)
        except KeyTaken as taken:
            raise IdempotencyKeyReused from taken

    async def read_buyer(self, order: Order, token: str) -> Buyer:
        """Ask PocketBase for all that the order takes, in one call."""
        names = [item.price for item in order.items]
        # What is hashed can be stored and logged.
        key = _digest(order.key) if order.key else ""
        asked = OrderRequest(
            key=key,
            fingerprint=order.fingerprint if key else "",
            once=self.plans.mentions("once_per_buyer"),
        )
        return await read_buyer(
            self.pocketbase, token, names, order=asked, organization=order.organization
        )

    async def _lead_to_portal(
        self, refused: AlreadySubscribed, buyer: Buyer, page: CheckoutPage
    ) -> AlreadySubscribed:
        """Add the portal of the customer with the running subscription, if there is one."""
        customer = refused.customer or buyer.portal_customer
        if not customer:
            return refused
        back = page.cancel_url or page.return_url
        params: PortalParams = {"customer": customer, "return_url": back}
        if self.portal_configuration:
            params["configuration"] = self.portal_configuration
        try:
            with translate_errors():
                session = await self.client.v1.billing_portal.sessions.create_async(params)
        except GatewayError:
            return refused  # The portal may not be set up, which is no reason to sell twice.
        return AlreadySubscribed(members={"portal_url": session.url})

    def _find_refusal(self, order: Order, buyer: Buyer) -> AlreadySubscribed | None:
        try:
            self._decide(order, buyer.prices, read_purchase_history(buyer), buyer.seats)
        except AlreadySubscribed as refused:
            return refused
        return None

    def _decide(
        self, order: Order, prices: Sequence[Price], standing: PurchaseHistory, seats: int = 0
    ) -> Quote:
        if not order.items:
            return Quote(mode="setup")
        offer = build_quote(order.items, prices, self.plans, standing, seats)
        if order.promotion_code:
            require_promotion_codes(offer)
        return offer

    async def _redeem(self, order: Order, offer: Quote, customer: str) -> Quote:
        """The offer with the promotion code that came with the order, if one did."""
        if not order.promotion_code:
            return offer
        found = await find_promotion_code(self.client, order.promotion_code, customer)
        return replace(offer, promotion_code=found.stripe_id)

    async def _open(
        self, order: Order, buyer: Buyer, customer: str, offer: Quote, standing: PurchaseHistory
    ) -> CheckoutSession:
        organization = buyer.organization.id if buyer.organization else ""
        attempt = standing.attempt if offer.is_exclusive else 0
        # Another key means another page; of a one-time payment only the last page stays open.
        page_key = standing.key.id if standing.key and offer.mode == "payment" else ""
        payer = SessionPayer(
            buyer.user, organization, customer, attempt, page_key if attempt else ""
        )
        if payer.attempt and is_stale(offer, standing):
            raise KeyTaken
        key, since = "", int(time.time())
        if payer.attempt:
            key, since = f"checkout-{buyer.payer}-{payer.attempt}", standing.attempt_since
        elif standing.key:
            key, since = f"checkout-{buyer.payer}-{standing.key.id}", standing.key.since
        currency = self.plans.setup_currency if offer.mode == "setup" else ""
        params = build_params(offer, payer, order.page, since, currency)
        session = await self._create(offer, params, key, payer.attempt)
        if payer.attempt and session.is_replayed:
            await self._refuse_old(session.id)
        return session

    async def _create(
        self, offer: Quote, params: "SessionCreateParams", key: str, attempt: int = 0
    ) -> CheckoutSession:
        create = create_session if attempt else create_one_session
        try:
            return await create(self.client, params, key)
        except StripeRefused as refused:
            raise explain_refusal(refused, offer) from refused.__cause__
        except KeyFailed as failed:
            if isinstance(failed.error, StripeRefused):
                failed.error = explain_refusal(failed.error, offer)
            raise

    async def _refuse_old(self, session_id: str) -> None:
        """Check a stored answer: it shows the session as it was when it was made."""
        path = f"/v1/checkout/sessions/{session_id}?expand[]=customer"
        session = (await read_object(self.client, path)).body
        if session["status"] != "open":
            raise KeyTaken
        if as_dict(session["customer"]).get("deleted"):
            with suppress(StripeRefused), translate_errors():
                await self.client.v1.checkout.sessions.expire_async(session_id)
            raise CustomerGone

    @property
    def _attempts(self) -> PendingCheckouts:
        return PendingCheckouts(self.pocketbase, self.client, self.apply)


def _digest(*parts: str) -> str:
    return sha256("|".join(parts).encode()).hexdigest()[:40]
