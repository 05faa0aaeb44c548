"""Effects with an unreadable record: the function is not called."""

from gateway.dev.ports import LOOPBACK, pick_free
from gateway.effects.effect import Effect, RecordChange
from gateway.effects.handler import build_effect_handlers
from gateway.pocketbase.api import PocketBaseClient
from gateway.work import Retry, WorkContext, WorkItem
from gateway.work.team_function import HandlerContext


async def charge(change: RecordChange, context: HandlerContext) -> None:
    """Fail: it may not be called."""
    raise AssertionError


async def _save(**_: object) -> None:
    raise AssertionError


async def test_work_that_may_run_once_is_repeated_if_it_did_not_run() -> None:
    """Without PocketBase the record is not read: the item is retried instead of parked."""
    effect = Effect(charge, "orders", frozenset({"create"}), at_most_once=True)
    item = WorkItem(
        id="item",
        kind="record",
        handler=effect.name,
        key="",
        source="orders/order",
        payload={"collection": "orders", "operation": "create", "record": {}},
        attempts=1,
        tries=20,
        at_most_once=True,
        version=0,
        state=None,
        user="",
        created="",
        claim="token",
        event=None,
    )
    async with PocketBaseClient(f"http://{LOOPBACK}:{pick_free()}") as pocketbase:
        context = HandlerContext("", pocketbase, None, None)  # type: ignore[arg-type]
        [handler] = build_effect_handlers([effect], context)
        outcome = await handler.run(item, WorkContext(save=_save))
    assert isinstance(outcome, Retry)
    assert outcome.error
