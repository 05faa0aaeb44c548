"""Waiting until an event's row is decided: a read from Stripe follows the delivery."""

from tests.dashboard import Dashboard
from tests.deadline import eventually


async def wait_resolved(dashboard: Dashboard, event: str) -> str:
    """Wait until a stored event is no longer unresolved; return its outcome."""

    async def read() -> str:
        stored = await dashboard.find("stripe_events", event)
        outcome = str(stored["outcome"]) if stored else ""
        return "" if outcome == "unresolved" else outcome

    return await eventually(read)
