"""Signed ``customer.subscription.updated`` deliveries of about 5 kB, as Stripe sends them."""

import hmac
import itertools
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from bench.wire import encode

#: The time of the first event, within the retention of payloads.
START = int(time.time()) - 86_400
#: The length of a subscription's period, in seconds.
PERIOD_SECONDS = 2_592_000
#: Metadata of the products, each with one price. A subscription has one of them, in turn, and the
#: last one.
PRODUCTS: tuple[dict[str, str], ...] = (
    {"features": "pro", "limit_seats": "5"},
    {"features": "pro, export"},
    {"features": "reports", "limit_seats": "10"},
    {"features": "api"},
    {"features": "support"},
)


@dataclass(frozen=True, slots=True)
class State:
    """The changing part of a subscription in an event."""

    status: str = "active"
    #: Of the current period, in unix seconds.
    starts: int = START
    note: int = 0


#: (number of the subscription, number of the event among its events) → state.
Course = Callable[[int, int], State]


def change_status(place: int, step: int) -> State:
    """Return a state with another status for each event."""
    return State(("active", "past_due", "trialing", "unpaid")[step % 4])


def change_sometimes(place: int, step: int) -> State:
    """Return a state that changes a column of entitlements (status, period) in one of four events.

    Subscriptions are at different points of the course, so each batch has both kinds of events.
    """
    phase = step + place
    status = "past_due" if phase % 8 >= 4 else "active"
    return State(status, START + phase // 8 * PERIOD_SECONDS, phase)


@dataclass(slots=True)
class Subscriptions:
    """Generates deliveries of unique events of several subscriptions, in order of time."""

    count: int
    secret: str
    #: Chooses the subscription of each event; by default in turn.
    chance: random.Random | None = None
    course: Course = change_status
    #: From the number of a subscription to the one of its customer.
    customer_of: Callable[[int], int] = lambda place: place
    sent: int = 0
    #: Time and state of the last event, by the number of the subscription.
    latest: dict[int, tuple[int, State]] = field(default_factory=dict)
    prefix: str = field(default_factory=lambda: f"{int(time.time() * 1000):x}")
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def deliver(self) -> bytes:
        """Return the next delivery's request, signed now."""
        number = next(self._numbers)
        self.sent += 1
        place = self.chance.randrange(self.count) if self.chance else number % self.count
        created = START + number
        state = self.course(place, number // self.count)
        self.latest[place] = (created, state)
        return encode_delivery(self.event(number, place, created, state), self.secret)

    def name(self, place: int) -> str:
        """Return the Stripe id of one of the subscriptions."""
        return f"sub_{self.prefix}{place:06}"

    def customer(self, number: int) -> str:
        """Return the Stripe id of a customer."""
        return f"cus_{self.prefix}{number:06}"

    def event(self, number: int, place: int, created: int, state: State) -> bytes:
        """Return an event's body."""
        body = (
            _TEMPLATE.replace(b"@event", f"evt_1{self.prefix}{number:010}".encode())
            .replace(b"@subscription", self.name(place).encode())
            .replace(b"@customer", self.customer(self.customer_of(place)).encode())
            .replace(b"@product", str(product_of(place)).encode())
            .replace(b"@status", state.status.encode())
            .replace(b"@note", str(state.note).encode())
        )
        return (
            body.replace(b'"@created"', str(created).encode())
            .replace(b'"@starts"', str(state.starts).encode())
            .replace(b'"@ends"', str(state.starts + PERIOD_SECONDS).encode())
        )


def product_of(place: int) -> int:
    """Return the product of a subscription; the last product is in every subscription."""
    return place % (len(PRODUCTS) - 1)


def encode_delivery(body: bytes, secret: str) -> bytes:
    """Return the request of a delivery, signed now."""
    headers = [("Stripe-Signature", sign(body, secret))]
    return encode("POST", "/webhooks/stripe", body, headers)


def sign(body: bytes, secret: str) -> str:
    """Return the ``Stripe-Signature`` of a body, signed now."""
    now = int(time.time())
    digest = hmac.new(secret.encode(), f"{now}.".encode() + body, sha256).hexdigest()
    return f"t={now},v1={digest}"


def _price(product: str) -> dict[str, Any]:
    return {
        "id": f"price_1SWbVdLkdIwHu7ix000{product}", "object": "price", "active": True,
        "billing_scheme": "per_unit", "created": START, "currency": "eur",
        "custom_unit_amount": None, "livemode": False, "lookup_key": "pro_monthly",
        "metadata": {"tier": "pro", "region": "eu"}, "nickname": "Pro, billed monthly",
        "product": f"prod_TTZ000000000000{product}",
        "recurring": {"interval": "month", "interval_count": 1, "meter": None,
                      "trial_period_days": None, "usage_type": "licensed"},
        "tax_behavior": "exclusive", "tiers_mode": None, "transform_quantity": None,
        "type": "recurring", "unit_amount": 1900, "unit_amount_decimal": "1900",
    }  # fmt: skip


def _subscription() -> dict[str, Any]:
    items: list[dict[str, Any]] = [
        {
            "id": f"si_TTZ000000000000{place}", "object": "subscription_item",
            "billing_thresholds": None, "created": START, "current_period_end": "@ends",
            "current_period_start": "@starts", "discounts": [], "metadata": {},
            "price": _price(product), "quantity": 3, "subscription": "@subscription",
            "tax_rates": [],
        }
        for place, product in enumerate(("@product", str(len(PRODUCTS) - 1)))
    ]  # fmt: skip
    return {
        "id": "@subscription", "object": "subscription", "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": True, "liability": {"type": "self"}},
        "billing_cycle_anchor": START, "billing_mode": {"type": "flexible"},
        "billing_thresholds": None, "cancel_at": None, "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically", "created": START, "currency": "eur",
        "customer": "@customer", "days_until_due": None, "default_payment_method": None,
        "default_source": None, "default_tax_rates": [], "description": None, "discounts": [],
        "ended_at": None, "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {"object": "list", "data": items, "has_more": False, "total_count": 2,
                  "url": "/v1/subscription_items?subscription=@subscription"},
        "latest_invoice": "in_1SWbVdLkdIwHu7ix0001", "livemode": False,
        "metadata": {"note": "an order as it comes, @note", "campaign": "autumn"},
        "next_pending_invoice_item_invoice": None, "on_behalf_of": None, "pause_collection": None,
        "payment_settings": {"payment_method_options": None, "payment_method_types": None,
                             "save_default_payment_method": "off"},
        "pending_invoice_item_interval": None, "pending_setup_intent": None,
        "pending_update": None, "schedule": None, "start_date": START, "status": "@status",
        "test_clock": None, "transfer_data": None, "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    }  # fmt: skip


def _event() -> dict[str, Any]:
    return {
        "id": "@event", "object": "event", "api_version": "2026-10-28.endive",
        "created": "@created",
        "data": {"object": _subscription(), "previous_attributes": {"status": "incomplete"}},
        "livemode": False, "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None}, "type": "customer.subscription.updated",
    }  # fmt: skip


_TEMPLATE = json.dumps(_event(), indent=2).encode()
