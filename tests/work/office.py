"""The queue as one test uses it: its own handler name, and short ways to add and claim items."""

from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from gateway.pocketbase.contracts.work import (
    ClaimedItem,
    ExchangeAnswer,
    ExchangeRequest,
    HandlerLimit,
    NewItem,
    Settle,
)
from gateway.work import WorkQueue
from tests.dashboard import Dashboard
from tests.deadline import eventually
from tests.frontend import Record

_PAST = "2020-01-01 00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Office:
    """A queue and the dashboard of one PocketBase."""

    queue: WorkQueue
    dashboard: Dashboard
    handler: str
    added: list[str] = field(default_factory=list)

    async def add(self, number: int = 1, **members: Any) -> list[str]:
        """Add items of the test's handler; return their ids."""
        values = {"kind": "task", "handler": self.handler} | members
        items = [NewItem(**({"id": token_hex(7) + "0"} | values)) for _ in range(number)]
        await self.queue.enqueue(items)
        return [item.id for item in items]

    async def exchange(self, limit: int = 32, **members: Any) -> ExchangeAnswer:
        """Make one call as a process with the test's handler."""
        values: dict[str, Any] = {
            "token": token_hex(8),
            "handlers": [HandlerLimit(name=self.handler, limit=limit)],
            "limit": limit,
            "lease_seconds": 60,
        }
        return await self.queue.exchange(ExchangeRequest(**(values | members)))

    async def claim(self, limit: int = 32, **members: Any) -> tuple[ClaimedItem, ...]:
        """Claim items of the test's handler."""
        return (await self.exchange(limit, **members)).items

    async def settle(self, item: ClaimedItem, status: str, **members: Any) -> ExchangeAnswer:
        """Store a result, and claim nothing."""
        values = {"id": item.id, "claim": item.claim, "status": status, "version": item.version}
        return await self.exchange(0, settle=[Settle(**(values | members))])

    async def read(self, id: str) -> Record:
        """Return an item's row."""
        found = await self.queue.find(id)
        assert found
        return found

    async def change(self, id: str, **columns: Any) -> None:
        """Change columns of an item, as time or another process would."""
        path = f"/api/collections/gateway_work/records/{id}"
        await self.dashboard.call("PATCH", path, columns)

    async def expire_lease(self, id: str) -> None:
        """Let the lease of a running item run out."""
        await self.change(id, lease=_PAST)

    async def make_due(self, id: str) -> None:
        """Let a waiting item be due now."""
        await self.change(id, due=_PAST)

    async def wait_status(self, id: str, status: str, within: float = 10.0) -> Record:
        """Wait until an item has a status; return its row."""

        async def check() -> Record | None:
            row = await self.read(id)
            return row if row["status"] == status else None

        found = await eventually(check, within)
        assert found
        return found
