"""The seller's Stripe account: the API as the dashboard uses it, on the simulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from gateway.dev.simulator import SimulatorProcess
from tests.deadline import eventually


class StripeAccount:
    """Calls the Stripe API with the account's key."""

    def __init__(self, http: httpx.AsyncClient, simulator: SimulatorProcess) -> None:
        self._http = http
        self._url = simulator.url
        self._gateway_url = simulator.webhook_url.removesuffix("/webhooks/stripe")
        self._headers = {"Authorization": f"Bearer {simulator.stripe.secret_key}"}

    async def create(self, path: str, **fields: str | int) -> dict[str, Any]:
        """POST to `/v1/<path>`; nested fields are written `recurring[interval]`."""
        answer = await self._http.post(f"{self._url}/v1/{path}", data=fields, headers=self._headers)
        answer.raise_for_status()
        return dict(answer.json())

    async def read(self, path: str) -> dict[str, Any]:
        """GET `/v1/<path>`."""
        answer = await self._http.get(f"{self._url}/v1/{path}", headers=self._headers)
        answer.raise_for_status()
        return dict(answer.json())

    async def delete(self, path: str) -> None:
        """DELETE `/v1/<path>`."""
        answer = await self._http.delete(f"{self._url}/v1/{path}", headers=self._headers)
        answer.raise_for_status()

    async def control(self, switch: str, **fields: Any) -> Any:
        """POST to the simulator's own `/_simulator/<switch>`."""
        answer = await self._http.post(f"{self._url}/_simulator/{switch}", json=fields)
        answer.raise_for_status()
        return answer.json()

    async def clear_faults(self) -> None:
        """Let the API work again."""
        answer = await self._http.delete(f"{self._url}/_simulator/faults")
        answer.raise_for_status()

    async def list(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """Return the newest 100 objects of `/v1/<path>`."""
        answer = await self._http.get(
            f"{self._url}/v1/{path}", params={"limit": 100, **query}, headers=self._headers
        )
        answer.raise_for_status()
        return list(answer.json()["data"])

    async def count(self, *kinds: str) -> dict[str, int]:
        """Return how many objects of each kind (`checkout.session`) were ever made."""
        state = (await self._http.get(f"{self._url}/_simulator/state")).json()
        return {kind: int(state["objects"].get(kind, 0)) for kind in kinds}

    async def read_violations(self) -> Any:
        """Return every request, answer and event so far that Stripe's own document refuses."""
        answer = await self._http.get(f"{self._url}/_simulator/violations")
        return answer.json()

    @asynccontextmanager
    async def holding_deliveries(self) -> AsyncIterator[None]:
        """Let no webhook out until the context ends."""
        url = f"{self._url}/_simulator/deliveries"
        (await self._http.post(url, json={"paused": True})).raise_for_status()
        try:
            yield
        finally:
            (await self._http.post(url, json={"paused": False})).raise_for_status()

    async def wait_delivered(self) -> None:
        """Wait until every event has been delivered, and no row waits for a read from Stripe."""
        answer = await self._http.get(f"{self._url}/_simulator/deliveries?wait=10&limit=0")
        assert answer.json()["idle"], answer.text
        await eventually(self._is_resolved)

    async def _is_resolved(self) -> bool:
        try:
            answer = await self._http.get(f"{self._gateway_url}/ready")
        except httpx.TransportError:
            return True
        return not (answer.is_success and answer.json()["unresolved_events"])
