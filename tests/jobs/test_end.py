"""How a job ends: cancelled, too slow, given up, failed."""

from collections.abc import Callable
from contextlib import ExitStack

import httpx

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend
from tests.jobs.client import JobClient
from tests.problem import read_problem
from tests.second_gateway import run_second_gateway


async def test_a_running_job_is_cancelled_where_it_awaits(jobs: JobClient) -> None:
    """At once in the process that runs it; again, and after the end, nothing changes."""
    id = await jobs.start("wait", {"text": "x"})
    await jobs.wait(id, "running")
    assert (await jobs.cancel(id)).status_code == 200
    ended = await jobs.wait(id, within=3)
    assert (ended["status"], ended["error"]) == ("cancelled", "The job was cancelled.")
    assert (await jobs.cancel(id)).json()["status"] == "cancelled"


async def test_a_process_runs_so_many_at_once(jobs: JobClient) -> None:
    """With concurrency=1 the second job waits for the end of the first."""
    first = await jobs.start("queue_up")
    await jobs.wait(first, "running")
    second = await jobs.start("queue_up")
    await jobs.run("shout", {"text": "x"})
    assert (await jobs.get(second)).json()["status"] == "waiting"
    await jobs.cancel(first)
    await jobs.wait(second, "running")
    await jobs.cancel(second)
    assert (await jobs.wait(second))["status"] == "cancelled"


async def test_another_process_ends_a_cancelled_job(
    own_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """Within seconds, although the request reaches a gateway that does not run the job."""
    stack = own_stack()
    with ExitStack() as ends:
        async with Frontend(stack.pocketbase.url) as frontend:
            user = await frontend.sign_up()
        jobs = JobClient(http, stack.gateway.url, user.token)
        id = await jobs.start("wait", {"text": "x"})
        await jobs.wait(id, "running")
        log = stack.gateway.log.with_name("second.log")
        second = ends.enter_context(run_second_gateway(stack, log, **stack.plan.gateway_env))
        other = JobClient(http, second.url, user.token)
        assert (await other.cancel(id)).json()["status"] == "running"
        assert (await other.wait(id, within=10))["status"] == "cancelled"


async def test_a_waiting_job_is_cancelled_at_once(jobs: JobClient, dashboard: Dashboard) -> None:
    """It never starts."""
    pause = {"handler": "job.shout", "paused": True}
    await dashboard.call("POST", "/api/gateway/work/pause", pause)
    try:
        id = await jobs.start("shout", {"text": "x"})
        ended = (await jobs.cancel(id)).json()
    finally:
        await dashboard.call("POST", "/api/gateway/work/pause", pause | {"paused": False})
    assert (ended["status"], ended["attempts"]) == ("cancelled", 0)


async def test_a_finished_job_can_not_be_cancelled(jobs: JobClient) -> None:
    """409: its result stays."""
    done = await jobs.run("shout", {"text": "x"})
    read_problem(await jobs.cancel(done["id"]), 409)
    assert (await jobs.get(done["id"])).json() == done


async def test_an_attempt_has_a_time_limit(jobs: JobClient, dashboard: Dashboard) -> None:
    """A function that takes longer is ended, and the job fails after its last try."""
    ended = await jobs.run("sleep")
    assert (ended["status"], ended["error"]) == ("parked", "The job failed.")
    [row] = await dashboard.list("gateway_work", f"id = '{ended['id']}'")
    assert row["error"] == "It took longer than 0.3 seconds."


async def test_giving_up_tells_the_user_why(jobs: JobClient) -> None:
    """`GiveUp` ends the job without further tries; its text is for the user."""
    ended = await jobs.run("refuse", {"text": "this"})
    assert (ended["status"], ended["attempts"]) == ("parked", 1)
    assert ended["error"] == "There is nothing to do with this."
    assert ended["result"] is None


async def test_an_internal_error_is_not_shown(
    jobs: JobClient, stack: Stack, http: httpx.AsyncClient, dashboard: Dashboard
) -> None:
    """The user sees that it failed, an operator sees why; so with a result that is no JSON."""
    ended = await jobs.run("break_down")
    assert (ended["status"], ended["error"]) == ("parked", "The job failed.")
    [row] = await dashboard.list("gateway_work", f"id = '{ended['id']}'")
    assert row["error"].startswith("RuntimeError: the password")
    ended = await jobs.run("return_a_lock")
    assert (ended["status"], ended["error"]) == ("parked", "The job failed.")
    [row] = await dashboard.list("gateway_work", f"id = '{ended['id']}'")
    assert row["error"].startswith("The result can't be stored")
