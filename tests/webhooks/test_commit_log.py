"""Commits in PocketBase's own log of requests."""

import httpx

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard
from tests.deadline import eventually

_EMPTY = b'{"events":[],"rows":[],"claims":[]}'
_AGENT = "commit-log-test"


async def _commit(http: httpx.AsyncClient, stack: Stack, token: str, body: bytes) -> int:
    headers = {"Authorization": token, "User-Agent": _AGENT}
    url = f"{stack.pocketbase.url}/api/gateway/commit"
    return (await http.post(url, content=body, headers=headers)).status_code


async def test_the_log_has_refused_commits_only(
    http: httpx.AsyncClient, stack: Stack, superuser_token: str, dashboard: Dashboard
) -> None:
    """A row per delivery would fill PocketBase's log; a refused commit is logged."""
    assert await _commit(http, stack, superuser_token, _EMPTY) == 200
    assert await _commit(http, stack, superuser_token, _EMPTY + b"\x1e") == 503

    async def read_statuses() -> list[int]:
        # PocketBase writes its log after 200 lines, or once three seconds pass without one.
        for _ in range(100):
            await http.get(f"{stack.pocketbase.url}/api/health")
        found = await dashboard.call("GET", "/api/logs", filter=f"data.userAgent = '{_AGENT}'")
        return [entry["data"]["status"] for entry in found["items"]]

    assert await eventually(read_statuses, 20) == [503]
