"""A gateway that tells people, and a payer: events go in, items of the queue and mails come out."""

from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from gateway.dev.gateway_process import GatewayProcess
from gateway.mirror.event_change import RESOLVE
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.delivery import Json, Sender, build_event
from tests.frontend import Record, User
from tests.resolution import wait_resolved

SELLER = "seller@shop.test"
SENDER = "The Shop <billing@shop.test>"


@dataclass(frozen=True, slots=True)
class NotificationStack:
    """One gateway, one payer."""

    gateway: GatewayProcess
    sender: Sender
    dashboard: Dashboard
    user: User
    customer: Json

    async def deliver(self, type: str, item: Json, **members: Any) -> Json:
        """Deliver an event, and wait until its row is decided; return it."""
        event = build_event(type, item, **members)
        answer = await self.sender.send(event)
        assert answer.status_code == 200, answer.text
        await wait_resolved(self.dashboard, event["id"])
        return event

    async def pay(self, **members: Any) -> Json:
        """Deliver a paid invoice."""
        invoice = build_invoice(self.customer["id"]) | members
        return await self.deliver("invoice.paid", invoice)

    async def find(self, event: Json) -> list[Record]:
        """Return the mails and handler calls that follow from an event."""
        wanted = f"source = '{event['id']}' && handler != '{RESOLVE}'"
        return await self.dashboard.list("gateway_work", wanted, sort="handler")

    async def make_due(self, event: Json) -> None:
        """Let items that wait for their next attempt be due now, by moving their time."""
        for row in await self.find(event):
            path = f"/api/collections/gateway_work/records/{row['id']}"
            due = {"due": "2020-01-01 00:00:00.000Z", "error": ""}
            await self.dashboard.call("PATCH", path, due)

    async def wait_settled(self, event: Json, within: float = 20.0) -> Record:
        """Wait until an attempt at the event's one item has ended; return the item."""

        async def check() -> Record | None:
            rows = await self.find(event)
            assert len(rows) <= 1
            is_settled = rows and (rows[0]["completed_at"] or _has_failed(rows[0]))
            return rows[0] if is_settled else None

        found = await eventually(check, within)
        assert found
        return found


def _has_failed(row: Record) -> bool:
    return row["status"] == "waiting" and bool(row["error"]) and row["attempts"] > 0


def build_invoice(customer: str, **members: Any) -> Json:
    """Return a paid invoice of 12 EUR."""
    return {
        "id": f"in_{token_hex(7)}",
        "object": "invoice",
        "customer": customer,
        "status": "paid",
        "currency": "eur",
        "amount_due": 1200,
        "amount_paid": 1200,
        "amount_remaining": 0,
        "number": "SHOP-0001",
        "hosted_invoice_url": "https://invoice.stripe.com/i/1",
        "invoice_pdf": "https://pay.stripe.com/invoice/1/pdf",
        "lines": {"object": "list", "data": [{"id": "il_1", "description": "1 x Pro"}]},
        **members,
    }


def build_session(customer: str, **members: Any) -> Json:
    """Return a Checkout Session with a payment of 20 USD."""
    session = {"id": f"cs_{token_hex(6)}", "object": "checkout.session", "mode": "payment"}
    paid = {"status": "complete", "payment_status": "paid", "amount_total": 2000, "currency": "usd"}
    return session | paid | {"customer": customer} | members
