"""`gateway worker` without PostgreSQL."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx

from gateway.dev.stack import Stack
from tests.deadline import wait_until
from tests.frontend import Frontend
from tests.http_client import open_client
from tests.relay.crew import HANDLER, METRICS_TOKEN, Crew, open_crew


async def test_workers_run_what_the_gateway_leaves(
    fresh_stack: Callable[..., Stack], tmp_path: Path
) -> None:
    """With GATEWAY_RUN_WORK=false a job waits for a worker, and the worker's metrics count it.

    SIGTERM ends a worker with code 0.
    """
    stack = fresh_stack(GATEWAY_APP="tests.relay.app:app", GATEWAY_RUN_WORK="false")
    stack.gateway.wait_ready()
    async with open_client() as http, Frontend(stack.pocketbase.url) as frontend:
        user = await frontend.sign_up()
        body = {"key": "", "number": 1}
        url = f"{stack.gateway.url}/jobs/note"
        answer = await http.post(url, json=body, headers=user.bearer)
        assert answer.status_code == 202
        with open_crew(stack.plan, tmp_path, "") as crew:
            wait_until(lambda: crew.count_runs() == 1, within=20)
            wait_until(lambda: _count_done(crew) == 1, within=20)
            worker = crew.workers[0]
            health = await http.get(f"{worker.url}/health")
            assert health.json() == {"status": "ok"}
            missing = await http.get(f"{worker.url}/checkout")
            assert missing.status_code == 404
            for each in (health, missing):
                assert each.headers["x-content-type-options"] == "nosniff"
                assert each.headers["x-request-id"]
            worker.stop()
            assert worker.wait() == 0
        found = await http.get(
            f"{stack.gateway.url}{answer.headers['Location']}", headers=user.bearer
        )
        assert found.json()["status"] == "done"


def _count_done(crew: Crew) -> float:
    """Return the number of jobs that the workers' metrics count as done."""
    text = ""
    for worker in crew.workers:
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        text += httpx.get(f"{worker.url}/metrics", headers=headers, trust_env=False).text
    found = re.findall(rf'gateway_work_total{{handler="{HANDLER}",outcome="done"}} (\S+)', text)
    return sum(map(float, found))
