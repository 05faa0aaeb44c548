"""A job is its user's: others neither see nor cancel it."""

import httpx
import pytest

from gateway.dev.stack import Stack
from tests.frontend import Frontend, User
from tests.jobs.client import JobClient
from tests.problem import read_problem


async def test_others_do_not_see_a_job(
    jobs: JobClient,
    frontend: Frontend,
    stack: Stack,
    http: httpx.AsyncClient,
    superuser_token: str,
) -> None:
    """404 for another user and a guest, on every path; a superuser sees it."""
    id = await jobs.start("wait", {"text": "x"})
    stranger = JobClient(http, stack.gateway.url, (await frontend.sign_up()).token)
    guest = JobClient(http, stack.gateway.url)
    for other in (stranger, guest):
        read_problem(await other.get(id), 404)
        read_problem(await other.cancel(id), 404)
        async with other.stream(id) as response:
            assert response.status_code == 404
    forged = JobClient(http, stack.gateway.url, jobs.token[:-4] + "AAAA")
    read_problem(await forged.get(id), 401)
    root = JobClient(http, stack.gateway.url, superuser_token)
    assert (await root.get(id)).json()["id"] == id
    assert (await root.cancel(id)).status_code == 200
    assert (await jobs.wait(id))["status"] == "cancelled"


async def test_pocketbase_shows_a_job_to_its_user_only(
    jobs: JobClient, user: User, frontend: Frontend
) -> None:
    """The record has progress and result, and none of the internal columns."""
    id = (await jobs.run("shout", {"text": "x"}))["id"]
    path = f"/api/collections/gateway_work/records/{id}"
    record = await frontend.call("GET", path, token=user.token)
    assert (record["status"], record["result"]) == ("done", {"text": "X"})
    assert {"payload", "state", "claim", "lease", "key", "seq", "error"}.isdisjoint(record)
    other = await frontend.sign_up()
    for token in (other.token, ""):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            await frontend.call("GET", path, token=token)
        assert refused.value.response.status_code == 404
    for method in ("PATCH", "DELETE"):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            await frontend.call(method, path, token=user.token, body={"status": "waiting"})
        assert refused.value.response.status_code == 403


async def test_progress_arrives_by_realtime(
    jobs: JobClient, user: User, frontend: Frontend
) -> None:
    """PocketBase's subscription shows each state, to the user alone."""
    other = await frontend.sign_up()
    topic = "gateway_work/*"
    async with (
        frontend.subscribe(topic, token=user.token) as mine,
        frontend.subscribe(topic, token=other.token) as theirs,
    ):
        id = (await jobs.run("shout", {"text": "x"}))["id"]
        await mine.next(lambda change: change.record["status"] == "done")
        seen = [change.record for change in mine.seen if change.record["id"] == id]
        assert seen[0]["status"] == "waiting"
        assert any((record["progress"] or {}).get("fraction") == 0.5 for record in seen)
        assert theirs.seen == []
