"""Background work from the durable queue in PocketBase (docs/work.md)."""

from gateway.work.handler import WorkContext, WorkHandler
from gateway.work.item import WorkItem
from gateway.work.outcome import Cancel, Done, GiveUp, Outcome, Park, RecordWrite, Retry
from gateway.work.queue import WorkQueue

__all__ = [
    "Cancel",
    "Done",
    "GiveUp",
    "Outcome",
    "Park",
    "RecordWrite",
    "Retry",
    "WorkContext",
    "WorkHandler",
    "WorkItem",
    "WorkQueue",
]
