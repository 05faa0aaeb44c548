"""Purchases through the app's /checkout and the simulator's payment page."""

from typing import Any

import httpx2

from gateway.dev.stack import Stack
from gateway.testing.simulator import Simulator
from gateway.testing.users import SignedUpUser


class Buy:
    """Buys as a user; call it as ``await buy("pro_monthly")``."""

    def __init__(
        self,
        stack: Stack,
        client: httpx2.AsyncClient,
        simulator: Simulator,
        user: SignedUpUser,
    ) -> None:
        """Buy as `user` unless a call names another."""
        self._origin = stack.plan.frontend_origins[0]
        self._client = client
        self._simulator = simulator
        self._user = user

    async def __call__(
        self,
        price: str,
        *,
        user: SignedUpUser | None = None,
        quantity: int = 1,
        card: str = "4242",
        **order: Any,
    ) -> dict[str, Any]:
        """Pay, wait until the events are stored, and return what `GET /checkout/{id}` answers.

        Args:
            price: a price's id or lookup key: ``pro_monthly``, ``pro_yearly``, ``lifetime``.
            user: the buyer; by default the fixture `user`.
            quantity: number of units.
            card: the last four digits of a test card.
            order: further members of the request to ``/checkout``.

        Raises:
            AssertionError: the app refuses the purchase, or the payment fails.
        """
        buyer = user or self._user
        body = {
            "items": [{"price": price, "quantity": quantity}],
            "success_url": f"{self._origin}/",
            "cancel_url": f"{self._origin}/",
            **order,
        }
        session = _expect(await buyer.http.post("/checkout", json=body))
        paid = await self._client.post(session["url"], data={"outcome": "pay", "card": card})
        assert paid.is_redirect, f"the payment failed: {paid.status_code}"
        await self._simulator.wait_delivered()
        return _expect(await buyer.http.get(f"/checkout/{session['id']}"))


def _expect(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.request.url}: {answer.status_code} {answer.text}"
    return dict(answer.json())
