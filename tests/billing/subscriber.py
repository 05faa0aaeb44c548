"""A user with a subscription, at one gateway."""

from dataclasses import dataclass, replace
from typing import Any

import httpx

from tests.frontend import Frontend, Record, User
from tests.shop import Shop
from tests.stripe_account import StripeAccount

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Asks things of one subscription, and looks at what became of it."""

    user: User
    #: The subscription's Stripe id.
    id: str
    shop: Shop
    account: StripeAccount
    frontend: Frontend

    def at(self, gateway_url: str) -> "Subscriber":
        """The same at another gateway."""
        return replace(self, shop=Shop(self.shop.http, gateway_url))

    def of(self, subscription: str) -> "Subscriber":
        """The same with another subscription."""
        return replace(self, id=subscription)

    async def ask(self, what: str, *, key: str = "", **body: Any) -> httpx.Response:
        """POST to `/subscriptions/<id>/<what>`."""
        headers = self.user.bearer | ({"Idempotency-Key": key} if key else {})
        url = f"{self.shop.url}/subscriptions/{self.id}/{what}"
        return await self.shop.http.post(url, json=body, headers=headers)

    async def do(self, what: str, *, key: str = "", **body: Any) -> Json:
        """Do the same where it must succeed."""
        answer = await self.ask(what, key=key, **body)
        assert answer.status_code == 200, answer.text
        document: Json = answer.json()
        return document

    async def read_row(self) -> Record:
        """Read the row that the user's own page shows."""
        [row] = await self.frontend.list_records(
            "subscriptions", token=self.user.token, filter=f"stripe_id = '{self.id}'"
        )
        return row

    async def read(self) -> Json:
        """Read the subscription from Stripe."""
        return await self.account.read(f"subscriptions/{self.id}")

    async def use_card(self, card: str) -> None:
        """Pay with another of Stripe's test cards from now on, such as `visa`."""
        customer = (await self.read())["customer"]
        path = f"payment_methods/pm_card_{card}/attach"
        method = await self.account.create(path, customer=customer)
        await self.account.create(f"subscriptions/{self.id}", default_payment_method=method["id"])

    async def list_invoices(self) -> list[Json]:
        """List its invoices at Stripe, newest first."""
        return await self.account.list("invoices", subscription=self.id)


async def sign_up_subscriber(
    frontend: Frontend, shop: Shop, account: StripeAccount, *prices: str, card: str = "4242"
) -> Subscriber:
    """Sign a user up who buys a subscription; by default `pro_monthly`."""
    user = await frontend.sign_up()
    session = await shop.check_out(user, *(prices or ("pro_monthly",)))
    await shop.press(session["url"], outcome="pay", card=card)
    await account.wait_delivered()
    [row] = await frontend.list_records("subscriptions", token=user.token)
    return Subscriber(user, row["stripe_id"], shop, account, frontend)
