"""The app of the project that adopts the gateway (test_adopted_project.py)."""

import os
from pathlib import Path
from typing import Any

from gateway import (
    CurrentUser,
    Event,
    EventContext,
    Gateway,
    Row,
    StripeObject,
    Transform,
    TransformContext,
)

#: The file that the handler notes its calls in.
NOTES = "TEST_NOTES"

app = Gateway()


async def shout(incoming: dict[str, Any], context: TransformContext) -> dict[str, Any]:
    """Write the title in capitals."""
    return {"title": str(incoming["title"]).upper()}


app.add_transform(Transform("products", {"create"}, shout, may_come_later=True))


@app.on("receipt")
def note(event: Event, context: EventContext) -> None:
    """Note who paid."""
    with Path(os.environ[NOTES]).open("a") as notes:
        notes.write(event.user + "\n")


@app.mirror("payout", collection="payouts", path="/v1/payouts")
def payout_row(payout: StripeObject, deleted: bool) -> Row:
    """Show what is on its way to the bank."""
    return {"status": payout["status"]}


@app.get("/whoami")
async def whoami(user: CurrentUser) -> dict[str, str]:
    """Return who calls."""
    return {"collection": user.collection, "id": user.id}
