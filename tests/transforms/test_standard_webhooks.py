"""Calls between PocketBase and the gateway, against the Standard Webhooks library."""

import json
import time
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from gateway.dev.stack import Stack
from gateway.settings import decode_hook_secret
from tests.dashboard import Dashboard
from tests.frontend import Frontend
from tests.transforms.forger import forge_answers
from tests.transforms.test_registration import NOTES, ROUTE

_TEXTS = ["plain", "Zoë 🐘 \u2028 \x7f", 'a\\u0000b "quoted" \n\t', "x" * 70_000]


@pytest.fixture
def webhook(records_stack: Stack) -> Webhook:
    """The library, with the secret that PocketBase and the gateway share."""
    return Webhook(records_stack.plan.hook_secrets)


def _sign(webhook: Webhook, body: bytes) -> dict[str, str]:
    call_id, now = f"msg_{token_hex(8)}", datetime.now(UTC)
    return {
        "webhook-id": call_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": webhook.sign(call_id, now, body.decode()),
        "content-type": "application/json",
    }


@pytest.mark.parametrize("text", _TEXTS, ids=range(len(_TEXTS)))
async def test_pocketbase_signs_as_the_library_verifies(
    text: str, client: Frontend, board: Dashboard, records_stack: Stack, webhook: Webhook
) -> None:
    """The call of a hook is a message that the library accepts, whatever a record contains."""
    [row] = await board.list("gateway_transforms", "collection = 'notes' && operation = 'create'")
    path = f"/api/collections/gateway_transforms/records/{row['id']}"
    calls: list[tuple[dict[str, str], bytes]] = []
    key = decode_hook_secret(records_stack.plan.hook_secrets)
    with forge_answers("unsigned", key, calls) as url:
        await board.call("PATCH", path, {"url": url})
        try:
            await client.http.post(NOTES, json={"title": "a", "body": text})
        finally:
            await board.call("PATCH", path, {"url": row["url"]})
    [(headers, body), *_] = calls
    call: dict[str, Any] = webhook.verify(body, headers)
    assert call["items"][0]["record"]["body"] == text


async def test_pocketbase_accepts_what_the_library_signs(
    board: Dashboard, webhook: Webhook
) -> None:
    """A table of transforms is registered with the library's signature, and with no other."""
    table = {"url": "http://127.0.0.1:9/é🐘", "started": 1, "transforms": [], "superusers": True}
    body = json.dumps(table | {"max_bytes": 1000}, ensure_ascii=False).encode()
    for changed, status in ((b"", 200), (b" ", 400)):
        headers = _sign(webhook, body) | {"Authorization": board.token}
        answer = await board.frontend.http.post(ROUTE, content=body + changed, headers=headers)
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("text", _TEXTS, ids=range(len(_TEXTS)))
def test_the_gateway_signs_and_accepts_as_the_library(
    text: str, records_stack: Stack, webhook: Webhook
) -> None:
    """A call that the library signed is answered, and the library accepts the answer."""
    item = {"collection": "notes", "operation": "create", "sent": [], "original": None, "files": {}}
    call = {"user": None, "items": [item | {"record": {"title": text}}]}
    body = json.dumps(call, ensure_ascii=False).encode()
    headers = _sign(webhook, body)
    url = f"{records_stack.gateway.url}/hooks/records"
    answer = httpx.post(url, content=body, headers=headers, trust_env=False)
    assert answer.status_code in (200, 204), answer.text
    assert answer.headers["webhook-id"] == f"answer_{headers['webhook-id']}"
    webhook.verify(answer.content, dict(answer.headers), json_parse=False)
    assert abs(int(answer.headers["webhook-timestamp"]) - time.time()) < 60
