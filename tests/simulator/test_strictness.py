"""The simulator refuses what Stripe refuses: each leniency would hide a fault."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from stripe_simulator.cli import build
from stripe_simulator.errors import StripeError
from stripe_simulator.http.messages import Request
from stripe_simulator.simulator import Simulator
from stripe_simulator.snapshots import JSON


@dataclass(frozen=True)
class Account:
    """A seller with prices, a customer with a card, and a subscription."""

    simulator: Simulator
    product: str
    monthly: str
    yearly: str
    euros: str
    once: str
    customer: str
    subscription: str
    item: str

    def post(self, path: str, **params: Any) -> JSON:
        """Call a transition; refusals are raised."""
        return self.simulator.api.call("POST", f"/v1/{path}", params)

    def price(self, **params: Any) -> str:
        """Make a price."""
        given = {"product": self.product, "currency": "usd", "unit_amount": 1_000} | params
        return str(self.post("prices", **given)["id"])

    @property
    def session(self) -> JSON:
        """A purchase that is accepted."""
        items = [{"price": self.once, "quantity": 1}]
        return {"mode": "payment", "success_url": "https://a.test/", "line_items": items}


@pytest.fixture
def account() -> Account:
    """A simulator without a server."""
    simulator = build(frozen_clock=True)

    def post(path: str, **params: Any) -> JSON:
        return simulator.api.call("POST", f"/v1/{path}", params)

    product = post("products", name="A")["id"]

    def price(**params: Any) -> str:
        given = {"product": product, "currency": "usd", "unit_amount": 1_000} | params
        return str(post("prices", **given)["id"])

    monthly, yearly = [price(recurring={"interval": each}) for each in ("month", "year")]
    euros = price(recurring={"interval": "month"}, currency="eur")
    customer = post("customers", email="a@b.test", payment_method="pm_card_visa")["id"]
    method = simulator.api.call("GET", "/v1/payment_methods", {"customer": customer})["data"][0]
    settings = {"default_payment_method": method["id"]}
    post(f"customers/{customer}", invoice_settings=settings)
    made = post("subscriptions", customer=customer, items=[{"price": monthly}])
    item = made["items"]["data"][0]["id"]
    return Account(simulator, product, monthly, yearly, euros, price(), customer, made["id"], item)


def _refuse(account: Account, path: str, **params: Any) -> None:
    with pytest.raises(StripeError) as caught:
        account.post(path, **params)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "metadata",
    [
        {f"key_{number}": "" for number in range(51)},
        {"k" * 41: "value"},
        {"key": "v" * 501},
        {"a[b]": "value"},
    ],
)
def test_metadata_has_bounds(account: Account, metadata: dict[str, str]) -> None:
    """Fifty keys of forty characters, with five hundred each, also deep in a request."""
    _refuse(account, "customers", metadata=metadata)
    _refuse(
        account, "checkout/sessions", **account.session, payment_intent_data={"metadata": metadata}
    )


def test_an_idempotency_key_has_bounds(account: Account) -> None:
    """255 characters."""
    for length, status in ((255, 200), (256, 400)):
        headers = {"authorization": "Bearer sk_test_1", "idempotency-key": "k" * length}
        request = Request("POST", "/v1/customers", "", b"name=A", headers)
        assert account.simulator.api.answer(request).status == status


def test_a_page_lies_on_one_side(account: Account) -> None:
    """Only one cursor is taken."""
    cursors = {"starting_after": account.customer, "ending_before": account.customer}
    with pytest.raises(StripeError):
        account.simulator.api.call("GET", "/v1/customers", cursors)


_SESSIONS: dict[str, Callable[[Account], JSON]] = {
    "two discounts": lambda a: {"discounts": [{"coupon": "a"}, {"coupon": "b"}]},
    "a URL that is none": lambda a: {"success_url": "thanks"},
    "a return URL on a hosted page": lambda a: {"return_url": "https://a.test/"},
    "a cancel URL on a form": lambda a: {
        "ui_mode": "embedded_page",
        "success_url": "",
        "return_url": "https://a.test/",
        "cancel_url": "https://a.test/",
    },
    "customer_update without a customer": lambda a: {"customer_update": {"name": "auto"}},
    "a customer and another": lambda a: {"customer": a.customer, "customer_creation": "always"},
    "tax ids without a name": lambda a: {
        "customer": a.customer,
        "tax_id_collection": {"enabled": True},
    },
    "a subscription's data in a payment": lambda a: {"subscription_data": {"metadata": {"a": "b"}}},
    "a payment's data in a subscription": lambda a: {
        "mode": "subscription",
        "line_items": [{"price": a.monthly, "quantity": 1}],
        "payment_intent_data": {"metadata": {"a": "b"}},
    },
    "items in a setup": lambda a: {"mode": "setup", "currency": "usd"},
    "a setup without a currency": lambda a: {"mode": "setup", "line_items": []},
    "several currencies": lambda a: {
        "line_items": [
            {"price": a.once, "quantity": 1},
            {"price": a.price(currency="eur"), "quantity": 1},
        ]
    },
    "too many items": lambda a: {"line_items": [{"price": a.once, "quantity": 1}] * 101},
    "too many recurring items": lambda a: {
        "mode": "subscription",
        "line_items": [{"price": a.monthly, "quantity": 1}] * 21,
    },
    "more than can be charged": lambda a: {"line_items": [{"price": a.once, "quantity": 100_000}]},
    "a quantity beyond its bounds": lambda a: {
        "line_items": [
            {
                "price": a.once,
                "quantity": 3,
                "adjustable_quantity": {"enabled": True, "maximum": 2},
            }
        ]
    },
    "a maximum beyond Stripe's": lambda a: {
        "line_items": [
            {
                "price": a.once,
                "quantity": 1,
                "adjustable_quantity": {"enabled": True, "maximum": 1_000_000},
            }
        ]
    },
}


@pytest.mark.parametrize("what", _SESSIONS)
def test_parameters_of_a_session_that_exclude_each_other(account: Account, what: str) -> None:
    """They are a 400; without them the session is made."""
    account.post("checkout/sessions", **account.session)
    _refuse(account, "checkout/sessions", **(account.session | _SESSIONS[what](account)))


_SUBSCRIPTIONS: dict[str, Callable[[Account], JSON]] = {
    "too many items": lambda a: {
        "items": [{"price": a.price(recurring={"interval": "month"})} for _ in range(21)]
    },
    "a price twice": lambda a: {"items": [{"price": a.monthly}, {"price": a.monthly}]},
    "several currencies": lambda a: {"items": [{"price": a.monthly}, {"price": a.euros}]},
    "a price that is paid once": lambda a: {"items": [{"price": a.once}]},
    "a trial that is over": lambda a: {"trial_end": 1_000},
    "a trial of three years": lambda a: {"trial_period_days": 1_095},
    "two ends of a trial": lambda a: {
        "trial_period_days": 3,
        "trial_end": a.simulator.world.now + 99_999,
    },
    "an end that is over": lambda a: {"cancel_at": 1_000},
    "two ends": lambda a: {
        "cancel_at_period_end": True,
        "cancel_at": a.simulator.world.now + 99_999,
    },
    "sent without a due date": lambda a: {"collection_method": "send_invoice"},
    "charged with a due date": lambda a: {"days_until_due": 3},
}


@pytest.mark.parametrize("what", _SUBSCRIPTIONS)
def test_a_subscription_that_cannot_be(account: Account, what: str) -> None:
    """It is a 400 to create it."""
    wanted = {"customer": account.customer, "items": [{"price": account.monthly}]}
    _refuse(account, "subscriptions", **(wanted | _SUBSCRIPTIONS[what](account)))


_UPDATES: dict[str, Callable[[Account], JSON]] = {
    "another currency": lambda a: {"items": [{"id": a.item, "price": a.euros}]},
    "a price that is paid once": lambda a: {"items": [{"id": a.item, "price": a.once}]},
    "a negative quantity": lambda a: {"items": [{"id": a.item, "quantity": -1}]},
    "a price that it has": lambda a: {"items": [{"price": a.monthly}]},
    "a card of another customer": lambda a: {
        "default_payment_method": a.post(
            "payment_methods/pm_card_visa/attach", customer=a.post("customers")["id"]
        )["id"]
    },
    "a pending update of sent invoices": lambda a: {
        "collection_method": "send_invoice",
        "days_until_due": 3,
        "items": [{"id": a.item, "quantity": 2}],
        "payment_behavior": "pending_if_incomplete",
    },
}


@pytest.mark.parametrize("what", _UPDATES)
def test_a_change_that_cannot_be(account: Account, what: str) -> None:
    """It is a 400 and changes nothing."""
    path = f"subscriptions/{account.subscription}"
    before = account.simulator.api.call("GET", f"/v1/{path}")
    _refuse(account, path, **_UPDATES[what](account))
    assert account.simulator.api.call("GET", f"/v1/{path}") == before


_COUPONS: list[JSON] = [
    {"percent_off": 10, "amount_off": 10, "currency": "usd", "duration": "once"},
    {"percent_off": 101, "duration": "once"},
    {"percent_off": 10, "duration": "repeating"},
    {"percent_off": 10, "duration": "once", "duration_in_months": 2},
]


@pytest.mark.parametrize("terms", _COUPONS)
def test_a_coupon_that_makes_no_sense(account: Account, terms: JSON) -> None:
    """Of percent and amount it has one; months go with repeating."""
    _refuse(account, "coupons", **terms)


def test_an_active_code_is_unique(account: Account) -> None:
    """Ignoring case, and until the first is not active any more."""
    coupon = account.post("coupons", percent_off=10, duration="once")["id"]
    given = {"promotion": {"type": "coupon", "coupon": coupon}}
    first = account.post("promotion_codes", code="ONCE", **given)
    _refuse(account, "promotion_codes", code="once", **given)
    account.post(f"promotion_codes/{first['id']}", active=False)
    account.post("promotion_codes", code="once", **given)


_PHASES: dict[str, Callable[[Account, JSON], list[JSON]]] = {
    "no start": lambda a, first: [{"items": first["items"], "end_date": first["end_date"]}],
    "an end before the start": lambda a, first: [first | {"end_date": first["start_date"] - 5}],
    "an end twice": lambda a, first: [first | {"iterations": 1}],
    "a trial beyond the end": lambda a, first: [first | {"trial_end": first["end_date"] + 9}],
    "another currency": lambda a, first: [first, {"items": [{"price": a.euros}]}],
    "a price twice": lambda a, first: [first, {"items": [{"price": a.yearly}] * 2}],
    "a price that is paid once": lambda a, first: [first, {"items": [{"price": a.once}]}],
    "an unknown discount": lambda a, first: [first | {"discounts": [{"discount": "di_x"}]}],
    "an unknown tax rate": lambda a, first: [first | {"default_tax_rates": ["txr_x"]}],
    "eleven phases": lambda a, first: [first] + [{"items": first["items"], "iterations": 1}] * 10,
}


@pytest.mark.parametrize("what", _PHASES)
def test_a_phase_that_cannot_be(account: Account, what: str) -> None:
    """It is a 400, and the schedule keeps its phases."""
    path, first = _plan(account)
    _refuse(account, path, phases=_PHASES[what](account, first))
    account.post(path, phases=[first, {"items": [{"price": account.yearly}]}])


def test_a_phase_decides_about_discounts(account: Account) -> None:
    """A subscription keeps the discounts that its phase names, and loses the others."""
    coupon = account.post("coupons", percent_off=10, duration="forever")["id"]
    subscription = f"subscriptions/{account.subscription}"
    [discount] = account.post(subscription, discounts=[{"coupon": coupon}])["discounts"]
    path, first = _plan(account)
    kept = first | {"discounts": [{"discount": discount}]}
    account.post(path, phases=[kept])
    assert account.simulator.api.call("GET", f"/v1/{subscription}")["discounts"] == [discount]
    account.post(path, phases=[first])
    assert account.simulator.api.call("GET", f"/v1/{subscription}")["discounts"] == []


def _plan(account: Account) -> tuple[str, JSON]:
    made = account.post("subscription_schedules", from_subscription=account.subscription)
    [phase] = made["phases"]
    dates = {name: phase[name] for name in ("start_date", "end_date")}
    return f"subscription_schedules/{made['id']}", dates | {"items": [{"price": account.monthly}]}


def test_a_preview_is_of_the_customers_subscription(account: Account) -> None:
    """Another customer's is a 400."""
    other = account.post("customers")["id"]
    path = "invoices/create_preview"
    _refuse(account, path, customer=other, subscription=account.subscription)


@pytest.mark.parametrize("email", ["a b@c.test", "a@b.test ", "\ta@b.test"])
def test_an_address_has_no_spaces(account: Account, email: str) -> None:
    """Stripe refuses it."""
    _refuse(account, "customers", email=email)


@pytest.mark.parametrize(
    "change",
    [
        {"url": "shop.test/webhooks"},
        {"url": "ftp://shop.test/webhooks"},
        {"url": "https://"},
        {"api_version": "latest"},
        {"enabled_events": []},
        {"enabled_events": ["*", "price.created"]},
    ],
)
def test_an_endpoint_has_an_address_and_events(account: Account, change: dict[str, Any]) -> None:
    """Another URL, version or list of events is a 400."""
    given = {"url": "https://shop.test/webhooks", "enabled_events": ["price.created"]}
    account.post("webhook_endpoints", **given)
    _refuse(account, "webhook_endpoints", **(given | change))


def test_an_account_has_16_endpoints(account: Account) -> None:
    """Disabled ones count; a deleted one makes room."""
    given = {"url": "https://shop.test/webhooks", "enabled_events": ["*"]}
    made = [account.post("webhook_endpoints", **given)["id"] for _ in range(16)]
    account.post(f"webhook_endpoints/{made[0]}", disabled=True)
    _refuse(account, "webhook_endpoints", **given)
    account.simulator.api.call("DELETE", f"/v1/webhook_endpoints/{made[0]}")
    account.post("webhook_endpoints", **given)


def test_a_portals_products_are_recurring_and_shown_on_request(account: Account) -> None:
    """At most ten products, each with its own recurring prices; features not named are off."""

    def features(*prices: str, times: int = 1) -> JSON:
        product = {"product": account.product, "prices": list(prices)}
        updates = ["price"]
        enabled = {"enabled": True, "default_allowed_updates": updates}
        return {"subscription_update": enabled | {"products": [product] * times}}

    path = "billing_portal/configurations"
    made = account.post(path, features=features(account.monthly, account.yearly))
    assert "products" not in made["features"]["subscription_update"]
    assert not made["features"]["invoice_history"]["enabled"]
    expand = ["features.subscription_update.products"]
    shown = account.simulator.api.call("GET", f"/v1/{path}/{made['id']}", {"expand": expand})
    [product] = shown["features"]["subscription_update"]["products"]
    assert product["prices"] == [account.monthly, account.yearly]
    _refuse(account, path, features=features(account.once))
    _refuse(account, path, features=features("price_none"))
    _refuse(account, path, features=features(account.monthly, times=11))
