"""Stripe's deliveries as tests send them: events, their signature, and the POST to a gateway."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

import httpx

Json = dict[str, Any]


def sign(body: bytes, secret: str, at: float | None = None) -> str:
    """Return the Stripe-Signature header for a body, signed at unix second `at`, by default now."""
    moment = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def build_event(type: str, item: Json, previous: Json | None = None, **members: Any) -> Json:
    """Return an event about `item`; `previous` is what an update replaced."""
    data = {"object": item} | ({} if previous is None else {"previous_attributes": previous})
    return {
        "id": f"evt_{token_hex(8)}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "type": type,
        "data": data,
        **members,
    }


def build_customer(user: str, **members: Any) -> Json:
    """Return the customer that the gateway makes for a PocketBase user."""
    metadata = {"pocketbase_user": user}
    return {"id": f"cus_{token_hex(7)}", "object": "customer", "metadata": metadata, **members}


def build_subscription(customer: str, **members: Any) -> Json:
    """Return an active subscription of a customer."""
    return {
        "id": f"sub_{token_hex(7)}",
        "object": "subscription",
        "customer": customer,
        "status": "active",
        "items": {"object": "list", "data": [{"id": f"si_{token_hex(7)}", "quantity": 1}]},
        "metadata": {},
        **members,
    }


class Sender:
    """Delivers to the webhook endpoint of one gateway."""

    def __init__(self, http: httpx.AsyncClient, gateway_url: str, secret: str) -> None:
        self.http = http
        self.url = f"{gateway_url}/webhooks/stripe"
        self.secret = secret

    async def send(self, event: Json) -> httpx.Response:
        """Deliver an event as Stripe does: signed now."""
        return await self.send_signed(json.dumps(event).encode())

    async def send_signed(self, body: bytes) -> httpx.Response:
        """Deliver any body with a good signature."""
        return await self.post(body, {"Stripe-Signature": sign(body, self.secret)})

    async def post(self, body: Any, headers: Mapping[str, Any]) -> httpx.Response:
        """Deliver bytes, or an async iterator of them (chunked), with just these headers."""
        json_type = {"Content-Type": "application/json"}
        return await self.http.post(self.url, content=body, headers={**json_type, **headers})
