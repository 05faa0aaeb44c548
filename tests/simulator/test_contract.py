"""The contract catches planted mistakes, in requests, answers and events."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from stripe_simulator.cli import build
from stripe_simulator.http.messages import Answer, Request
from stripe_simulator.simulator import Simulator


@pytest.fixture
def simulator() -> Simulator:
    """A simulator that holds everything against the contract."""
    return build(contract=True, frozen_clock=True)


def post(simulator: Simulator, path: str, params: dict[str, Any]) -> Answer:
    """POST a form without a server."""
    headers = {"authorization": "Bearer sk_test_1"}
    request = Request("POST", path, "", urlencode(params).encode(), headers)
    return simulator.api.answer(request)


@pytest.mark.parametrize(
    ("path", "params", "code", "param"),
    [
        ("/v1/customers", {"emial": "a@b.test"}, "parameter_unknown", "emial"),
        ("/v1/customers", {"shipping[name]": "A"}, "parameter_missing", "shipping[address]"),
        (
            "/v1/payment_intents",
            {"amount": "ten", "currency": "usd"},
            "parameter_invalid",
            "amount",
        ),
        ("/v1/payment_intents", {"currency": "usd"}, "parameter_missing", "amount"),
        (
            "/v1/checkout/sessions",
            {"mode": "payment", "payment_method_types[]": "card"},
            "parameter_unknown",
            "payment_method_types",
        ),
        (
            "/v1/checkout/sessions",
            {"line_items[0][prize]": "price_1"},
            "parameter_unknown",
            "line_items[0][prize]",
        ),
    ],
)
def test_a_wrong_request_is_refused_and_kept(
    simulator: Simulator, path: str, params: dict[str, Any], code: str, param: str
) -> None:
    """A parameter that Stripe does not know, or misses, is a 400 and a violation."""
    answer = post(simulator, path, params)
    assert answer.status == 400
    assert (answer.body["error"]["code"], answer.body["error"]["param"]) == (code, param)
    assert [violation["what"] for violation in simulator.violations] == ["request"]


def test_a_right_request_passes(simulator: Simulator) -> None:
    """Strings of a form are taken for what the document says they are."""
    params = {"amount": "500", "currency": "usd", "automatic_payment_methods[enabled]": "true"}
    assert post(simulator, "/v1/payment_intents", params).status == 200
    assert simulator.violations == []


PLANTED: dict[str, Callable[[dict[str, Any]], None]] = {
    "a field we invent": lambda customer: customer.update(nickname="Al"),
    "a nested field we invent": lambda c: c["invoice_settings"].update(theme="dark"),
    "a wrong type": lambda customer: customer.update(balance="0"),
    "a lacking field": lambda customer: customer.pop("created"),
    "a null that may not be": lambda customer: customer.update(livemode=None),
    "a wrong value of an enum": lambda customer: customer.update(tax_exempt="maybe"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_mistake_in_our_answers_and_events_is_caught(simulator: Simulator, name: str) -> None:
    """An answer that breaks the document is a 500; its event is a violation as well."""
    made = post(simulator, "/v1/customers", {"name": "A"}).body
    PLANTED[name](simulator.world.get("customer", made["id"]))
    answer = post(simulator, f"/v1/customers/{made['id']}", {"name": "B"})
    assert answer.status == 500
    assert {violation["what"] for violation in simulator.violations} == {"answer", "event"}


def test_an_invented_type_of_event_is_caught(simulator: Simulator) -> None:
    """Only types of events that an endpoint can ask for exist."""
    made = post(simulator, "/v1/customers", {"name": "A"}).body
    customer = simulator.world.get("customer", made["id"])
    simulator.world.record("customer.greeted", customer)
    assert simulator.violations[0]["at"] == "type"
