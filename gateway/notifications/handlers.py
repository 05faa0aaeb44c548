"""A team's own handlers: functions that say which events they are for, in a module of theirs."""

import asyncio
import importlib
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from gateway.notifications.notification import Notification
from gateway.settings import SettingsError

#: A function that is told of an event; a plain one runs in a thread.
Function = Callable[[Notification], Awaitable[None] | None]
F = TypeVar("F", bound=Function)

_MARK = "__gateway_words__"


@dataclass(frozen=True, slots=True)
class Handler:
    """A function, and the kinds and event types that it is for."""

    function: Function
    words: frozenset[str]

    async def call(self, notification: Notification) -> None:
        """Call the function; what it raises comes through."""
        if inspect.iscoroutinefunction(self.function):
            await self.function(notification)
        else:
            await asyncio.to_thread(self.function, notification)


def on(*words: str) -> Callable[[F], F]:
    """Mark a function as a handler of kinds (``receipt``) or event types (``invoice.paid``)."""

    def mark(function: F) -> F:
        setattr(function, _MARK, frozenset(words))
        return function

    return mark


def load_handlers(module: str) -> Mapping[str, Handler]:
    """Return the handlers of a module by their names, ``module.function``.

    Raises:
        SettingsError: there is no such module, it can't be imported, or has no handler.
    """
    if not module:
        return {}
    try:
        found = vars(importlib.import_module(module))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise SettingsError(f"GATEWAY_HANDLERS: {module} can't be imported ({reason}).") from error
    handlers = {
        f"{module}.{name}": Handler(function, getattr(function, _MARK))
        for name, function in found.items()
        if callable(function) and hasattr(function, _MARK)
    }
    if not handlers:
        raise SettingsError(f"GATEWAY_HANDLERS: {module} has no function that is marked by @on.")
    return handlers
