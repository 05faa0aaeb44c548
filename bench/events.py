"""Signed ``customer.subscription.updated`` deliveries of about 5 kB, as Stripe sends them."""

import hmac
import itertools
import json
import random
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from bench.wire import encode

_STATUSES = ("active", "past_due", "trialing", "unpaid")
#: When the first event happens: within the days that payloads are kept.
START = int(time.time()) - 86_400


@dataclass(slots=True)
class Subscriptions:
    """Makes deliveries of unique events over a number of subscriptions, newer and newer."""

    count: int
    secret: str
    #: Chooses the subscription of each event; in turn when not given.
    chance: random.Random | None = None
    sent: int = 0
    #: What each subscription was last said to be: by Stripe id, event time and status.
    latest: dict[str, tuple[int, str]] = field(default_factory=dict)
    _prefix: str = field(default_factory=lambda: f"{int(time.time() * 1000):x}")
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def deliver(self) -> bytes:
        """Return the next delivery's request, signed now."""
        number = next(self._numbers)
        self.sent += 1
        place = self.chance.randrange(self.count) if self.chance else number % self.count
        subscription = self.name(place)
        created = START + number
        status = _STATUSES[number // self.count % len(_STATUSES)]
        self.latest[subscription] = (created, status)
        body = self.event(number, subscription, created, status)
        return encode(
            "POST", "/webhooks/stripe", body, [("Stripe-Signature", sign(body, self.secret))]
        )

    def name(self, place: int) -> str:
        """Return the Stripe id of one of the subscriptions."""
        return f"sub_{self._prefix}{place:06}"

    def event(self, number: int, subscription: str, created: int, status: str) -> bytes:
        """Return an event's body."""
        return (
            _TEMPLATE.replace(b"@event", f"evt_1{self._prefix}{number:010}".encode())
            .replace(b"@subscription", subscription.encode())
            .replace(b"@customer", subscription.replace("sub_", "cus_").encode())
            .replace(b"@status", status.encode())
            .replace(b'"@created"', str(created).encode())
        )


def sign(body: bytes, secret: str) -> str:
    """Return the ``Stripe-Signature`` of a body, signed now."""
    now = int(time.time())
    digest = hmac.new(secret.encode(), f"{now}.".encode() + body, sha256).hexdigest()
    return f"t={now},v1={digest}"


def _price() -> dict[str, Any]:
    return {
        "id": "price_1SWbVdLkdIwHu7ix0001", "object": "price", "active": True,
        "billing_scheme": "per_unit", "created": START, "currency": "eur",
        "custom_unit_amount": None, "livemode": False, "lookup_key": "pro_monthly",
        "metadata": {"tier": "pro", "region": "eu"}, "nickname": "Pro, billed monthly",
        "product": "prod_TTZ0000000000001",
        "recurring": {"interval": "month", "interval_count": 1, "meter": None,
                      "trial_period_days": None, "usage_type": "licensed"},
        "tax_behavior": "exclusive", "tiers_mode": None, "transform_quantity": None,
        "type": "recurring", "unit_amount": 1900, "unit_amount_decimal": "1900",
    }  # fmt: skip


def _subscription() -> dict[str, Any]:
    items: list[dict[str, Any]] = [
        {
            "id": f"si_TTZ000000000000{place}", "object": "subscription_item",
            "billing_thresholds": None, "created": START, "current_period_end": START + 2592000,
            "current_period_start": START, "discounts": [], "metadata": {},
            "price": _price(), "quantity": 3, "subscription": "@subscription", "tax_rates": [],
        }
        for place in range(2)
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
        "metadata": {"note": "an order as it comes", "campaign": "autumn"},
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
