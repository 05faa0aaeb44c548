"""The seller in the Stripe account, who also controls the simulator's deliveries."""

from typing import Any

import httpx

from tests.stripe_account import StripeAccount

Json = dict[str, Any]


class Seller(StripeAccount):
    """Calls the Stripe API with the account's key, and the simulator's own."""

    async def delete(self, path: str) -> None:
        """DELETE `/v1/<path>`."""
        answer = await self._http.delete(f"{self._url}/v1/{path}", headers=self._headers)
        answer.raise_for_status()

    async def switch(self, **switches: object) -> None:
        """Steer deliveries: `paused=True` and the like."""
        await self.control("POST", "deliveries", switches)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the simulator's own API."""
        answer = await self._http.request(method, f"{self._url}/_simulator/{path}", json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def sell_subscription(self, **customer: str) -> tuple[Json, Json]:
        """Make a customer with a card and a paid subscription; return both."""
        buyer = await self.create("customers", **customer)
        card = await self.create("payment_methods", type="card", **{"card[token]": "tok_visa"})
        await self.create(f"payment_methods/{card['id']}/attach", customer=buyer["id"])
        price = await self.create(
            "prices",
            product=(await self.create("products", name="Club"))["id"],
            currency="eur",
            unit_amount=900,
            **{"recurring[interval]": "month"},
        )
        subscription = await self.create(
            "subscriptions",
            customer=buyer["id"],
            default_payment_method=card["id"],
            **{"items[0][price]": price["id"]},
        )
        return buyer, subscription
