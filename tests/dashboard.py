"""PocketBase's dashboard, as its superuser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.dev.pocketbase import PocketBaseProcess
from tests.deadline import eventually
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

    async def wait_payer_change(self, filter: str) -> Record:
        """Wait until the deletion or transfer that matches is done; return its row."""
        where = f"outcome != '' && {filter}"
        [row] = await eventually(lambda: self.list("gateway_payer_changes", where), within=30)
        return row


@asynccontextmanager
async def open_dashboard(pocketbase: PocketBaseProcess) -> AsyncIterator[Dashboard]:
    """Log in as PocketBase's superuser; the frontend is closed when the context ends."""
    email, password = pocketbase.superuser_email, pocketbase.superuser_password
    async with Frontend(pocketbase.url) as frontend:
        yield Dashboard(frontend, await frontend.log_in(email, password, "_superusers"))
