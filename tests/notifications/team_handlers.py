"""An app with handlers, which note their calls in a file."""

import os
from pathlib import Path

from gateway import Batch, Event, EventContext, Gateway, GiveUp

app = Gateway()


def _note(text: str) -> None:
    with Path(os.environ["TEAM_NOTES"]).open("a") as notes:
        notes.write(f"{text}\n")


def _note_call(name: str, notification: Event) -> bool:
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
    _note_call("thank", event)


@app.on("customer.subscription.deleted")
def say_goodbye(event: Event, context: EventContext) -> None:
    """A plain function for an event without a kind of mail."""
    _note_call("say_goodbye", event)


@app.on("refund")
async def stumble(event: Event, context: EventContext) -> None:
    """Fails the first time."""
    if _note_call("stumble", event):
        raise LookupError("no such order")


@app.on("dispute")
async def die(event: Event, context: EventContext) -> None:
    """Takes the gateway down in the middle of its work, the first time."""
    if _note_call("die", event):
        os.kill(os.getpid(), 9)


@app.on("payment_method.attached", at_most_once=True)
async def die_once(event: Event, context: EventContext) -> None:
    """Takes the gateway down, and may run once only."""
    _note_call("die_once", event)
    os.kill(os.getpid(), 9)


@app.on("setup_intent.created")
def give_up(event: Event, context: EventContext) -> None:
    """Needs a person."""
    _note_call("give_up", event)
    raise GiveUp("unknown product")


@app.on("customer.updated", tries=2)
async def write(event: Event, context: EventContext) -> Batch | None:
    """Return what the customer's description asks for; note key and row."""
    order = event.object["description"]
    _note(f"write {event.id} {context.key} {(event.row or {}).get('stripe_id')}")
    batch = context.pocketbase.batch()
    users = batch.collection("users")
    users.update(event.user, {"name": order})
    if order == "invalid":
        users.update("none00000000000", {"name": order})
    if order == "sent":
        await batch.send()
    return batch
