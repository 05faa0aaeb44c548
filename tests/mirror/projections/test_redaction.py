"""Members of Stripe objects that are not stored."""

import json
from typing import Any

import pytest

from gateway.mirror.event_change import decide
from gateway.mirror.redaction import redact
from gateway.stripe_api.event import parse
from tests.delivery import build_event

_LINK = "https://hooks.stripe.com/redirect/src_1?client_secret=src_1_secret_x"


@pytest.mark.parametrize("kind", ["payment_intent", "setup_intent", "checkout.session"])
def test_a_client_secret_is_not_stored(kind: str) -> None:
    """It would let its reader confirm the payment; all else is kept."""
    item = {"id": "x_1", "object": kind, "client_secret": "x_1_secret_y", "more": {"a": [1, None]}}

    planned = decide(parse(json.dumps(build_event(f"{kind}.created", item))))

    assert planned.state is not None
    assert planned.state.row.object == item | {"client_secret": None}


@pytest.mark.parametrize(
    ("item", "stored"),
    [
        (
            {"last_payment_error": {"payment_intent": {"client_secret": "pi_1_secret_x"}}},
            {"last_payment_error": {"payment_intent": {"client_secret": None}}},
        ),
        (
            {"next_action": {"redirect_to_url": {"url": _LINK, "return_url": "https://a.test"}}},
            {"next_action": {"redirect_to_url": {"url": None, "return_url": "https://a.test"}}},
        ),
        ({"list": [{"secret": "whsec_x"}, "a_secret_b"]}, {"list": [{"secret": None}, None]}),
        ({"metadata": {"secret": "mine"}}, {"metadata": {"secret": "mine"}}),
        ({"secret": 10**40}, {"secret": None}),
    ],
)
def test_secrets_are_found_at_any_depth(item: dict[str, Any], stored: dict[str, Any]) -> None:
    """In hashes, lists and the queries of links; the seller's metadata stays."""
    assert redact({"object": "x", **item}) == {"object": "x", **stored}


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("billing_portal.session", "url"),
        ("file_link", "url"),
        ("identity.verification_session", "url"),
        ("issuing.card", "number"),
    ],
)
def test_a_link_without_sign_in_is_not_stored(kind: str, field: str) -> None:
    """The link of a portal session, which gives access to the customer's billing, is dropped."""
    item = {"id": "x_1", "object": kind, field: "open sesame", "created": 1}
    assert redact(item) == item | {field: None}


def test_an_object_without_secrets_is_stored_as_it_is() -> None:
    """Fields with the same names elsewhere are kept."""
    item = {"id": "cs_1", "object": "checkout.session", "url": "https://pay.test", "number": "1"}
    assert redact(item) is item
