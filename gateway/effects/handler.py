"""Runs effects: the work handlers of an app's functions."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, cast

from gateway.effects.effect import Effect, Operation, RecordChange
from gateway.pocketbase.api import PocketBaseClient, PocketBaseError
from gateway.work import Outcome, Retry, WorkContext, WorkHandler, WorkItem
from gateway.work.team_function import HandlerContext, call_function


def build_effect_handlers(
    effects: Iterable[Effect], context: HandlerContext
) -> Iterator[WorkHandler]:
    """Yield one handler per function; a function may have effects for several collections.

    Args:
        effects: the app's effects.
        context: the context of every call, without a key.
    """
    for effect in {effect.name: effect for effect in effects}.values():
        yield WorkHandler(
            name=effect.name,
            run=_runner_of(effect.function, context),
            tries=effect.tries,
            at_most_once=effect.at_most_once,
            timeout=effect.timeout,
        )


def _runner_of(function: Callable[..., Any], context: HandlerContext) -> Any:
    async def run(item: WorkItem, _: WorkContext) -> Outcome:
        try:
            change = await read_change(item, context.pocketbase)
        except PocketBaseError as error:
            # Returned, because an error that is raised parks work that may run once only, as if
            # the function had been called.
            return Retry(error.detail)
        return await call_function(
            function, change, replace(context, key=item.id, attempt=item.attempts)
        )

    return run


async def read_change(item: WorkItem, pocketbase: PocketBaseClient) -> RecordChange:
    """Return the change of an item, with the current record.

    Raises:
        PocketBaseError: PocketBase does not answer.
    """
    payload = item.payload
    operation = cast(Operation, payload["operation"])
    # A renamed collection has its new name here.
    collection, _, id = item.source.partition("/")
    is_deleted = operation == "delete"
    current = None if is_deleted else await pocketbase.collection(collection).get_or_none(id)
    return RecordChange(
        collection=payload["collection"],
        operation=operation,
        id=id,
        record=payload["record"],
        original=payload.get("original"),
        current=current,
        user=item.user,
    )
