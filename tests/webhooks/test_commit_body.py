"""The body of the commit route: large, and read without PocketBase's copy of it."""

from collections.abc import AsyncIterator

import httpx
import orjson
import pytest

from gateway.dev.stack import Stack
from tests.dashboard import Dashboard

_EMPTY = b'{"events":[],"rows":[],"claims":[]}'
_LIMIT = 32 << 20


async def _in_chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body[:10]
    yield body[10:]


async def _commit(
    http: httpx.AsyncClient, stack: Stack, token: str, body: bytes | AsyncIterator[bytes]
) -> httpx.Response:
    url = f"{stack.pocketbase.url}/api/gateway/commit"
    return await http.post(url, content=body, headers={"Authorization": token})


@pytest.mark.parametrize("is_chunked", [False, True])
async def test_a_body_with_and_without_a_length_is_read(
    is_chunked: bool, http: httpx.AsyncClient, stack: Stack, superuser_token: str
) -> None:
    """Whether or not the body's length is announced, all of it is read."""
    padded = _EMPTY + b" " * 300_000
    body = _in_chunks(padded) if is_chunked else padded
    answer = await _commit(http, stack, superuser_token, body)
    assert (answer.status_code, answer.json()) == (200, {"outcomes": [], "conflicts": []})


async def test_a_body_beyond_the_limit_is_refused(
    http: httpx.AsyncClient, stack: Stack, superuser_token: str
) -> None:
    """Nothing is cut off and stored: a body that turns out too long is refused as a whole."""
    body = _in_chunks(_EMPTY + b" " * _LIMIT)
    answer = await _commit(http, stack, superuser_token, body)
    assert answer.status_code == 413, answer.text


async def test_a_gateway_of_another_version_is_sent_away(
    http: httpx.AsyncClient, stack: Stack, superuser_token: str, dashboard: Dashboard
) -> None:
    """A body laid out otherwise, as an older gateway's during an upgrade, stores nothing."""
    version = [0, 1, 1, 1, "evt_other_version"]
    values = {"id": "a" * 15, "stripe_id": "cus_other_version"}
    event = {"id": "b" * 15, "stripe_id": "evt_other_version", "row": 0}
    head = {
        "events": [event],
        "rows": [{"collection": "customers", "values": values, "version": version, "event": 0}],
        "claims": [],
    }
    body = orjson.dumps(head) + b"\x1e" + orjson.dumps(event)
    answer = await _commit(http, stack, superuser_token, body)
    assert answer.status_code == 503, answer.text
    assert await dashboard.find("stripe_events", "evt_other_version") is None
    assert await dashboard.count("customers", "stripe_id = ''") == 0
