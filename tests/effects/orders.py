"""An app with effects that note their calls in a file."""

import json
import os
from pathlib import Path
from typing import Any

from gateway import Batch, Gateway, GiveUp, HandlerContext, RecordChange

app = Gateway()


def _note(effect: str, **values: Any) -> None:
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(json.dumps({"effect": effect, **values}) + "\n")


@app.after("orders", {"create", "update"}, fields={"status"})
async def ship(change: RecordChange, context: HandlerContext) -> None:
    """Note the change as it arrives."""
    _note(
        "ship",
        operation=change.operation,
        id=change.id,
        record=change.record,
        original=change.original,
        current=change.current,
        changed=sorted(change.changed),
        user=change.user,
        key=context.key,
        users=await context.pocketbase.collection("users").count(),
    )


@app.after("orders")
def follow(change: RecordChange, context: HandlerContext) -> None:
    """Note the title; fail once if it says so."""
    title = change.record["title"]
    marker = Path(f"{os.environ['NOTES']}.{context.key}")
    if title == "fails once" and not marker.exists():
        marker.touch()
        raise RuntimeError("the other service does not answer")
    if title == "never works":
        raise GiveUp("no such address")
    _note("follow", operation=change.operation, id=change.id, title=title, key=context.key)


@app.after("orders", "update", fields="status")
async def count(change: RecordChange, context: HandlerContext) -> Batch:
    """Write to the same record, and to another collection."""
    _note("count", id=change.id)
    copies = (change.current or {}).get("copies", 0) + 1
    batch = context.pocketbase.batch()
    values = {"copies": copies, "details": change.record["details"]}
    batch.collection("orders").update(change.id, values)
    batch.collection("counts").create({"number": copies, "order": change.id})
    return batch


@app.after("subscriptions", "update", fields={"status"})
async def watch_subscription(change: RecordChange, context: HandlerContext) -> None:
    """Note the status of a mirrored row."""
    _note("subscription", id=change.id, status=change.record["status"], user=change.user)


@app.after("users", "create")
async def welcome(change: RecordChange, context: HandlerContext) -> None:
    """Note the fields that a new user's payload has."""
    _note("welcome", id=change.id, user=change.user, fields=sorted(change.record))
