"""Creates Checkout Sessions; safe under concurrent requests of one buyer.

A payer has one pending exclusive purchase (a subscription, a trial, a price sold once per buyer).
It has a number, and the number is part of Stripe's idempotency key, so Stripe creates one session
for it, however many requests arrive at once. A request for something else first ends the pending
checkout and then takes the next number. See docs/decisions/013-one-pending-checkout.md.
"""

import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import stripe

from gateway.checkout.create_session import (
    CheckoutSession,
    KeyTaken,
    create_one_session,
    create_session,
    require_open,
)
from gateway.checkout.end_pending import end_pending_checkout
from gateway.checkout.incomplete_subscription import require_none_payable, without_incomplete
from gateway.checkout.order import Order
from gateway.checkout.portal_link import add_portal_link
from gateway.checkout.purchase_history import PurchaseHistory, read_purchase_history
from gateway.checkout.quote import AlreadySubscribed, Quote, build_quote, require_promotion_codes
from gateway.checkout.session_key import SessionKey, choose_session_key, renew_key
from gateway.checkout.session_params import SessionPayer, build_params
from gateway.checkout.stripe_refusal import explain_refusals
from gateway.customers.buyer import Buyer, OrderRequest, Price, read_buyer
from gateway.customers.find_or_create import CustomerFound, find_or_create_customer
from gateway.customers.mark_deleted import CustomerGone, mark_deleted
from gateway.errors import (
    GatewayError,
    IdempotencyKeyReused,
    StripeRefused,
    StripeUnavailable,
)
from gateway.http.rate_limits import RateLimits
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.buyer import PRICES, PricesRequest
from gateway.pocketbase.hook_call import call_hook
from gateway.price_terms import TermsFile
from gateway.stripe_api import SyncSnapshot, find_promotion_code

#: Rounds per request. Each further one follows a deleted customer or a pending checkout.
MAX_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class CheckoutService:
    """Sells to users, organizations and guests."""

    pocketbase: PocketBase
    client: stripe.StripeClient
    sync_snapshot: SyncSnapshot
    terms_file: TermsFile
    rate_limits: RateLimits
    #: The portal configuration for buyers with a running subscription, "" for Stripe's default.
    portal_configuration: str = ""

    async def sell(self, order: Order, token: str) -> CheckoutSession:
        """Return a session of the token's user for the order.

        A known customer costs one call to PocketBase and one to Stripe.

        Args:
            token: the user's PocketBase token.

        Raises:
            InvalidRequest, AlreadySubscribed, AlreadyBought, IdempotencyKeyReused
            Unauthenticated, NoOrganization, RateLimited
            StripeUnavailable, StripeRefused, PocketBaseUnavailable
        """
        buyer = await self._read_buyer(order, token)
        await self.rate_limits.count_user(buyer.user)
        failure: GatewayError | None = None
        for _ in range(MAX_ROUNDS):
            quote = await self._quote(order, buyer)
            try:
                customer = await self._find_customer(buyer, token)
            except CustomerFound:
                buyer = await self._read_buyer(order, token)
                continue
            try:
                return await self._open_session(order, buyer, customer, quote)
            except CustomerGone:
                await mark_deleted(self.pocketbase, customer)
            except KeyTaken as taken:
                # Stripe repeats a failure under its key: the next number is tried, but only once.
                if failure and taken.failure:
                    raise taken.failure from taken.failure.__cause__
                failure = failure or taken.failure
                await self._end_pending(buyer, customer)
            buyer = await self._read_buyer(order, token)
        raise StripeUnavailable("Another purchase of the same buyer is pending.")

    async def sell_to_guest(self, order: Order, address: str) -> CheckoutSession:
        """Return a session for a request without a user; it never has a trial.

        Args:
            address: the client's IP address. It separates the Idempotency-Keys of guests.

        Raises:
            InvalidRequest, IdempotencyKeyReused
            Unauthenticated: a price is not sold to guests.
            StripeUnavailable, StripeRefused, PocketBaseUnavailable
        """
        names = tuple(item.price for item in order.items)
        prices = (await call_hook(self.pocketbase, PRICES, PricesRequest(prices=names))).prices
        quote = self._build_quote(order, prices, PurchaseHistory(trial_used=True, is_guest=True))
        quote = await self._add_promotion_code(order, quote, customer="")
        # The first use of a guest's key is not stored, and equal requests must have equal ends.
        text = f"guest-{_digest(address, order.key)}" if order.key else ""
        key = renew_key(SessionKey(text, 0), int(time.time()))
        params = build_params(quote, SessionPayer(), order.page, key.since)
        with explain_refusals(quote):
            return await create_one_session(
                self.client, params, key.text if "expires_at" in params else text
            )

    async def _read_buyer(self, order: Order, token: str) -> Buyer:
        """Read everything that the order needs in one call to PocketBase."""
        names = [item.price for item in order.items]
        # The header may hold anything; its digest can be stored and logged.
        key = _digest(order.key) if order.key else ""
        request = OrderRequest(
            key=key,
            request_hash=order.request_hash if key else "",
            once=self.terms_file.mentions("once_per_buyer"),
        )
        return await read_buyer(
            self.pocketbase, token, names, order=request, organization=order.organization
        )

    async def _quote(self, order: Order, buyer: Buyer) -> Quote:
        """Return the quote; ignore incomplete subscriptions that can't be paid any more."""
        history = read_purchase_history(buyer)
        if history.key and history.key.request_hash != order.request_hash:
            raise IdempotencyKeyReused
        try:
            return self._build_quote(order, buyer.prices, history, buyer.seats)
        except AlreadySubscribed:
            quote = await self._quote_without_incomplete(order, buyer)
            await require_none_payable(self.client, buyer)
            return quote

    async def _quote_without_incomplete(self, order: Order, buyer: Buyer) -> Quote:
        history = read_purchase_history(without_incomplete(buyer))
        try:
            return self._build_quote(order, buyer.prices, history, buyer.seats)
        except AlreadySubscribed as refused:
            raise await add_portal_link(
                self.client, refused, buyer, order.page, self.portal_configuration
            ) from None

    def _build_quote(
        self, order: Order, prices: Sequence[Price], history: PurchaseHistory, seats: int = 0
    ) -> Quote:
        if not order.items:
            return Quote(mode="setup", currency=self.terms_file.setup_currency)
        quote = build_quote(order.items, prices, self.terms_file, history, seats)
        if order.promotion_code:
            require_promotion_codes(quote)
        return quote

    async def _find_customer(self, buyer: Buyer, token: str) -> str:
        return await find_or_create_customer(
            self.client, self.pocketbase, self.sync_snapshot, buyer, token
        )

    async def _open_session(
        self, order: Order, buyer: Buyer, customer: str, quote: Quote
    ) -> CheckoutSession:
        quote = await self._add_promotion_code(order, quote, customer)
        now = int(time.time())
        key = choose_session_key(buyer, quote, now)
        organization = buyer.organization.id if buyer.organization else ""
        payer = SessionPayer(buyer.user, organization, customer, key.number, key.header_id)

        def create(key: SessionKey) -> Awaitable[CheckoutSession]:
            params = build_params(quote, payer, order.page, key.since)
            send = create_session if key.number else create_one_session
            return send(self.client, params, key.text)

        with explain_refusals(quote):
            try:
                session = await create(key)
            except StripeRefused as refused:
                if refused.stripe.param != "expires_at":
                    raise
                # The first request with this Idempotency-Key created no session.
                session = await create(renew_key(key, now))
        if key.number and session.is_replayed:
            await require_open(self.client, session.id)
        return session

    async def _add_promotion_code(self, order: Order, quote: Quote, customer: str) -> Quote:
        if not order.promotion_code:
            return quote
        found = await find_promotion_code(self.client, order.promotion_code, customer)
        return replace(quote, promotion_code=found.stripe_id)

    async def _end_pending(self, buyer: Buyer, customer: str) -> None:
        number = read_purchase_history(buyer).pending_number
        await end_pending_checkout(
            self.pocketbase, self.client, self.sync_snapshot, buyer.payer, customer, number
        )


def _digest(*parts: str) -> str:
    return sha256("|".join(parts).encode()).hexdigest()[:40]
