"""Calls a team's function for an item of the queue, and reads the writes that it returns."""

import asyncio
import inspect
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import stripe

from gateway.pocketbase.api import PocketBaseClient
from gateway.settings import Settings
from gateway.work.outcome import Done
from gateway.work.returned_writes import read_writes

#: The first part of the names of the gateway's own work.
GATEWAY = "gateway"
#: The first part of the names of jobs.
JOB = "job"
#: The largest number of attempts that a function can ask for.
MAX_TRIES = 1000


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """The context of a call: clients, settings and an idempotency key."""

    #: The same in every attempt; use it as an idempotency key.
    key: str
    #: Calls PocketBase as the gateway's superuser.
    pocketbase: PocketBaseClient
    stripe: stripe.StripeClient
    settings: Settings
    #: The mapping that the app's lifespan yields.
    state: Mapping[str, Any] = field(default_factory=dict)
    #: The number of this attempt, from 1; attempts in which a process died count.
    attempt: int = 1


def name_function(function: Callable[..., Any]) -> str:
    """Return ``module.function``, under which a function's work is stored."""
    name = getattr(function, "__qualname__", type(function).__name__)
    return f"{function.__module__}.{name}"


def require_free_name(name: str, noun: str, reserved: Collection[str]) -> None:
    """Check that the name under which work is stored can't be one of jobs or of the gateway.

    Args:
        name: the name.
        noun: what has it, for the message.
        reserved: first parts that it can't have.

    Raises:
        ValueError: it has one.
    """
    first, dot, _ = name.partition(".")
    if dot and first in reserved:
        raise ValueError(
            f"{noun} is called {name}, but names that begin with {first}. are reserved: give it,"
            " or its module, another name"
        )


def require_parameters(function: Callable[..., Any], noun: str, first: str) -> None:
    """Check that a function accepts two positional arguments.

    Raises:
        ValueError: it does not; the message names them.
    """
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        raise ValueError(
            f"{noun} is called with two arguments, the {first} and the context"
        ) from None


def require_limits(tries: int, timeout: float) -> None:
    """Check the attempts of a function, and the seconds that one may take.

    Raises:
        ValueError: one is out of range; the message names it.
    """
    if not 1 <= tries <= MAX_TRIES:
        raise ValueError(f"tries must be from 1 to {MAX_TRIES}")
    if not (math.isfinite(timeout) and timeout > 0):
        raise ValueError("timeout must be a number of seconds above 0")


async def call_function(function: Callable[..., Any], *args: Any) -> Done:
    """Call an async function, or a plain one in a thread.

    Returns:
        The result, with the writes of the batch that the function returned.

    Raises:
        GiveUp: it returned something else than None or a batch that was not sent.
    """
    if inspect.iscoroutinefunction(function):
        returned = await function(*args)
    else:
        returned = await asyncio.to_thread(function, *args)
        if inspect.isawaitable(returned):
            returned = await returned
    return Done(writes=read_writes(returned))
