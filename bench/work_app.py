"""The app of bench.work: an empty event handler, and when it was called."""

import time

from gateway import Event, EventContext, Gateway

app = Gateway()
_starts: dict[str, float] = {}


@app.on("customer.subscription.*")
async def nothing(event: Event, context: EventContext) -> None:
    """Note when the first line runs."""
    _starts[event.id] = time.time()


@app.get("/bench/starts")
async def read_starts() -> dict[str, float]:
    """Return the Unix time of each call in this process, by event."""
    return _starts
