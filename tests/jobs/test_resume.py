"""Jobs after a crash: finished steps and pages are not repeated."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

import httpx

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard, open_dashboard
from tests.deadline import eventually
from tests.jobs.app import LARGE
from tests.jobs.client import JobClient, read_events


async def _expire_lease(dashboard: Dashboard, id: str) -> None:
    """Let the lease of the killed process end now."""
    path = f"/api/collections/gateway_work/records/{id}"
    await dashboard.call("PATCH", path, {"lease": "2020-01-01 00:00:00.000Z"})


async def _effects(dashboard: Dashboard, id: str) -> list[str]:
    rows = await dashboard.list("effects", f"job = '{id}'", sort="created")
    return [row["name"] for row in rows]


async def test_a_killed_job_continues(
    own_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """kill -9 after a step and within a page: finished ones are not repeated, counts are exact."""
    stack = own_stack()
    async with open_dashboard(stack.pocketbase) as dashboard:
        user = await dashboard.frontend.sign_up()
        jobs = JobClient(http, stack.gateway.url, user.token)
        for number in range(35):
            # Ids in the order of the numbers.
            body = {"id": f"order{number:010d}", "number": number}
            await dashboard.call("POST", "/api/collections/orders/records", body)
        waiting = await jobs.start("wait", {"text": "x"})
        counting = await jobs.start("count_orders", {"hang_at": 3})

        async def are_hanging() -> bool:
            states = [(await jobs.get(id)).json() for id in (waiting, counting)]
            return all((state["progress"] or {}).get("message") for state in states)

        await eventually(are_hanging, 20)
        stack.gateway.kill()
        for id in (waiting, counting):
            await _expire_lease(dashboard, id)
        stack.gateway.start()
        stack.gateway.wait_ready()
        done = await jobs.wait(waiting, within=30)
        assert (done["status"], done["result"]) == ("done", f"first of {user.id}, {LARGE}")
        assert await _effects(dashboard, waiting) == ["first", "second"]
        counted = await jobs.wait(counting, within=30)
        # The third page was under way when the process died.
        assert await _effects(dashboard, counting) == ["1:0", "1:10", "1:20", "2:20", "2:30"]
        assert counted["result"] == {"pages": 2, "orders": 35}


async def test_a_stopping_gateway_gives_its_jobs_to_the_next(
    own_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """SIGTERM ends event streams at once, and the attempt does not count."""
    stack = own_stack()
    async with open_dashboard(stack.pocketbase) as dashboard:
        user = await dashboard.frontend.sign_up()
        jobs = JobClient(http, stack.gateway.url, user.token)
        id = await jobs.start("wait", {"text": "x"})
        await jobs.wait(id, "running")
        async with asyncio.timeout(5), jobs.stream(id) as response:
            os.kill(stack.gateway.pid, signal.SIGTERM)
            began = time.monotonic()
            _ = [event async for event in read_events(response)]
            assert time.monotonic() - began < 3
        stack.gateway.stop(within=30)
        [row] = await dashboard.list("gateway_work", f"id = '{id}'")
        assert (row["status"], row["attempts"]) == ("waiting", 0)
        stack.gateway.start()
        stack.gateway.wait_ready()
        await jobs.wait(id, "running", within=20)
        await jobs.cancel(id)
        assert await _effects(dashboard, id) == ["first"]
