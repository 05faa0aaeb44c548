"""The team's app for calls that a recorded release left behind; handlers keep their names."""

import asyncio
import os
from pathlib import Path

from gateway import Event, EventContext, Gateway

app = Gateway()


def _log(handler: str, event: Event) -> None:
    """Append a call to the file that the test reads."""
    with Path(os.environ["SHOP_CALLS"]).open("a") as calls:
        calls.write(f"{handler} {event.id}\n")


@app.on("customer.created")
async def refuse(event: Event, context: EventContext) -> None:
    """Fail while the release is recorded."""
    if os.environ.get("SHOP_FAILS"):
        raise RuntimeError("the fulfilment service answered 503")
    _log("refuse", event)


@app.on("charge.succeeded")
async def hang(event: Event, context: EventContext) -> None:
    """Take long while the release is recorded, so that the kill finds it running."""
    _log("hang", event)
    if os.environ.get("SHOP_FAILS"):
        await asyncio.sleep(50)
