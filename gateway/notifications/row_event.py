"""Domain events of PocketBase's rows: entitlement.gained and entitlement.lost. Pure.

PocketBase stores their work in the transaction of the row's change
(pb_hooks/lib/effects/triggers.js), also without a Stripe event.
"""

from collections.abc import Iterable, Iterator

from gateway.dates import from_column
from gateway.notifications.handler_events import ROW_EVENTS
from gateway.notifications.handlers import Handler
from gateway.notifications.notification import Notification
from gateway.pocketbase.contracts.effects import EffectEntry
from gateway.rows import Json
from gateway.work import WorkItem

_COLUMNS = ("id", "feature", "user", "organization", "active_until", "limit", "sources")


def describe_subscriptions(handlers: Iterable[Handler]) -> Iterator[EffectEntry]:
    """Yield an entry to register for each handler and row event that it subscribes to."""
    for handler in handlers:
        for event in sorted(handler.topics.intersection(ROW_EVENTS)):
            yield EffectEntry(
                handler=handler.name,
                event=event,
                key=handler.key or "",
                tries=handler.tries,
                at_most_once=handler.at_most_once,
            )


def read_row_event(item: WorkItem) -> Notification | None:
    """Return the event of an item, None for an item of a Stripe event."""
    payload = item.payload if isinstance(item.payload, dict) else {}
    type = payload.get("type", "")
    if type not in ROW_EVENTS:
        return None
    row: Json = payload["record"]
    # An entitlement that was lost has no purchases any more.
    before: Json = payload.get("original") or row
    cause = before if type == "entitlement.lost" else row
    return Notification(
        id=item.id,
        type=type,
        created=int(from_column(item.created).timestamp()),
        kind="",
        object={
            **{name: row.get(name) for name in _COLUMNS},
            "cause": cause.get("sources") or [],
        },
        collection="entitlements",
        object_id=payload["id"],
        user=row.get("user", ""),
        organization=row.get("organization", ""),
        domain_events=frozenset({type}),
        row=row,
    )
