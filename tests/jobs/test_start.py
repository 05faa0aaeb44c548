"""Starting a job: who may, what input, how many, and once per Idempotency-Key."""

import asyncio
from uuid import uuid4

import httpx

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.frontend import Frontend, User
from tests.jobs.app import LARGE
from tests.jobs.client import JobClient
from tests.problem import read_problem


async def test_a_job_runs_and_has_a_result(jobs: JobClient) -> None:
    """202 with the job and its address; then the result and the last progress."""
    answer = await jobs.post("shout", {"text": "good morning"})
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/jobs/{answer.json()['id']}"
    assert answer.json()["status"] in ("waiting", "running")
    done = await jobs.wait(answer.json()["id"])
    assert (done["status"], done["result"], done["error"]) == ("done", {"text": "GOOD MORNING"}, "")
    assert done["progress"] == {"fraction": 0.5, "message": "Shouting", "words": 2}
    assert done["completed_at"]


async def test_input_is_validated_before_anything_is_stored(
    jobs: JobClient, user: User, dashboard: Dashboard
) -> None:
    """A missing, empty, oversized or misplaced value is a 400 that names the field."""
    for body in ({}, {"text": ""}, {"text": "x" * 101}, {"text": 5}, [], None):
        problem = read_problem(await jobs.post("shout", body), 400)
        assert problem["data"]
    read_problem(await jobs.post("shout", {"text": "x" * 300_000}), 413)
    assert await dashboard.count("gateway_work", f"user = '{user.id}'") == 0


async def test_large_integers_stay_exact(jobs: JobClient) -> None:
    """In the input, also beyond 64 bits; a result that a browser would change is refused."""
    for number in (LARGE, -LARGE, 10**30):
        assert (await jobs.run("spell", {"number": number}))["result"] == str(number)
    assert (await jobs.run("return_number", {"number": 2**53}))["result"] == {"number": 2**53}
    assert (await jobs.run("return_number", {"number": LARGE}))["status"] == "parked"


async def test_unknown_jobs(jobs: JobClient, stack: Stack, http: httpx.AsyncClient) -> None:
    """404 for the name of a job and for an id that no job has."""
    read_problem(await jobs.post("no_such_job"), 404)
    for id in ("0" * 15, "x", "a" * 300, "..", "%27%20%7C%7C%201%3D1", "shout"):
        assert (await jobs.get(id)).status_code in (400, 404)
    read_problem(await http.get(f"{stack.gateway.url}/jobs/{'é' * 15}"), 404)


async def test_only_declared_callers_start_a_job(
    jobs: JobClient, stack: Stack, http: httpx.AsyncClient, superuser_token: str
) -> None:
    """Users, superusers, anyone, or whom a dependency lets through."""
    guest = JobClient(http, stack.gateway.url)
    root = JobClient(http, stack.gateway.url, superuser_token)
    forged = JobClient(http, stack.gateway.url, jobs.token[:-4] + "AAAA")
    read_problem(await guest.post("shout", {"text": "x"}), 401)
    read_problem(await forged.post("shout", {"text": "x"}), 401)
    read_problem(await root.post("shout", {"text": "x"}), 401)
    read_problem(await guest.post("tidy"), 401)
    read_problem(await jobs.post("tidy"), 403)
    assert (await root.run("tidy"))["result"].startswith("_superusers/")
    read_problem(await forged.post("estimate-price", {"text": "x"}), 401)
    read_problem(await guest.post("greet"), 401)
    assert (await jobs.post("greet")).status_code == 402


async def test_a_dependency_chooses_who_starts(
    jobs: JobClient, user: User, frontend: Frontend
) -> None:
    """A team's own check, here of a column, and a limit of starts per user and period."""
    path = f"/api/collections/users/records/{user.id}"
    await frontend.call("PATCH", path, token=user.token, body={"name": "Ann"})
    assert (await jobs.run("greet"))["result"] == f"Hello {user.id}"
    await jobs.start("greet")
    refused = await jobs.post("greet")
    problem = read_problem(refused, 429)
    assert "2 jobs greet" in problem["detail"]
    assert 3500 < int(refused.headers["retry-after"]) <= 3600
    assert problem["type"] == "urn:problem:rate-limited"


async def test_a_guest_reads_a_job_by_its_id(stack: Stack, http: httpx.AsyncClient) -> None:
    """A guest has no token, so the random id is what protects the job; guessable keys don't."""
    guest = JobClient(http, stack.gateway.url)
    read_problem(await guest.post("estimate-price", {"text": "x"}, key="1"), 400)
    key = str(uuid4())
    first = await guest.start("estimate-price", {"text": "abc"}, key)
    other = await guest.start("estimate-price", {"text": "abcd"}, key)
    assert first != other
    assert (await guest.wait(first))["result"] == 3
    assert await guest.start("estimate-price", {"text": "abc"}, key) == first


async def test_one_key_starts_one_job(jobs: JobClient, user: User, dashboard: Dashboard) -> None:
    """Ten requests at once with one key store one row; another input is refused."""
    key = str(uuid4())
    answers = await asyncio.gather(*(jobs.post("shout", {"text": "once"}, key) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await dashboard.count("gateway_work", f"user = '{user.id}'") == 1
    problem = read_problem(await jobs.post("shout", {"text": "another"}, key), 409)
    assert problem["type"] == "urn:problem:idempotency-key-reused"
    # The key belongs to the job's name, too.
    assert await jobs.start("refuse", {"text": "once"}, key) != answers[0].json()["id"]


async def test_keys_of_two_users_differ(
    jobs: JobClient, frontend: Frontend, stack: Stack, http: httpx.AsyncClient
) -> None:
    """The same key of another user is another job."""
    other = JobClient(http, stack.gateway.url, (await frontend.sign_up()).token)
    key = "the-same-key"
    mine = await jobs.start("shout", {"text": "mine"}, key)
    assert await other.start("shout", {"text": "theirs"}, key) != mine


async def test_open_jobs_are_limited_per_user(
    jobs: JobClient, user: User, frontend: Frontend, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Of ten requests at once two pass; another user and a cancelled job make room."""
    answers = await asyncio.gather(*(jobs.post("wait", {"text": "x"}) for _ in range(10)))
    started = [answer.json()["id"] for answer in answers if answer.status_code == 202]
    assert len(started) == 2
    problem = read_problem(await jobs.post("wait", {"text": "x"}), 429)
    assert "At most 2 jobs wait" in problem["detail"]
    other = JobClient(http, stack.gateway.url, (await frontend.sign_up()).token)
    theirs = await other.start("wait", {"text": "x"})
    await jobs.cancel(started[0])
    await jobs.wait(started[0], "cancelled")
    started.append(await jobs.start("wait", {"text": "x"}))
    for client, id in ((other, theirs), (jobs, started[1]), (jobs, started[2])):
        await client.cancel(id)


async def test_an_endpoint_starts_jobs(
    jobs: JobClient, user: User, stack: Stack, http: httpx.AsyncClient
) -> None:
    """`Jobs` is a dependency; the user reads what it started."""
    url = f"{stack.gateway.url}/shop/wishes"
    wishes = [
        (await http.post(url, json={"text": "a pony"}, headers=user.bearer)).json()["job"]
        for _ in range(2)
    ]
    assert wishes[0] == wishes[1]
    assert (await jobs.wait(wishes[0]))["result"] == {"text": "A PONY"}
