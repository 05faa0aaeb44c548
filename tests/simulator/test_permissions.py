"""Restricted keys: 403 with Stripe's message for what a key may not do."""

from stripe_simulator.cli import build
from stripe_simulator.http.messages import Answer, Request
from stripe_simulator.http.permissions import restrict
from stripe_simulator.simulator import Simulator

_KEY = "rk_test_reader"


def _ask(simulator: Simulator, method: str, path: str, key: str = _KEY) -> Answer:
    headers = {"authorization": f"Bearer {key}"}
    return simulator.api.answer(Request(method, path, "", b"", headers))


def test_a_restricted_key_does_only_what_it_may() -> None:
    """Write includes read; a refusal names the permission, whether or not the object exists."""
    simulator = build(frozen_clock=True, api_key="sk_test_owner")
    restrict(simulator.world, _KEY, ["customer_write", "plan_read"])
    assert _ask(simulator, "GET", "/v1/customers").status == 200
    assert _ask(simulator, "POST", "/v1/customers/cus_none").status == 404
    assert _ask(simulator, "GET", "/v1/prices").status == 200
    refused = _ask(simulator, "POST", "/v1/prices/price_none")
    assert refused.status == 403
    assert "Having the 'rak_plan_write' permission would" in refused.body["error"]["message"]
    assert _KEY not in refused.body["error"]["message"]
    assert "code" not in refused.body["error"]
    assert _ask(simulator, "DELETE", "/v1/webhook_endpoints/we_1").status == 403
    assert _ask(simulator, "POST", "/v1/customers/cus_none", "sk_test_owner").status == 404


def test_other_keys_are_not_restricted() -> None:
    """A key that is not registered has all permissions, or none if only one key is accepted."""
    assert _ask(build(frozen_clock=True), "GET", "/v1/prices", "rk_test_any").status == 200
    only = build(frozen_clock=True, api_key="sk_test_owner")
    assert _ask(only, "GET", "/v1/prices", "rk_test_any").status == 401
