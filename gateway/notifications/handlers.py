"""Event handlers: a team's functions that are called for events (`Gateway.on`)."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import stripe

from gateway.notifications.handler_events import expand_names
from gateway.notifications.notification import Notification
from gateway.pocketbase.api import PocketBaseClient
from gateway.settings import Settings
from gateway.source import Source
from gateway.start_error import InvalidRegistration


@dataclass(frozen=True, slots=True)
class EventContext:
    """The context of a handler's call: clients, settings and an idempotency key."""

    #: The same for the same event and handler; use it as an idempotency key.
    key: str
    #: Calls PocketBase as the gateway's superuser.
    pocketbase: PocketBaseClient
    stripe: stripe.StripeClient
    settings: Settings
    #: What the app's lifespan yields.
    state: Mapping[str, Any] = field(default_factory=dict)


#: A function that is called for an event; a plain one runs in a thread.
EventHandler = Callable[[Notification, EventContext], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function and the topics that it subscribes to."""

    function: EventHandler
    #: Stripe event types and names of domain events.
    topics: frozenset[str]
    source: Source

    @classmethod
    def of(cls, function: EventHandler, types: Iterable[str], source: Source) -> Self:
        """Return the handler of a function.

        Raises:
            ValueError: a type is unknown, or the function does not accept two arguments.
        """
        try:
            inspect.signature(function).bind(None, None)
        except TypeError:
            raise ValueError(
                "a handler is called with two arguments, the event and the context"
            ) from None
        return cls(function, expand_names(types), source)

    @property
    def name(self) -> str:
        """Return ``module.function``, under which calls are stored."""
        function = self.function
        name = getattr(function, "__qualname__", type(function).__name__)
        return f"{function.__module__}.{name}"

    async def call(self, event: Notification, context: EventContext) -> None:
        """Call the function; its exceptions are raised."""
        if inspect.iscoroutinefunction(self.function):
            await self.function(event, context)
            return
        returned = await asyncio.to_thread(self.function, event, context)
        if inspect.isawaitable(returned):
            await returned


def index_handlers(handlers: Iterable[Handler]) -> Mapping[str, Handler]:
    """Return the handlers by name; a function that is decorated twice has the topics of both.

    Raises:
        InvalidRegistration: two functions have the same name, under which calls are stored.
    """
    found: dict[str, Handler] = {}
    for handler in handlers:
        known = found.setdefault(handler.name, handler)
        if known.function is not handler.function:
            raise InvalidRegistration(
                f"{handler.source}: the handler at {known.source} is called {handler.name} too;"
                " calls are stored under that name, so give one function another"
            )
        topics = known.topics | handler.topics
        found[handler.name] = Handler(handler.function, topics, known.source)
    return found
