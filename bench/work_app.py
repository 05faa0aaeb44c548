"""The app of bench.work: empty functions, and when the event handler was called."""

import time

from gateway import Event, EventContext, Gateway, HandlerContext, Tick

app = Gateway()
_starts: dict[str, float] = {}


@app.on("customer.subscription.*")
async def nothing(event: Event, context: EventContext) -> None:
    """Note when the first line runs."""
    _starts[event.id] = time.time()


@app.schedule("0 0 1 1 *")
async def tick(tick: Tick, context: HandlerContext) -> None:
    """Do nothing."""


@app.get("/bench/starts")
async def read_starts() -> dict[str, float]:
    """Return the Unix time of each call in this process, by event."""
    return _starts
