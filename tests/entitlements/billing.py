"""Invoices of a subscription, their payments, and what goes back, as Stripe's webhooks tell it."""

from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from typing import Any

from tests.delivery import Json
from tests.entitlements.purchases import DAY, Purchases

_NUMBERS = count(1)


@dataclass
class Bill:
    """A paid invoice and its charges."""

    invoice: Json
    charges: list[Json] = field(default_factory=list)


class Billing:
    """Bills the subscriptions of one customer."""

    def __init__(self, purchases: Purchases) -> None:
        self.purchases = purchases

    async def subscribe(self, *features: str, **members: Any) -> Json:
        """Subscribe to one product per feature, from now until `end`."""
        products = [await self.purchases.add_product(features=feature) for feature in features]
        return await self.purchases.subscribe(*products, **members)

    def line(self, item: Json, amount: int = 1000, **members: Any) -> Json:
        """The line of an item's current period."""
        start, end = item["current_period_start"], item["current_period_end"]
        line = self.other_line(amount, period={"start": start, "end": end})
        details = {
            "subscription_item": item["id"],
            "proration": members.pop("proration", False),
            "invoice_item": None,
        }
        parent = {"type": "subscription_item_details", "subscription_item_details": details}
        pricing = {"price_details": {"price": item["price"]["id"], "product": None}}
        return line | {"parent": parent, "pricing": pricing} | members

    def other_line(self, amount: int, **members: Any) -> Json:
        """A line of an item that the seller added, as a fee or a credit."""
        details = {"invoice_item": f"ii_{token_hex(5)}", "proration": False}
        return {
            "id": f"il_{token_hex(6)}",
            "amount": amount,
            "quantity": 1,
            "parent": {"type": "invoice_item_details", "invoice_item_details": details},
            "period": {"start": self.purchases.now, "end": self.purchases.now},
            **members,
        }

    async def bill(
        self,
        subscription: Json,
        *lines: Json,
        payments: tuple[int, ...] | None = None,
        reason: str = "subscription_cycle",
        **members: Any,
    ) -> Bill:
        """Deliver a paid invoice; by default one payment pays the sum of its lines."""
        total = sum(line["amount"] for line in lines)
        payments = (total,) if payments is None else payments
        invoice = {
            "id": f"in_{token_hex(7)}",
            "object": "invoice",
            "customer": self.purchases.customer["id"],
            "parent": {"subscription_details": {"subscription": subscription["id"]}},
            "status": "paid",
            "billing_reason": reason,
            "amount_paid": sum(payments),
            "created": self.purchases.now,
            "lines": {"object": "list", "data": list(lines)},
            **members,
        }
        await self.purchases.tell("invoice.paid", invoice)
        return Bill(invoice, [await self._pay(invoice, amount) for amount in payments])

    async def _pay(self, invoice: Json, amount: int) -> Json:
        charge = self.purchases.build_charge(
            f"pi_{token_hex(7)}", amount=amount, amount_captured=amount
        )
        await self.purchases.tell("charge.succeeded", charge)
        payment = {
            "id": f"inpay_{token_hex(7)}",
            "object": "invoice_payment",
            "invoice": invoice["id"],
            "status": "paid",
            "amount_paid": amount,
            "payment": {"type": "payment_intent", "payment_intent": charge["payment_intent"]},
        }
        await self.purchases.tell("invoice_payment.paid", payment)
        return charge

    async def refund(self, bill: Bill) -> None:
        """Give all charges of an invoice back, as the charges' own events tell it."""
        for charge in bill.charges:
            await self.give_back(charge)

    async def give_back(self, charge: Json, amount: int = 0) -> None:
        """Deliver charge.refunded."""
        amount = amount or charge["amount"]
        whole = {"amount_refunded": amount, "refunded": amount == charge["amount"]}
        await self.purchases.tell("charge.refunded", charge | whole, self.later())

    async def tell_refund(self, charge: Json, type: str, **members: Any) -> Json:
        """Deliver a refund's own event; returns the refund."""
        refund = {
            "id": f"re_{token_hex(7)}",
            "object": "refund",
            "charge": charge["id"],
            "payment_intent": charge["payment_intent"],
            "amount": charge["amount"],
            "status": "succeeded",
            **members,
        }
        await self.purchases.tell(type, refund, self.later())
        return refund

    async def dispute(self, charge: Json, **members: Any) -> Json:
        """Deliver a dispute; returns it."""
        dispute = {
            "id": f"du_{token_hex(7)}",
            "object": "dispute",
            "charge": charge["id"],
            "payment_intent": charge["payment_intent"],
            "amount": charge["amount"],
            "status": "needs_response",
            **members,
        }
        await self.purchases.tell("charge.dispute.created", dispute, self.later())
        return dispute

    async def move(self, subscription: Json, start: int, days: int, **item: Any) -> Json:
        """Deliver that the first item has another period; returns the item."""
        [first, *_] = subscription["items"]["data"]
        first |= {"current_period_start": start, "current_period_end": start + days * DAY, **item}
        await self.purchases.tell("customer.subscription.updated", subscription, self.later())
        return dict(first)

    def later(self) -> int:
        """A second after everything that was told so far."""
        return self.purchases.now + next(_NUMBERS)

    async def is_active(self, feature: str = "pro") -> bool:
        """Whether the user has a feature now."""
        return bool(await self.purchases.read_end(feature))
