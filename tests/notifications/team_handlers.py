"""An app with handlers, which note their calls in a file."""

import os
from pathlib import Path

from gateway import Event, EventContext, Gateway

app = Gateway()


def _note(name: str, notification: Event) -> bool:
    """Note a call; return whether it is the first of its event."""
    facts = (name, notification.id, notification.kind, notification.user)
    with Path(os.environ["TEAM_NOTES"]).open("a+") as notes:
        notes.seek(0)
        is_first = notification.id not in notes.read()
        notes.write(" ".join(facts) + "\n")
    return is_first


@app.on("receipt", "invoice.paid")
async def thank(event: Event, context: EventContext) -> None:
    """Of a kind and its event's type: called once all the same."""
    _note("thank", event)


@app.on("customer.subscription.deleted")
def say_goodbye(event: Event, context: EventContext) -> None:
    """Of an event that is no kind, and not a coroutine."""
    _note("say_goodbye", event)


@app.on("refund")
async def stumble(event: Event, context: EventContext) -> None:
    """Fails the first time."""
    if _note("stumble", event):
        raise LookupError("no such order")


@app.on("dispute")
async def die(event: Event, context: EventContext) -> None:
    """Takes the gateway down in the middle of its work, the first time."""
    if _note("die", event):
        os.kill(os.getpid(), 9)
