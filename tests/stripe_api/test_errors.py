"""Errors of Stripe keep Stripe's facts: typed for the code, and for clients and the log."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import stripe

from gateway.dev.stack import Stack
from gateway.errors import (
    ConfigurationRefused,
    InputRefused,
    PaymentRequired,
    StripeFailed,
    StripeFailure,
    StripeKeyRefused,
    StripeKeyReused,
    StripeRefused,
    StripeTooSlow,
    StripeUnavailable,
    describe,
)
from gateway.stripe_api import (
    Missing,
    find_cause,
    open_stripe,
    read_object,
    translate_errors,
)
from gateway.stripe_api.causes import COUPON, CURRENCY, METER, PRICE
from gateway.stripe_error import StripeAnswer
from tests.gateway_settings import build_settings
from tests.stripe_account import StripeAccount


@pytest_asyncio.fixture
async def client(stack: Stack, account: StripeAccount) -> AsyncIterator[stripe.StripeClient]:
    """The gateway's client of the simulator; no fault stays."""
    settings = build_settings(
        stack.pocketbase,
        stripe_secret_key=stack.plan.stripe.secret_key,
        stripe_api_base=stack.simulator.url,
    )
    async with open_stripe(settings) as opened:
        yield opened
    await account.clear_faults()


async def _fail(client: stripe.StripeClient, account: StripeAccount, **fault: Any) -> StripeFailure:
    """Let the next requests for a customer meet a fault; return the gateway's error."""
    await account.control("faults", path="/v1/customers/cus_1", times=9, **fault)
    try:
        with translate_errors():
            await client.v1.customers.retrieve_async("cus_1")
    except StripeFailure as error:
        return error
    finally:
        await account.clear_faults()
    raise AssertionError("the fault was not met")


async def test_all_facts_are_kept(client: stripe.StripeClient, account: StripeAccount) -> None:
    """Each fact of Stripe's answer is an attribute, as Stripe sent it."""
    error = await _fail(
        client,
        account,
        status=402,
        type="card_error",
        code="card_declined",
        decline_code="insufficient_funds",
        param="source",
        message="Your card has insufficient funds.",
        should_retry="false",
    )
    assert isinstance(error, PaymentRequired)
    found = error.stripe
    assert (found.status, found.type, found.code) == (402, "card_error", "card_declined")
    assert (found.decline_code, found.param) == ("insufficient_funds", "source")
    assert found.message == "Your card has insufficient funds."
    assert found.doc_url == "https://docs.stripe.com/error-codes/card-declined"
    assert found.request_id.startswith("req_")
    assert found.request_log_url.endswith(found.request_id)
    assert found.should_retry is False
    assert (found.is_replayed, found.retry_after) == (False, 0)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 400, "code": "email_invalid"}, InputRefused),
        ({"status": 400, "code": "coupon_expired"}, ConfigurationRefused),
        ({"status": 400, "code": "unheard_of"}, StripeRefused),
        ({"status": 400, "type": "idempotency_error"}, StripeKeyReused),
        ({"status": 401}, StripeKeyRefused),
        ({"status": 403}, StripeKeyRefused),
        ({"status": 402, "type": "card_error", "code": "card_declined"}, PaymentRequired),
        ({"status": 409, "code": "lock_timeout"}, StripeUnavailable),
        ({"status": 429, "should_retry": "false"}, StripeUnavailable),
        ({"status": 500}, StripeFailed),
        ({"status": 503}, StripeFailed),
        ({"reset": "before"}, StripeUnavailable),
    ],
)
async def test_every_failure_is_one_tree(
    fault: dict[str, Any],
    kind: type[StripeFailure],
    client: stripe.StripeClient,
    account: StripeAccount,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Every failure is a `StripeFailure` with Stripe's facts, which its problem shows as well."""
    error = await _fail(client, account, **fault)
    assert type(error) is kind
    assert error.stripe.status == fault.get("status", 0)
    assert bool(error.stripe.request_id) is ("status" in fault)
    shown = describe(error).get("stripe", {})
    assert shown.get("request_id", "") == error.stripe.request_id
    assert shown.get("code", "") == error.stripe.code
    assert "An unknown error occurred." not in str(describe(error))
    logged = [vars(record).get("stripe_request", "") for record in caplog.records]
    assert set(logged) <= {"", error.stripe.request_id}


def test_an_error_without_an_answer_has_no_facts() -> None:
    """The network failed: no member of the problem pretends that Stripe answered."""
    assert "stripe" not in describe(StripeTooSlow())
    assert StripeTooSlow().stripe == StripeAnswer()


@pytest.mark.parametrize("code", ["stolen_card", "lost_card", "fraudulent", "pickup_card"])
def test_a_thief_is_not_warned(code: str) -> None:
    """Decline codes about theft and fraud are for the log alone."""
    answer = StripeAnswer(402, "card_error", "card_declined", decline_code=code)
    assert describe(PaymentRequired().of(answer))["stripe"]["decline_code"] == "generic_decline"
    assert answer.log_fields["decline_code"] == code


def test_the_text_is_for_decisions_alone() -> None:
    """It may repeat an address: neither clients nor the log get it."""
    answer = StripeAnswer(400, code="email_invalid", message="Invalid email address: ann@a.test")
    assert "ann@" not in f"{describe(InputRefused().of(answer))} {answer.log_fields}"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (StripeAnswer(400, message="You cannot combine currencies on a customer."), CURRENCY),
        (StripeAnswer(400, code="coupon_expired", message="The meter is inactive."), COUPON),
        (StripeAnswer(400, message="The meter is inactive."), METER),
        (StripeAnswer(400, code="unheard_of", message="The meter is inactive."), None),
        (StripeAnswer(404, code="resource_missing", param="items[0][price]"), PRICE),
        (StripeAnswer(404, code="resource_missing", message="No such price: 'price_1'"), None),
        (StripeAnswer(500, code="coupon_expired"), None),
    ],
)
def test_a_code_is_believed_before_a_text(answer: StripeAnswer, cause: object) -> None:
    """Texts change, and name several things: they count only where Stripe sends no code."""
    assert find_cause(answer) is cause


async def test_a_missing_object_keeps_its_facts(client: stripe.StripeClient) -> None:
    """404 of an object that is read: which request it was."""
    with pytest.raises(Missing) as found:
        await read_object(client, "/v1/customers/cus_none")
    assert found.value.stripe.code == "resource_missing"
    assert found.value.stripe.request_id.startswith("req_")
    assert found.value.status == 404
