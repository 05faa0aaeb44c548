"""A clock that is wrong is called that, and not a missing secret."""

import json
import time
from secrets import token_hex

import pytest

from gateway.dev.stack import Stack
from gateway.settings import decode_hook_secret
from gateway.transforms.hook_signature import sign
from tests.dashboard import Dashboard

_ROUTE = "/api/gateway/transforms"
_TABLE = {"url": "http://127.0.0.1:9", "started": 1, "transforms": [], "superusers": True}


async def _register(board: Dashboard, key: bytes, seconds: int) -> str:
    """Register with a clock that is off by some seconds; return PocketBase's message."""
    body = json.dumps(_TABLE | {"max_bytes": 1000}).encode()
    headers = sign(f"msg_{token_hex(8)}", int(time.time()) + seconds, body, key)
    headers |= {"Authorization": board.token, "Content-Type": "application/json"}
    answer = await board.frontend.http.post(_ROUTE, content=body, headers=headers)
    assert answer.status_code == 400
    return str(answer.json()["message"])


@pytest.mark.parametrize("seconds", [-3600, 3600])
async def test_a_wrong_clock_is_named(records_stack: Stack, board: Dashboard, seconds: int) -> None:
    """The secret is the right one, so the message says by how much the clocks differ."""
    key = decode_hook_secret(records_stack.plan.hook_secrets)
    message = await _register(board, key, seconds)
    assert "clocks" in message
    assert "NTP" in message
    assert "GATEWAY_HOOK_SECRETS" not in message


@pytest.mark.parametrize("seconds", [0, 3600])
async def test_a_wrong_secret_is_named(board: Dashboard, seconds: int) -> None:
    """A caller without the secret gets no message about the clock."""
    message = await _register(board, b"another key, of 24 or more", seconds)
    assert "GATEWAY_HOOK_SECRETS" in message
    assert "clocks" not in message
