"""What a superuser sees in PocketBase's dashboard."""

from typing import Any

from tests.frontend import Frontend, Record


class Dashboard:
    """Reads and writes PocketBase as its superuser."""

    def __init__(self, frontend: Frontend, token: str) -> None:
        self.frontend = frontend
        self.token = token

    async def call(self, method: str, path: str, body: Any = None, **query: str | int) -> Any:
        """Send one request; see `Frontend.call`."""
        return await self.frontend.call(method, path, token=self.token, body=body, **query)

    async def count(self, collection: str, filter: str = "") -> int:
        """Return how many records match."""
        path = f"/api/collections/{collection}/records"
        page = await self.call("GET", path, perPage=1, fields="id", filter=filter)
        return int(page["totalItems"])

    async def list(self, collection: str, filter: str = "", sort: str = "") -> list[Record]:
        """Return every record that matches."""
        token = self.token
        return await self.frontend.list_records(collection, token=token, filter=filter, sort=sort)

    async def find(self, collection: str, stripe_id: str) -> Record | None:
        """Return the row of a Stripe object, None if there is none."""
        found = await self.list(collection, f"stripe_id = '{stripe_id}'")
        return found[0] if found else None
