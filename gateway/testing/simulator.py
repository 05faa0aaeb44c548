"""The simulated Stripe account: its clock, its deliveries, and events of a test's own."""

import hashlib
import hmac
import time
from secrets import token_hex
from typing import Any

import httpx2

from gateway.dev.stack import Stack
from gateway.json_codec import dump
from gateway.testing.waiting import eventually

_DAY_SECONDS = 86_400
_DELIVERY_SECONDS = 30
_API_VERSION = "2026-10-28.endive"
#: Objects that are not named by the part of the event's type before its last dot.
_OBJECTS = {
    "charge.dispute": "dispute",
    "charge.refund": "refund",
    "customer.subscription": "subscription",
}


class Simulator:
    """Calls the simulator's control API."""

    def __init__(self, stack: Stack, client: httpx2.AsyncClient) -> None:
        """Control the simulator of this stack."""
        self._url = f"{stack.simulator.url}/_simulator"
        self._gateway_url = stack.gateway.url
        self._client = client

    async def wait_delivered(self) -> None:
        """Wait until the gateway has answered every event with 2xx, and its rows are decided.

        Raises:
            AssertionError: they are not after 30 s.
        """
        answer = await self._client.get(
            f"{self._url}/deliveries", params={"wait": _DELIVERY_SECONDS, "limit": 0}
        )
        assert answer.json()["idle"], f"events are not delivered: {answer.text}"
        await eventually(self._is_resolved, _DELIVERY_SECONDS)

    async def _is_resolved(self) -> bool:
        """Whether no row waits for a read from Stripe; True while the gateway is not ready."""
        answer = await self._client.get(f"{self._gateway_url}/ready")
        return not (answer.is_success and answer.json()["unresolved_events"])

    async def post(self, path: str, **body: Any) -> Any:
        """POST to a path of the control API; see the simulator's README."""
        answer = await self._client.post(f"{self._url}/{path}", json=body)
        return answer.raise_for_status().json()

    async def read_clock(self) -> int:
        """Return the simulator's time in unix seconds."""
        answer = await self._client.get(f"{self._url}/clock")
        return int(answer.raise_for_status().json()["now"])


class Clock:
    """Stripe's time: it only moves forward, for all tests of the session."""

    def __init__(self, simulator: Simulator) -> None:
        """Move this simulator's time."""
        self._simulator = simulator

    async def now(self) -> int:
        """Return the time in unix seconds."""
        return await self._simulator.read_clock()

    async def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        """Move the time; renewals, trial ends and so on happen, and their events are delivered."""
        await self._simulator.post("clock/advance", seconds=round(days * _DAY_SECONDS + seconds))
        await self._simulator.wait_delivered()


class StripeEvent:
    """Delivers signed events; call it as ``await stripe_event("payout.paid", {…})``."""

    def __init__(self, stack: Stack, client: httpx2.AsyncClient, simulator: Simulator) -> None:
        """Deliver to this stack's app."""
        self._stack = stack
        self._client = client
        self._simulator = simulator

    async def __call__(self, type: str, object: dict[str, Any] | None = None, **event: Any) -> str:
        """Deliver an event and return its id.

        Args:
            type: Stripe's event type.
            object: fields of the event's object; ``id`` and ``object`` have defaults.
            event: further members of the event, such as ``account``.

        Raises:
            AssertionError: the gateway refuses the delivery.
        """
        name = type.rpartition(".")[0]
        now = await self._simulator.read_clock()
        item = {
            "id": f"{name.rpartition('.')[2]}_{token_hex(8)}",
            "object": _OBJECTS.get(name, name),
            "created": now,
            **(object or {}),
        }
        sent = {
            "id": f"evt_{token_hex(8)}",
            "object": "event",
            "api_version": _API_VERSION,
            "created": now,
            "livemode": False,
            "type": type,
            "data": {"object": item},
            **event,
        }
        await self._deliver(dump(sent))
        return str(sent["id"])

    async def _deliver(self, body: bytes) -> None:
        secret = self._stack.plan.stripe.webhook_secrets[0]
        answer = await self._client.post(
            f"{self._stack.gateway.url}/webhooks/stripe",
            content=body,
            headers={"Content-Type": "application/json", "Stripe-Signature": _sign(body, secret)},
        )
        assert answer.is_success, f"the event was refused: {answer.status_code} {answer.text}"


def _sign(body: bytes, secret: str) -> str:
    now = int(time.time())
    digest = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={digest}"
