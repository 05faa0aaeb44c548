"""A function that works items of the queue, with its guarantees and limits."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.work.item import WorkItem
from gateway.work.outcome import Outcome


class SaveItem(Protocol):
    """Stores values of a running item."""

    async def __call__(self, *, progress: Any = None, state: Any = None) -> None:
        """Store what is not None; see `WorkContext.save`."""


@dataclass(frozen=True, slots=True)
class WorkContext:
    """The runner's services for a handler."""

    #: Stores progress (JSON for the item's user) and state (JSON that the next attempt gets as
    #: `WorkItem.state`) at once, and renews the lease. It raises `asyncio.CancelledError` in the
    #: handler if another process has the item by now.
    save: SaveItem


RunItem = Callable[[WorkItem, WorkContext], Awaitable[Outcome | None]]


@dataclass(frozen=True, slots=True)
class WorkHandler:
    """A handler by the name under which its items are stored.

    `run` returns an `Outcome`; None is `Done()`. An exception is a failed attempt, or parks the
    item if it may run once only.
    """

    name: str
    run: RunItem
    #: Attempts before an item is parked; 0 for no limit. The column `tries` of an item counts.
    tries: int = 20
    #: Whether an item that may have been done is parked instead of repeated.
    at_most_once: bool = False
    #: Seconds that one attempt may take; None for no limit.
    timeout: float | None = 60.0
    #: Concurrent items in one process.
    concurrency: int = 32


def index_work_handlers(handlers: Iterable[WorkHandler]) -> Mapping[str, WorkHandler]:
    """Return the handlers by name.

    Raises:
        ValueError: two handlers have the same name.
    """
    found: dict[str, WorkHandler] = {}
    for handler in handlers:
        if handler.name in found:
            raise ValueError(f"two work handlers are called {handler.name}")
        found[handler.name] = handler
    return found
