"""Event handlers: a team's functions that are called for events (`Gateway.on`)."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

from gateway.notifications.handler_events import expand_names
from gateway.notifications.notification import Notification
from gateway.pocketbase.api import Batch
from gateway.source import Source
from gateway.start_error import InvalidRegistration
from gateway.work.team_function import (
    GATEWAY,
    JOB,
    MAX_TRIES,
    HandlerContext,
    name_function,
    require_free_name,
    require_parameters,
)


@dataclass(frozen=True, slots=True)
class EventContext(HandlerContext):
    """The context of an event handler's call: clients, settings and an idempotency key."""


#: A function that is called for an event; a plain one runs in a thread. A batch that it returns
#: commits together with the fact that the event is handled.
EventHandler = Callable[[Notification, EventContext], Awaitable[Batch | None] | Batch | None]
#: The events of one handler that run one after the other: those of one Stripe object or customer.
Key = Literal["object", "customer"]


@dataclass(frozen=True, slots=True)
class Handler:
    """A function and the topics that it subscribes to."""

    function: EventHandler
    #: Stripe event types and names of domain events.
    topics: frozenset[str]
    source: Source
    #: Attempts before a call is parked.
    tries: int = 20
    #: Whether a call that may have been made is parked instead of repeated.
    at_most_once: bool = False
    #: None for any order.
    key: Key | None = "object"

    @classmethod
    def of(
        cls, function: EventHandler, types: Iterable[str], source: Source, **options: Any
    ) -> Self:
        """Return the handler of a function.

        Args:
            options: tries, at_most_once and key.

        Raises:
            ValueError: a type is unknown, an option is wrong, or the function does not accept two
                arguments.
        """
        _check(**options)
        require_parameters(function, "a handler", "event")
        require_free_name(name_function(function), "the handler", (GATEWAY, JOB))
        return cls(function, expand_names(types), source, **options)

    @property
    def options(self) -> tuple[int, bool, Key | None]:
        """Return tries, at_most_once and key."""
        return self.tries, self.at_most_once, self.key

    @property
    def name(self) -> str:
        """Return ``module.function``, under which calls are stored."""
        return name_function(self.function)


def _check(tries: int = 20, at_most_once: bool = False, key: Key | None = "object") -> None:
    if isinstance(tries, bool) or not isinstance(tries, int) or not 1 <= tries <= MAX_TRIES:
        raise ValueError(f"tries must be a whole number from 1 to {MAX_TRIES}, not {tries!r}")
    if not isinstance(at_most_once, bool):
        raise ValueError(f"at_most_once must be True or False, not {at_most_once!r}")
    if key is not None and key not in get_args(Key):
        raise ValueError(f'key must be "object", "customer" or None, not {key!r}')


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
        if known.options != handler.options:
            raise InvalidRegistration(
                f"{handler.source}: {handler.name} is registered with other options at"
                f" {known.source}; give both the same tries, at_most_once and key"
            )
        found[handler.name] = replace(known, topics=known.topics | handler.topics)
    return found
