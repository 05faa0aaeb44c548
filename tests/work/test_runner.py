"""The runner: handlers run, fail, are stopped, and their results are stored."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway import AlreadyDone
from gateway.errors import PocketBaseUnavailable
from gateway.pocketbase import PocketBase
from gateway.pocketbase.contracts.work import ExchangeAnswer, ExchangeRequest
from gateway.work import (
    Cancel,
    Done,
    GiveUp,
    Outcome,
    Park,
    RecordWrite,
    Retry,
    WorkContext,
    WorkHandler,
    WorkItem,
    WorkQueue,
)
from gateway.work.parked import watch_parked
from gateway.work.runner import WorkRunner, run_work
from tests.deadline import eventually
from tests.work.office import Office

Run = Callable[[WorkItem, WorkContext], Awaitable[Outcome | None]]


@asynccontextmanager
async def _working(office: Office, run: Run, **options: Any) -> AsyncIterator[WorkRunner]:
    """Run a handler under the test's name."""
    lease_seconds = options.pop("lease_seconds", 60)
    has_priority = options.pop("has_priority", lambda: False)
    handler = WorkHandler(office.handler, run, **options)
    runner = WorkRunner(
        office.queue, [handler], lease_seconds=lease_seconds, has_priority=has_priority
    )
    async with run_work(runner):
        yield runner


async def test_items_run_and_are_settled(office: Office) -> None:
    """Every item once, also those added while others run; a dict of results is stored."""
    seen: list[int] = []

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        seen.append(item.payload)
        return Done({"number": item.payload})

    async with _working(office, run):
        ids = [(await office.add(payload=number))[0] for number in range(80)]
        rows = [await office.wait_status(id, "done") for id in ids]
    assert sorted(seen) == list(range(80))
    assert [row["result"] for row in rows] == [{"number": number} for number in range(80)]


async def test_a_full_claim_gives_way(office: Office) -> None:
    """While deliveries wait, a pause follows each full claim; the items are done nevertheless."""
    asked = 0

    def has_priority() -> bool:
        nonlocal asked
        asked += 1
        return True

    async def run(item: WorkItem, context: WorkContext) -> None:
        pass

    ids = await office.add(80)
    async with _working(office, run, has_priority=has_priority):
        for id in ids:
            await office.wait_status(id, "done")
    assert asked >= 2


async def test_a_key_keeps_its_order(office: Office) -> None:
    """Items of one key run one after the other in their order, beside those of other keys."""
    seen: dict[str, list[int]] = {"a": [], "b": []}
    running = 0

    async def run(item: WorkItem, context: WorkContext) -> None:
        nonlocal running
        running += 1
        assert running <= 2
        await asyncio.sleep(0)
        seen[item.key].append(item.payload)
        running -= 1

    for number in range(10):
        for key in seen:
            last = await office.add(key=key, payload=number)
    async with _working(office, run):
        await office.wait_status(last[0], "done")

        async def is_done() -> bool:
            return all(len(each) == 10 for each in seen.values())

        await eventually(is_done)
    assert seen == {"a": list(range(10)), "b": list(range(10))}


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (Retry("503 from the shop"), "waiting", "503 from the shop"),
        (Park("no such order"), "parked", "no such order"),
        (Cancel("outdated"), "cancelled", "outdated"),
        (GiveUp("unknown price"), "parked", "unknown price"),
        (LookupError("no such key"), "waiting", "LookupError: no such key"),
        (AlreadyDone("another key"), "waiting", "AlreadyDone: the work of 'another key'"),
        (Done({"not": {"JSON"}}), "parked", "The result can't be stored as JSON"),
    ],
)
async def test_an_outcome_is_stored(outcome: Any, status: str, error: str, office: Office) -> None:
    """Each outcome and exception leads to its status, with the reason."""

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        found: Outcome = outcome
        return found

    [id] = await office.add()
    async with _working(office, run):

        async def is_tried() -> bool:
            row = await office.read(id)
            return row["attempts"] == 1 and row["status"] != "running"

        await eventually(is_tried)
    row = await office.read(id)
    assert row["status"] == status
    assert row["error"].startswith(error)


async def test_the_work_of_its_own_key_is_done(office: Office) -> None:
    """`once` with the item's key says that an earlier attempt has committed."""

    async def run(item: WorkItem, context: WorkContext) -> None:
        raise AlreadyDone(item.id)

    [id] = await office.add(at_most_once=True)
    async with _working(office, run):
        row = await office.wait_status(id, "done")
    assert row["error"] == ""


async def test_a_failure_is_repeated_with_the_same_key_and_parked_at_last(office: Office) -> None:
    """As many attempts as tries, all of one id; then it is parked with the last error."""
    seen: list[tuple[str, int]] = []

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        seen.append((item.id, item.attempts))
        if len(seen) == 2:
            raise ConnectionError("still down")
        return Retry("down", delay=0)

    [id] = await office.add(tries=3)
    async with _working(office, run):
        row = await office.wait_status(id, "parked", within=20)
    assert seen == [(id, 1), (id, 2), (id, 3)]
    assert row["error"] == "down"


@pytest.mark.parametrize("fault", ["exception", "timeout"])
async def test_an_item_that_may_run_once_is_not_repeated(fault: str, office: Office) -> None:
    """After an exception or the time limit it may have been done, so it is parked."""
    calls = 0

    async def run(item: WorkItem, context: WorkContext) -> None:
        nonlocal calls
        calls += 1
        if fault == "exception":
            raise ConnectionError("reset")
        await asyncio.sleep(60)

    [id] = await office.add(at_most_once=True)
    async with _working(office, run, timeout=0.1):
        await office.wait_status(id, "parked")
    assert calls == 1


async def test_a_slow_handler_is_ended(office: Office) -> None:
    """After its time limit the attempt has failed, and the next one follows."""

    async def run(item: WorkItem, context: WorkContext) -> None:
        if item.attempts == 1:
            await asyncio.sleep(60)

    [id] = await office.add()
    async with _working(office, run, timeout=0.1):
        row = await office.wait_status(id, "done", within=20)
    assert row["attempts"] == 2


async def test_a_stopping_process_gives_its_items_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It claims nothing more, and what does not end in time waits for another process."""
    monkeypatch.setattr("gateway.work.runner._DRAIN_SECONDS", 0.2)
    started = asyncio.Event()

    async def run(item: WorkItem, context: WorkContext) -> None:
        started.set()
        await asyncio.sleep(60)

    [slow] = await office.add()
    async with _working(office, run):
        await started.wait()
    row = await office.read(slow)
    assert (row["status"], row["attempts"], row["error"]) == ("waiting", 0, "")
    assert [item.id for item in await office.claim()] == [slow]


async def test_a_stopping_process_lets_short_items_end(office: Office) -> None:
    """An item that ends within the time for it is stored as done."""
    started = asyncio.Event()

    async def run(item: WorkItem, context: WorkContext) -> None:
        started.set()
        await asyncio.sleep(0.3)

    [id] = await office.add()
    async with _working(office, run):
        await started.wait()
    assert (await office.read(id))["status"] == "done"


async def test_a_stopping_process_parks_what_may_run_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that may have been done is not given back."""
    monkeypatch.setattr("gateway.work.runner._DRAIN_SECONDS", 0.2)
    started = asyncio.Event()

    async def run(item: WorkItem, context: WorkContext) -> None:
        started.set()
        await asyncio.sleep(60)

    [id] = await office.add(at_most_once=True)
    async with _working(office, run):
        await started.wait()
    assert (await office.read(id))["status"] == "parked"


async def test_a_cancelled_item_ends(office: Office) -> None:
    """The next renewal brings the operator's request, and the function ends where it awaits."""

    async def run(item: WorkItem, context: WorkContext) -> None:
        await asyncio.sleep(60)

    [id] = await office.add()
    async with _working(office, run, lease_seconds=1):
        await office.wait_status(id, "running")
        await office.queue.cancel([id])
        row = await office.wait_status(id, "cancelled")
    assert row["error"] == "cancelled"


async def test_a_long_item_keeps_its_lease(office: Office) -> None:
    """Renewals keep it from other processes, for longer than a lease."""
    other = WorkQueue(office.queue._pocketbase)

    async def run(item: WorkItem, context: WorkContext) -> None:
        deadline = time.monotonic() + 2.5
        while time.monotonic() < deadline:
            assert await Office(other, office.dashboard, office.handler).claim() == ()
            await asyncio.sleep(0.1)

    [id] = await office.add()
    async with _working(office, run, lease_seconds=1):
        assert (await office.wait_status(id, "done"))["attempts"] == 1


async def test_state_is_stored_at_once(office: Office) -> None:
    """A later attempt continues with the state that an earlier one saved."""

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        if item.state is None:
            await context.save(progress={"part": 1}, state={"cursor": "m"})
            return Retry("stopped", delay=0)
        return Done(item.state)

    [id] = await office.add()
    async with _working(office, run):
        row = await office.wait_status(id, "done")
    assert (row["result"], row["progress"]) == ({"cursor": "m"}, {"part": 1})


async def test_a_handler_that_lost_its_lease_is_ended(office: Office) -> None:
    """Saving state for an item that another process has ends the function; nothing is stored."""
    ended = asyncio.Event()

    async def run(item: WorkItem, context: WorkContext) -> None:
        await office.expire_lease(item.id)
        await office.claim()
        try:
            await context.save(state="late")
        except asyncio.CancelledError:
            ended.set()
            raise

    [id] = await office.add()
    async with _working(office, run, concurrency=1):
        await asyncio.wait_for(ended.wait(), 10)
    row = await office.read(id)
    assert (row["status"], row["state"], row["attempts"]) == ("running", None, 2)


async def test_writes_that_fail_are_a_failed_attempt(office: Office) -> None:
    """Nothing of the result is stored; the item is tried again, and parked after its tries."""

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        return Done(writes=(RecordWrite("update", "users", "none00000000000", {"name": "x"}),))

    [id] = await office.add(tries=1)
    async with _working(office, run):
        row = await office.wait_status(id, "parked")
    assert row["error"].startswith("Error: write 1, update users/none00000000000")


class _LosingQueue(WorkQueue):
    """Loses the answer of every second call after PocketBase has carried it out."""

    calls = 0

    async def exchange(self, request: ExchangeRequest) -> ExchangeAnswer:
        answer = await super().exchange(request)
        self.calls += 1
        if self.calls % 2:
            raise PocketBaseUnavailable
        return answer


async def test_lost_answers_double_and_lose_nothing(office: Office, pocketbase: PocketBase) -> None:
    """A call without an answer is repeated: items that run once at most run exactly once."""
    seen: list[str] = []

    async def run(item: WorkItem, context: WorkContext) -> None:
        seen.append(item.id)

    ids = await office.add(40, at_most_once=True)
    losing = Office(_LosingQueue(pocketbase), office.dashboard, office.handler)
    async with _working(losing, run):
        for id in ids:
            await office.wait_status(id, "done", within=30)
    assert sorted(seen) == sorted(ids)


async def test_a_result_that_pocketbase_refuses_holds_up_no_other(office: Office) -> None:
    """It is parked with the reason; the others of its call are stored."""

    async def run(item: WorkItem, context: WorkContext) -> Outcome:
        return Done("x" * 2_100_000 if item.payload == "bad" else "fine")

    [bad] = await office.add(kind="job", payload="bad")
    good = await office.add(5, payload="good")
    async with _working(office, run):
        for id in good:
            await office.wait_status(id, "done")
        row = await office.wait_status(bad, "parked")
    assert "refused the result" in row["error"]


async def test_a_woken_runner_starts_within_50_ms(office: Office) -> None:
    """From the wake-up after a commit to the handler's first line, in the median."""
    started: dict[str, float] = {}

    async def run(item: WorkItem, context: WorkContext) -> None:
        started[item.id] = time.monotonic()

    async with _working(office, run):
        delays = []
        for _ in range(15):
            [id] = await office.add()
            added = time.monotonic()
            await office.wait_status(id, "done")
            delays.append(started[id] - added)
    assert sorted(delays)[len(delays) // 2] < 0.05


async def test_parked_work_is_one_warning_a_round(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """The number and the handlers of parked items are logged, once for all of them."""
    await office.add(3)
    for item in await office.claim():
        await office.settle(item, "parked")
    caplog.set_level(logging.WARNING)
    watching = asyncio.create_task(watch_parked(office.queue, 60))

    async def is_logged() -> bool:
        return bool(caplog.records)

    await eventually(is_logged)
    watching.cancel()
    [record] = caplog.records
    assert record.getMessage().startswith("work is parked")
    assert office.handler in record.__dict__["handlers"].split(",")
