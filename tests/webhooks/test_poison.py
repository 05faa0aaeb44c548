"""Events that our own code can't handle: stored with the reason, and never in another's way."""

import asyncio
import json
import time

from tests.dashboard import Dashboard
from tests.delivery import Json, Sender, build_customer, build_event

_DEPTH = 700


def _build_deep_events() -> list[Json]:
    """Events that PocketBase can store, but that are nested too deeply for Python."""
    deep: Json = {}
    for _ in range(_DEPTH):
        deep = {"a": deep}
    customer = build_customer("nobody", deep=deep)
    second = int(time.time())
    return [
        build_event("customer.updated", customer | {"name": f"{n}"}, {"name": "x"}, created=second)
        for n in range(4)
    ]


async def test_what_can_not_be_compared_is_answered_and_kept(
    sender: Sender, dashboard: Dashboard
) -> None:
    """Each event that arrives with one that breaks the comparison is answered; none is lost."""
    harmless = [build_event("customer.updated", build_customer("nobody")) for _ in range(4)]
    deep = _build_deep_events()
    async with asyncio.timeout(20):
        answers = await asyncio.gather(*map(sender.send, [*deep, *harmless]))
    assert [answer.status_code for answer in answers[len(deep) :]] == [200] * len(harmless)
    assert {answer.status_code for answer in answers[: len(deep)]} == {200, 500}
    for event, answer in zip(deep, answers, strict=False):
        row = await dashboard.find("stripe_events", event["id"])
        assert row, json.dumps(answer.json())
        assert (row["outcome"] == "failed") == (answer.status_code == 500)
        assert ("RecursionError" in row["error"]) == (answer.status_code == 500)
