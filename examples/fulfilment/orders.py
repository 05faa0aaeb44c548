"""The fulfilment of an order, as a job that an event handler starts."""

import os
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from fulfilment.saga import Saga
from fulfilment.services import Service, ServiceRefused
from gateway import JobContext


class Order(BaseModel):
    """A paid order."""

    id: str
    sku: str
    quantity: int
    country: str


class Fulfilment(BaseModel):
    """How an order ended: shipped, or refused with everything undone."""

    status: str
    tracking: str = ""
    reason: str = ""


async def fulfil(order: Order, job: JobContext) -> Fulfilment:
    """Reserve the goods and book a shipment; if the carrier refuses, release the goods.

    Raises:
        ServiceUnavailable: the queue repeats the job with the same keys.
    """
    warehouse: Service = job.state["warehouse"]
    carrier: Service = job.state["carrier"]
    saga = Saga(job.step)
    goods = {"order": order.id, "sku": order.sku, "quantity": order.quantity}
    address = {"order": order.id, "country": order.country}
    try:
        await saga.do(
            "reserve",
            lambda: warehouse.post("/reservations", goods, f"{job.key}:reserve"),
            undo=lambda made: (
                lambda: warehouse.post(
                    f"/reservations/{made['id']}/release", {}, f"{job.key}:release"
                )
            ),
        )
        shipment = await saga.do(
            "ship", lambda: carrier.post("/shipments", address, f"{job.key}:ship")
        )
    except ServiceRefused as refused:
        return Fulfilment(status="refused", reason=str(refused))
    return Fulfilment(status="shipped", tracking=shipment["tracking"])


def read_addresses() -> Mapping[str, str]:
    """Return the services' addresses."""
    return {
        "warehouse": os.environ["SHOP_WAREHOUSE_URL"],
        "carrier": os.environ["SHOP_CARRIER_URL"],
    }


def describe(session: dict[str, Any]) -> Order:
    """Return the order of a paid Checkout Session: what was bought is in its metadata."""
    metadata = session.get("metadata") or {}
    address = (session.get("customer_details") or {}).get("address") or {}
    return Order(
        id=session["id"],
        sku=metadata.get("sku", "box"),
        quantity=int(metadata.get("quantity", 1)),
        country=address.get("country") or "",
    )
