"""A team's handlers, as GATEWAY_HANDLERS names them; they note their calls in a file."""

import os
from pathlib import Path

from gateway.notifications import Notification, on


def _note(name: str, notification: Notification) -> bool:
    """Note a call; return whether it is the first of its event."""
    facts = (name, notification.event, notification.kind, notification.user)
    with Path(os.environ["TEAM_NOTES"]).open("a+") as notes:
        notes.seek(0)
        is_first = notification.event not in notes.read()
        notes.write(" ".join(facts) + "\n")
    return is_first


@on("receipt", "invoice.paid")
async def thank(notification: Notification) -> None:
    """Of a kind and its event's type: called once all the same."""
    _note("thank", notification)


@on("customer.subscription.deleted")
def say_goodbye(notification: Notification) -> None:
    """Of an event that is no kind, and not a coroutine."""
    _note("say_goodbye", notification)


@on("refund")
async def stumble(notification: Notification) -> None:
    """Fails the first time."""
    if _note("stumble", notification):
        raise LookupError("no such order")


@on("dispute")
async def die(notification: Notification) -> None:
    """Takes the gateway down in the middle of its work, the first time."""
    if _note("die", notification):
        os.kill(os.getpid(), 9)
