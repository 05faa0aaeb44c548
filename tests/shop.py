"""A buyer's steps: /checkout and /portal on the gateway, and Stripe's hosted pages."""

from typing import Any

import httpx

from tests.frontend import User

ORIGIN = "http://localhost:3000"
SUCCESS = f"{ORIGIN}/thanks"
CANCEL = f"{ORIGIN}/pricing"


def build_order(*prices: str, **members: Any) -> dict[str, Any]:
    """Return a request for /checkout: one of each price, or what `members` say instead."""
    items = [{"price": price, "quantity": 1} for price in prices]
    return {"items": items, "success_url": SUCCESS, "cancel_url": CANCEL, **members}


class Shop:
    """Buys at one gateway."""

    def __init__(self, http: httpx.AsyncClient, gateway_url: str) -> None:
        self.http = http
        self.url = gateway_url

    async def post(
        self, path: str, user: User | None, body: Any, *, key: str = ""
    ) -> httpx.Response:
        """Call the gateway as a user, or as a guest; `key` is an Idempotency-Key."""
        headers = (user.bearer if user else {}) | ({"Idempotency-Key": key} if key else {})
        return await self.http.post(self.url + path, json=body, headers=headers)

    async def come_back(self, user: User | None, session_id: str) -> httpx.Response:
        """Ask what came of a session, as the page does that Stripe leads back to."""
        headers = user.bearer if user else {}
        return await self.http.get(f"{self.url}/checkout/{session_id}", headers=headers)

    async def check_out(self, user: User, *prices: str) -> dict[str, str]:
        """Start a purchase; return the session's id and url."""
        answer = await self.post("/checkout", user, build_order(*prices))
        assert answer.status_code == 200, answer.text
        session: dict[str, str] = answer.json()
        return session

    async def open_portal(self, user: User) -> str:
        """Return the address of the user's portal."""
        answer = await self.post("/portal", user, {"return_url": f"{ORIGIN}/account"})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    async def press(self, page: str, **fields: str) -> httpx.Response:
        """Send the form of a hosted page; the answer is its redirect, or the page with a note."""
        return await self.http.post(page, data=fields)

    async def pay(self, session: dict[str, str]) -> None:
        """Pay on the hosted page with a card that works."""
        answer = await self.press(session["url"], outcome="pay", card="4242")
        assert answer.headers.get("location") == SUCCESS, answer.text
