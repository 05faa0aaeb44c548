"""GET /metrics: who may read it, and what it counts."""

import re
from collections.abc import Callable

import httpx
import pytest

from gateway.dev.gateway_process import GatewayProcess
from gateway.dev.stack import Stack
from tests.deadline import eventually
from tests.delivery import Sender, build_customer, build_event

_TOKEN = "a-token-of-a-test-only"
_SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)


@pytest.fixture
def measured(start_gateway: Callable[..., GatewayProcess]) -> GatewayProcess:
    """A gateway with a metrics token."""
    return start_gateway(GATEWAY_METRICS_TOKEN=_TOKEN)


async def _read(http: httpx.AsyncClient, gateway: GatewayProcess) -> dict[str, float]:
    """Return the samples by name with labels."""
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    answer = await http.get(f"{gateway.url}/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        f"{found['name']}{{{found['labels'] or ''}}}": float(found["value"])
        for found in _SAMPLE.finditer(answer.text)
    }


async def test_without_the_setting_there_are_no_metrics(
    stack: Stack, http: httpx.AsyncClient
) -> None:
    """Without GATEWAY_METRICS_TOKEN the page does not exist."""
    assert (await http.get(f"{stack.gateway.url}/metrics")).status_code == 404


@pytest.mark.parametrize("header", ["", "Bearer wrong", f"Basic {_TOKEN}", "Bearer", "Bearer é"])
async def test_the_token_is_needed(
    header: str, measured: GatewayProcess, http: httpx.AsyncClient
) -> None:
    """Without the token the answer is 401 and has no metrics."""
    headers = [(b"Authorization", header.encode("latin-1"))] if header else []
    answer = await http.get(f"{measured.url}/metrics", headers=headers)
    assert answer.status_code == 401
    assert "gateway_" not in answer.text


async def test_deliveries_are_counted_by_outcome(
    measured: GatewayProcess, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Applied and repeated events, wrong signatures, batches and calls are counted."""
    sender = Sender(http, measured.url, stack.plan.stripe.webhook_secrets[0])
    customer = build_customer("nobody")
    event = build_event("customer.created", customer)
    for _ in range(2):
        assert (await sender.send(event)).status_code == 200
    wrong = Sender(http, measured.url, "whsec_wrong")
    assert (await wrong.send(event)).status_code == 400

    found = await _read(http, measured)

    assert found['gateway_deliveries_total{outcome="applied"}'] == 1
    assert found['gateway_deliveries_total{outcome="duplicate"}'] == 1
    assert found['gateway_deliveries_total{outcome="invalid-signature"}'] == 1
    assert found['gateway_delivery_seconds_count{stage="total"}'] == 3
    assert found['gateway_delivery_seconds_count{stage="store"}'] == 2
    assert found["gateway_batch_events_count{}"] == 2
    assert found["gateway_event_lag_seconds_count{}"] == 1
    assert found['gateway_pocketbase_calls_total{status="200"}'] >= 2
    assert found["gateway_pocketbase_up{}"] == found["gateway_ready{}"] == 1
    assert found['gateway_events{outcome="unresolved"}'] == 0
    assert found["gateway_work_oldest_due_seconds{}"] == 0
    assert found["process_cpu_seconds_total{}"] > 0


async def test_metrics_have_no_personal_data(
    measured: GatewayProcess, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Neither ids nor addresses are labels, so series are few and nothing leaks."""
    sender = Sender(http, measured.url, stack.plan.stripe.webhook_secrets[0])
    event = build_event("customer.created", build_customer("nobody", email="ada@example.com"))
    assert (await sender.send(event)).status_code == 200
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    text = (await http.get(f"{measured.url}/metrics", headers=headers)).text
    assert not re.search(r"@|evt_|cus_|whsec|sk_test|127\.0\.0\.1", text)


async def test_a_rate_limit_is_counted(
    start_gateway: Callable[..., GatewayProcess], http: httpx.AsyncClient
) -> None:
    """Requests that are answered with 429 are counted."""
    gateway = start_gateway(GATEWAY_METRICS_TOKEN=_TOKEN, GATEWAY_RATE_LIMIT_ADDRESS="3/second")
    statuses = [(await http.get(f"{gateway.url}/nothing")).status_code for _ in range(6)]
    assert 429 in statuses

    async def read() -> float:
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        answer = await http.get(f"{gateway.url}/metrics", headers=headers)
        text = answer.text if answer.status_code == 200 else ""
        found = re.search(r'rate_limited_requests_total\{limit="address"\} (\S+)', text)
        return float(found[1]) if found else 0.0

    assert await eventually(read) >= 1


async def test_metrics_without_pocketbase(
    fresh_stack: Callable[..., Stack], http: httpx.AsyncClient
) -> None:
    """With a frozen PocketBase the process's own metrics are shown, and that it does not answer."""
    own = fresh_stack(GATEWAY_METRICS_TOKEN=_TOKEN)
    own.pocketbase.pause()
    try:
        found = await _read(http, own.gateway)
    finally:
        own.pocketbase.resume()
    assert found["gateway_pocketbase_up{}"] == found["gateway_ready{}"] == 0
    assert "process_cpu_seconds_total{}" in found
