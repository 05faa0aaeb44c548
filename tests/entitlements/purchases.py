"""Purchases as webhooks of Stripe, and the resulting entitlements in PocketBase."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard, open_dashboard
from tests.delivery import Json, Sender, build_customer, build_event, build_subscription
from tests.frontend import Record
from tests.http_client import open_client

DAY = 86_400
#: The leeway that a renewal's webhook has.
LEEWAY = DAY


def write_time(second: float) -> str:
    """A unix second as PocketBase writes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S.000Z", time.gmtime(second))


class Purchases:
    """Sells to one user."""

    def __init__(self, sender: Sender, dashboard: Dashboard, user: str) -> None:
        self._sender = sender
        self.dashboard = dashboard
        self.user = user
        self.customer = build_customer(user)
        self.now = int(time.time())
        self.end = self.now + 30 * DAY

    async def tell(self, type: str, item: Json, at: int = 0) -> None:
        """Deliver one event about an object, which happened at a second, by default now."""
        event = build_event(type, item, created=at or self.now)
        answer = await self._sender.send(event)
        assert answer.status_code == 200, answer.text

    async def open(self) -> None:
        """Deliver the customer with its user."""
        await self.tell("customer.created", self.customer)

    async def add_product(self, **metadata: str) -> str:
        """Offer something; returns the product's id."""
        product = self.build_product(f"prod_{token_hex(7)}", **metadata)
        await self.tell("product.created", product)
        return str(product["id"])

    def build_product(self, product: str, **metadata: str) -> Json:
        """A product with metadata."""
        return {"id": product, "object": "product", "active": True, "metadata": metadata}

    async def add_price(self, product: str, type: str = "one_time", **metadata: str) -> str:
        """Offer a product at a price; returns the price's id."""
        price = {
            "id": f"price_{token_hex(7)}",
            "object": "price",
            "product": product,
            "type": type,
            "metadata": metadata,
        }
        await self.tell("price.created", price)
        return str(price["id"])

    def build_subscription(self, *products: str, quantity: int | None = 1, **members: Any) -> Json:
        """A subscription to products, paid until `end`."""
        items = [
            {
                "id": f"si_{token_hex(7)}",
                "quantity": quantity,
                "price": {"id": f"price_{token_hex(7)}", "product": product},
                "current_period_start": self.now,
                "current_period_end": self.end,
            }
            for product in products
        ]
        listed = {"object": "list", "data": items}
        return build_subscription(self.customer["id"], items=listed, **members)

    async def subscribe(self, *products: str, at: int = 0, **members: Any) -> Json:
        """Deliver the webhook of such a subscription."""
        subscription = self.build_subscription(*products, **members)
        await self.tell("customer.subscription.created", subscription, at)
        return subscription

    def build_session(self, *items: str, **members: Any) -> Json:
        """A paid Checkout Session of one-time prices, written as `price` or `price:quantity`."""
        named = {f"pocketbase_item_{place}": item for place, item in enumerate(items, 1)}
        return {
            "id": f"cs_test_{token_hex(8)}",
            "object": "checkout.session",
            "mode": "payment",
            "status": "complete",
            "payment_status": "paid",
            "customer": self.customer["id"],
            "payment_intent": f"pi_{token_hex(7)}",
            "created": self.now,
            "metadata": named,
            **members,
        }

    def build_charge(self, payment: str, **members: Any) -> Json:
        """The charge that paid."""
        return {
            "id": f"ch_{token_hex(7)}",
            "object": "charge",
            "customer": self.customer["id"],
            "payment_intent": payment,
            "status": "succeeded",
            "created": self.now,
            **members,
        }

    async def read(self) -> dict[str, Record]:
        """Return the user's entitlements by feature."""
        rows = await self.dashboard.list("entitlements", f"user = '{self.user}'")
        return {row["feature"]: row for row in rows}

    async def read_end(self, feature: str = "pro") -> str:
        """Return until when the user has a feature, "" for not at all."""
        row = (await self.read()).get(feature, {})
        assert bool(row.get("active")) == bool(row.get("active_until"))
        return str(row.get("active_until", ""))


@asynccontextmanager
async def open_purchases(stack: Stack) -> AsyncIterator[Purchases]:
    """Sell to a new user with a customer's row in a stack's PocketBase."""
    async with open_client() as http, open_dashboard(stack.pocketbase) as dashboard:
        sender = Sender(http, stack.gateway.url, stack.plan.stripe.webhook_secrets[0])
        purchases = Purchases(sender, dashboard, (await dashboard.frontend.sign_up()).id)
        await purchases.open()
        yield purchases
